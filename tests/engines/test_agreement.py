"""Random rules over random people: every way to evaluate them gives the same members.

The ways are the pipeline's, by buckets of batches of one event and of one batch of all, and by what batches change; the
population's, over raw events, in DuckDB and in Spark; and the slow reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from onefold.engine import DuckEngine, Engine, SparkEngine
from onefold.model.definitions import ProductPreference
from onefold.model.profile import Profile
from onefold.pipeline.adding import Touched
from onefold.pipeline.concerned import Changes, Task
from onefold.pipeline.counts import Counts, encode_buckets
from onefold.pipeline.evaluation import Evaluation, Found
from onefold.segment import Buckets, bucket_query, compile_plan, merge_into, read_rows
from onefold.segment.plan import Plan, Wanted
from onefold.segment.population import population_query
from onefold.segment.ready import product_expression
from onefold.testing.rules import Happened, Moment, evaluate, holds, parsed
from tests.engines.test_engines import needs_java
from tests.unit.pipeline.touching import Identifiers
from tests.unit.segment import test_trait_rules as trait_rules
from tests.unit.segment.test_reference import ANCHORS, histories, rules
from tests.unit.segment.test_trait_rules import TYPES, ZONES

ARROW = {
    "text": pa.string(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.int64(),
    "time": pa.int64(),
    "list": pa.list_(pa.string()),
    "numbers": pa.list_(pa.float64()),
    "object": pa.string(),
}
OTHER = "n > 1"
FAVORITE = product_expression(
    ProductPreference("page", "items[].kind", 20, least=2, otherwise="none")
)
AMONG = product_expression(ProductPreference("page", "tags[]", 20, among=("CN", "a'b")))
ALWAYS = [
    *(f"{FAVORITE} = {value}" for value in ("'CN'", "'none'")),
    *(f"({AMONG}) = {value}" for value in ("'CN'", "'a''b'")),
    "count_of('page', during => this_session) > 1",
    "sum_of('Order Completed', properties.revenue, during => this_session) is null",
    "last_of('page', properties.country) > date '2026-03-07'",
]
"""Rules that each world asks, whatever chance brings."""
Answers = dict[tuple[int, str], bool]


class World(NamedTuple):
    """Everybody at a moment, and the rules that are asked; one refers to the segment `other`."""

    now: int
    timezone: str
    people: list[tuple[Mapping[str, Any], list[Happened]]]
    rules: list[str]
    types: Mapping[str, Any]

    def plan(self) -> Plan:
        wanted = [Wanted("segment", text, text) for text in self.rules]
        plan = compile_plan([*wanted, Wanted("segment", "other", OTHER)], self.types)
        assert not plan.refused
        return plan

    def relations(self) -> dict[str, pa.Table]:
        """What population queries read."""
        events = [
            (number, bytes([number % 256]), *one[:3], _json(one.properties), _json(one.context))
            for number, (_, history) in enumerate(self.people)
            for one in history
        ]
        traits = [(number, _json(traits)) for number, (traits, _) in enumerate(self.people)]
        return {
            "events_now": _table(
                events,
                profile=pa.int64(),
                owner=pa.binary(),
                name=pa.string(),
                time=pa.int64(),
                message_id=pa.string(),
                properties=pa.string(),
                context=pa.string(),
            ),
            "profiles_now": _table(traits, profile=pa.int64(), traits=pa.string()),
        }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _table(rows: list[tuple[Any, ...]], **types: pa.DataType) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in types]
    return pa.table(
        [pa.array(column, type_) for column, type_ in zip(columns, types.values(), strict=True)],
        names=list(types),
    )


# The ways.


def by_reference(world: World) -> Answers:
    trees = {text: parsed(text, world.types) for text in world.rules}
    found = {}
    for number, (traits, events) in enumerate(world.people):
        moment = Moment(traits, events, world.now, world.timezone, world.types)
        inside = frozenset(["other"] if holds(OTHER, moment) else [])
        moment = moment._replace(segments=inside)
        for text, tree in trees.items():
            found[number, text] = evaluate(tree, moment, "boolean") is True
    return found


def by_query(engine: Engine, world: World) -> Answers:
    sql = population_query(world.plan(), world.now, world.timezone)
    return _answers(world, engine.rows("population", sql, world.relations()))


def by_buckets(world: World, size: int) -> Answers:
    """As the pipeline does, in batches of so many events."""
    plan, engine = world.plan(), DuckEngine(optimizer=False)
    query = bucket_query(plan.metrics, world.timezone)
    events = world.relations()["events_now"]
    facts: dict[int, Any] = {}
    for start in range(0, events.num_rows, size):
        batch = events.slice(start, size)
        owner = pa.array([str(number).encode() for number in batch["profile"].to_pylist()])
        batch = batch.set_column(1, "owner", owner)
        for found, buckets in read_rows(engine.rows("buckets", query, {"events": batch})).items():
            merge_into(facts.setdefault(int(found), {}), buckets)
    features = plan.features(world.now, world.timezone)
    rows = [
        (number, *features.row(traits, [facts.get(number, {})])[0])
        for number, (traits, _) in enumerate(world.people)
    ]
    types = {"profile": pa.int64()} | {one.name: ARROW[one.type] for one in plan.columns}
    found = engine.rows("plan", plan.live_sql, {"profiles": _table(rows, **types)})
    engine.close()
    return _answers(world, found)


def by_changes(world: World, size: int) -> Answers:
    """As the pipeline does once everybody is evaluated: of each batch only what it can change."""
    plan, engine = world.plan(), DuckEngine(optimizer=False)
    query = bucket_query(plan.metrics, world.timezone)
    evaluation = Evaluation(engine, plan, world.timezone)
    everybody = [Profile(number, [], [], {}, {}) for number in range(len(world.people))]
    facts: list[Buckets] = [{} for _ in everybody]
    _take(evaluation, [Task(one, None, [held({})]) for one in everybody], world.now)
    told = [
        Task(profile, Changes(traits), [held({})])
        for profile, (traits, _) in zip(everybody, world.people, strict=True)
    ]
    for task, (traits, _) in zip(told, world.people, strict=True):
        task.profile.traits = dict(traits)
    _take(evaluation, told, world.now)
    events = world.relations()["events_now"]
    names = [str(number).encode() for number in range(len(everybody))]
    identifiers = Identifiers(plan, world.now, world.timezone, {one: {} for one in names})
    for start in range(0, events.num_rows, size):
        batch = events.slice(start, size)
        owner = pa.array([str(number).encode() for number in batch["profile"].to_pylist()])
        batch = batch.set_column(1, "owner", owner)
        added = engine.rows("buckets", query, {"events": batch})
        for name, more in read_rows(added).items():
            merge_into(facts[int(name)], more)
        touched = identifiers.add(added)
        tasks = [
            Task(everybody[int(name)], Changes((), [row]), [touched.counts[row]])
            for row, name in enumerate(touched.owners)
        ]
        _take(evaluation, tasks, world.now, touched)
    due = {profile.id: profile.due for profile in everybody}
    again = [Task(profile, None, [held(facts[profile.id])]) for profile in everybody]
    found = {
        (profile.id, text): text in profile.members for profile in everybody for text in world.rules
    }
    _take(evaluation, again, world.now)
    for profile in everybody:
        # Too early is a look in vain; too late would be wrong.
        assert not profile.due or 0 < due[profile.id] <= profile.due
    engine.close()
    return found


def held(buckets: Buckets) -> Counts:
    """Buckets as a profile's document holds them."""
    return Counts(encode_buckets(buckets))


