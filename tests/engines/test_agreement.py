"""Random rules over random people: every way to evaluate them gives the same members.

The ways are the pipeline's, by buckets of batches of one event and of one batch of all; the
population's, over raw events, in DuckDB and in Spark; and the slow reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from onefold.engine import DuckEngine, Engine, SparkEngine
from onefold.segment import bucket_query, compile_membership, merge_into, parse_rule, read_rows
from onefold.segment.plan import Plan
from onefold.segment.population import population_query
from onefold.testing.rules import Happened, Moment, evaluate
from tests.engines.test_engines import needs_java
from tests.unit.segment.test_reference import ANCHORS, ZONES, histories, rules

TYPES = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}
Answers = dict[tuple[int, str], bool]


class World(NamedTuple):
    """Everybody at a moment, and the rules that are asked."""

    now: int
    timezone: str
    people: list[tuple[Mapping[str, Any], list[Happened]]]
    rules: list[str]

    def plan(self) -> Plan:
        return compile_membership({text: parse_rule(text) for text in self.rules})

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
    trees = {text: sqlglot.parse_one(text, read="duckdb") for text in world.rules}
    return {
        (number, text): evaluate(tree, Moment(traits, events, world.now, world.timezone), "boolean")
        is True
        for number, (traits, events) in enumerate(world.people)
        for text, tree in trees.items()
    }


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
    types = {"profile": pa.int64()} | {one.name: TYPES[one.type] for one in plan.columns}
    found = engine.rows("plan", plan.sql, {"profiles": _table(rows, **types)})
    engine.close()
    return _answers(world, found)


def _answers(world: World, rows: list[tuple[Any, ...]]) -> Answers:
    assert sorted(row[0] for row in rows) == list(range(len(world.people)))
    return {
        (number, text): answer
        for number, *answers in rows
        for text, answer in zip(world.rules, answers, strict=True)
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


def worlds(rules_each: int) -> Iterator[World]:
    everybody = some(histories(), 240)
    asked = some(rules(), rules_each * len(ANCHORS))
    for index, anchor in enumerate(ANCHORS):
        now = anchor + 7_200_000_000 * index + 123_456
        people = [
            (traits, [one._replace(time=one.time + now - then) for one in events])
            for then, _, traits, events in everybody[index :: len(ANCHORS)]
        ]
        yield World(now, ZONES[index % len(ZONES)], people, asked[index :: len(ANCHORS)])


def compare(world: World, expected: Answers, found: Answers) -> None:
    for (number, text), answer in found.items():
        if answer != expected[number, text]:
            person = world.people[number]
            raise AssertionError(
                f"{text!r} is {answer}, not {expected[number, text]}, of {person}"
                f" at {world.now} in {world.timezone}"
            )


def check(ways: Mapping[str, Callable[[World], Answers]], rules_each: int) -> None:
    for world in worlds(rules_each):
        expected = by_reference(world)
        for way in ways.values():
            compare(world, expected, way(world))


def test_batches_of_one_and_of_all_and_the_population_agree() -> None:
    engine = DuckEngine()
    check(
        {
            "one batch": lambda world: by_buckets(world, 1 << 30),
            "batches of one": lambda world: by_buckets(world._replace(people=world.people[:8]), 1),
            "population": lambda world: by_query(engine, world),
        },
        rules_each=20,
    )
    engine.close()


@pytest.mark.slow
@needs_java
def test_spark_agrees() -> None:
    engine = SparkEngine("local[1]")
    check({"spark": lambda world: by_query(engine, world)}, rules_each=60)
    engine.close()