def _take(
    evaluation: Evaluation, tasks: list[Task], now: int, touched: Touched | None = None
) -> None:
    """Make the members what is found."""
    for found in evaluation.run(tasks, now, touched):
        if isinstance(found, Found):
            answers = [
                (output, task.profile, inside)
                for output, column in zip(found.outputs, found.columns, strict=True)
                for task, inside in zip(found.tasks, column.to_pylist(), strict=True)
            ]
        else:
            answers = found.answers
        for output, profile, inside in answers:
            if inside:
                profile.members[output.name] = now
            else:
                profile.members.pop(output.name, None)


def _answers(world: World, rows: list[tuple[Any, ...]]) -> Answers:
    assert sorted(row[0] for row in rows) == list(range(len(world.people)))
    names = world.plan().segments
    return {
        (row[0], name): row[at]
        for row in rows
        for at, name in enumerate(names, 1)
        if name != "other"
    }


# Worlds. Many rules share one query: planning it takes longer than answering it.


def some(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """So many different values of a strategy, the same in each run."""
    found: dict[str, Any] = {}

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found[repr(value)] = value

    collect()
    return list(found.values())


def worlds(rules_each: int, people_each: int, every: int = 1) -> Iterator[World]:
    """One for each turn of the clock, the month and the year, half of them with declared traits."""
    anchors = sorted({*ANCHORS, *trait_rules.ANCHORS})[::every]
    everybody, traits = (
        some(histories(), people_each * len(anchors)),
        some(trait_rules.people(), people_each * len(anchors)),
    )
    asked = some(rules(), rules_each * len(anchors))
    about = some(trait_rules.rules(), rules_each * len(anchors))
    for index, anchor in enumerate(anchors):
        now = anchor + 7_200_000_000 * index + 123_456
        people = [
            ({**first, **second[0]}, [one._replace(time=one.time + now - then) for one in events])
            for (then, _, first, events), second in zip(
                everybody[index :: len(anchors)], traits[index :: len(anchors)], strict=False
            )
        ]
        types = TYPES if index % 2 else {"interests": "list"}
        texts = ALWAYS + asked[index :: len(anchors)] + about[index :: len(anchors)]
        texts = [text for text in texts if trait_rules.taken(text, types)]
        yield World(now, ZONES[index % len(ZONES)], people, list(dict.fromkeys(texts)), types)


def compare(world: World, expected: Answers, found: Answers) -> None:
    for (number, text), answer in found.items():
        if answer != expected[number, text]:
            person = world.people[number]
            raise AssertionError(
                f"{text!r} is {answer}, not {expected[number, text]}, of {person}"
                f" at {world.now} in {world.timezone}"
            )


def check(
    ways: Mapping[str, Callable[[World], Answers]],
    rules_each: int,
    people_each: int,
    every: int = 1,
) -> None:
    for world in worlds(rules_each, people_each, every):
        expected = by_reference(world)
        for way in ways.values():
            compare(world, expected, way(world))


@pytest.mark.slow
def test_batches_of_one_and_of_all_and_the_population_agree() -> None:
    engine = DuckEngine()
    check(
        {
            "one batch": lambda world: by_buckets(world, 1 << 30),
            "batches of one": lambda world: by_buckets(world._replace(people=world.people[:3]), 1),
            "changes of one batch": lambda world: by_changes(world, 1 << 30),
            "changes of small batches": lambda world: by_changes(world, 7),
            "population": lambda world: by_query(engine, world),
        },
        rules_each=20,
        people_each=24,
    )
    engine.close()


@pytest.mark.slow
@needs_java
def test_spark_agrees() -> None:
    engine = SparkEngine("local[1]")
    check({"spark": lambda world: by_query(engine, world)}, rules_each=12, people_each=40, every=3)
    engine.close()


@pytest.mark.slow
@needs_java
def test_spark_over_connect_agrees(connect_url: str) -> None:
    engine = SparkEngine(connect_url)
    check(
        {"connect": lambda world: by_query(engine, world)}, rules_each=12, people_each=40, every=9
    )
    engine.close()
