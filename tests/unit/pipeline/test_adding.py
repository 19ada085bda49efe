"""Buckets of many identifiers added up as arrays are those that are added up one by one."""

from __future__ import annotations

from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.engine import DuckEngine
from onefold.model.profile import Node, Profile
from onefold.pipeline.adding import Touched
from onefold.pipeline.concerned import Changes, Task
from onefold.pipeline.counting import Counting
from onefold.pipeline.counts import Counts, decode_buckets, encode_buckets
from onefold.pipeline.evaluation import Evaluation, Found
from onefold.segment import Plan, Wanted, compile_plan, merge_into, prune, read_rows
from onefold.segment.buckets import Buckets
from onefold.segment.kinds import Numbers, Values
from tests.unit.pipeline.touching import Identifiers, looked, rows_of

DAY = 86_400_000_000
NOW = 20_000 * DAY + DAY // 2
RULES = [
    *(
        f"count_of('A', last => interval {days} day) >= {n}"
        for days in (1, 3, 9)
        for n in (1, 2, 5)
    ),
    *(f"sum_of('A', properties.v, last => interval {n} day) > {n * 40}" for n in (1, 3, 9)),
    "count_of('A') = 4",
    "avg_of('A', properties.v, last => interval 9 day) < 20",
    "min_of('A', properties.v, last => interval 3 day) <= 3 and country = 'CN'",
    "max_of('B', properties.v, last => interval 2 hour) > 50 or not did('A')",
    "did('B', last => interval 2 day) and not did('A', last => interval 1 day)",
    "count_of('B', between => (interval 9 day, interval 2 day)) between 1 and 2",
    "sum_of('B', properties.v) is null and country is not null",
    "unique_of('A', properties.v, last => interval 9 day) >= 2",
    "last_of('B', properties.v) = '7' and count_of('B') > 1",
    "days_since('A') > 2",
]
TRAITS = {
    "often": "count_of('A', last => interval 3 day)",
    "much": "sum_of('A', properties.v, last => interval 3 day)",
    "mean": "avg_of('B', properties.v)",
    "newest": "last_of('A', properties.v)",
    "half": "count_of('B') / 2",
}


def everything() -> Plan:
    plan = compile_plan(
        [
            *(Wanted("segment", rule, rule) for rule in RULES),
            *(Wanted("trait", name, text) for name, text in TRAITS.items()),
        ]
    )
    assert not plan.refused
    return plan


def happened(draw: Random, owners: int, count: int) -> pa.Table:
    """Events of some owners within a fortnight, a few of them dated in the future."""
    rows = []
    for number in range(count):
        age = draw.choice((draw.randrange(4 * 3_600_000_000), draw.randrange(-DAY, 14 * DAY)))
        value = draw.choice((draw.randrange(100), draw.random() * 100, -3, None, 1e12))
        properties = "{}" if value is None else f'{{"v": {value}}}'
        name = draw.choice("AAB")
        row = (bytes([draw.randrange(owners)]), name, NOW - age, f"m{number}", properties, "{}")
        rows.append(row)
    names = ("owner", "name", "time", "message_id", "properties", "context")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_added_at_once_is_what_is_added_one_by_one(seed: int) -> None:
    draw, plan = Random(seed), everything()
    counting = Counting(DuckEngine(optimizer=False), plan.metrics, "Asia/Shanghai")
    expected: dict[bytes, Buckets] = {bytes([one]): {} for one in range(6)}
    # So many cannot be kept in words, and what nobody counts any more goes.
    crowd: Buckets = {plan.metrics[0].id: {19_999: 1 << 29}, "gone": {3: 4}, "abcdefghij": {2: 1}}
    before = {one: crowd if one == bytes([2]) else {} for one in expected}
    identifiers = Identifiers(plan, NOW, "Asia/Shanghai", before)
    merge_into(expected[bytes([2])], {plan.metrics[0].id: crowd[plan.metrics[0].id]})
    for size in (1, 7, 60, 3):
        rows = rows_of(counting.tables(happened(draw, 8, size)))
        touched = identifiers.add(rows, 5)
        for owner, more in read_rows(rows).items():
            if owner in identifiers.nodes:
                merge_into(expected[owner], more)
                assert identifiers.nodes[owner].counted == 5
        for owner, counts in zip(touched.owners, touched.counts, strict=True):
            assert dict(counts) == decode_buckets(identifiers.nodes[owner].buckets)
        for owner, buckets in expected.items():
            found = decode_buckets(identifiers.nodes[owner].buckets)
            prune(found, identifiers.oldest)
            prune(buckets, identifiers.oldest)
            assert found == buckets


def test_what_becomes_too_large_for_words_is_added_all_the_same() -> None:
    plan = compile_plan(
        [
            Wanted("segment", "many", "count_of('A', last => interval 3 day) > 1"),
            Wanted("segment", "much", "sum_of('A', properties.v) > 1"),
        ]
    )
    count, number = (
        next(one.id for one in plan.metrics if one.kind == kind) for kind in ("count", "number")
    )
    day = NOW // DAY
    most, large = (1 << 29) - 1, (1 << 57) - 5
    before: dict[bytes, Buckets] = {
        b"a": {count: {day: most - 1}},
        b"b": {count: {day: 7}, number: {0: Numbers(1, large, 3.0, 3.0)}},
        b"c": {},
    }
    identifiers = Identifiers(plan, NOW, "UTC", before)
    nobody = [None] * 4
    rows: list[tuple[Any, ...]] = [
        (b"a", count, day, 2, None, None, None, None, *nobody),
        (b"b", count, day, 1, None, None, None, None, *nobody),
        (b"b", number, 0, 1, 0, 9, -1.0, -1.0, *nobody),
        (b"c", count, day, 1 << 30, None, None, None, None, *nobody),
        (b"c", number, 0, 1, 0, 1, 1.0, 2.0, *nobody),
    ]
    identifiers.add(rows)
    found = {name: decode_buckets(node.buckets) for name, node in identifiers.nodes.items()}
    assert found == {
        b"a": {count: {day: most + 1}},
        b"b": {count: {day: 8}, number: {0: Numbers(2, large + 9, -1.0, 3.0)}},
        b"c": {count: {day: 1 << 30}, number: {0: Numbers(1, 1, 1.0, 2.0)}},
    }


@pytest.mark.parametrize("seed", range(4))
def test_what_batches_change_is_what_everybody_evaluated_says(seed: int) -> None:
    draw, plan, engine = Random(seed), everything(), DuckEngine(optimizer=False)
    query = Counting(engine, plan.metrics, "UTC")
    evaluation = Evaluation(engine, plan, "UTC")
    profiles = [Profile(n, [], [], {"country": draw.choice(("CN", "DE"))}, {}) for n in range(4)]
    identifiers = Identifiers(plan, NOW, "UTC", {bytes([one]): {} for one in range(8)})
    values = taken(evaluation, [Task(one, None, []) for one in profiles])
    for size in (1, 30, 5, 60, 2):
        touched = identifiers.add(rows_of(query.tables(happened(draw, 8, size))))
        known = dict(zip(touched.owners, touched.counts, strict=True))
        added: dict[int, list[int]] = {}
        for row, owner in enumerate(touched.owners):
            added.setdefault(owner[0] // 2, []).append(row)
        both = [
            [held(known, identifiers.nodes[bytes([2 * n + one])]) for one in (0, 1)]
            for n in range(4)
        ]
        tasks = [Task(profiles[n], Changes((), more), both[n]) for n, more in added.items()]
        if draw.random() < 0.5:
            told = next((n for n in range(4) if n not in added), None)
            if told is not None:
                profiles[told].traits["country"] = draw.choice(("CN", "DE"))
                tasks.append(Task(profiles[told], Changes(("country",)), both[told]))
        values |= taken(evaluation, tasks, touched)
        due = [one.due for one in profiles]
        assert values == taken(evaluation, [Task(profiles[n], None, both[n]) for n in range(4)])
        for profile, before in zip(profiles, due, strict=True):
            # Too early is a look in vain; too late would be wrong.
            assert not profile.due or 0 < before <= profile.due


def held(known: dict[bytes, Counts], node: Node) -> Counts:
    return known.get(node.id) or Counts(node.buckets)


def taken(
    evaluation: Evaluation, tasks: list[Task], touched: Touched | None = None
) -> dict[tuple[int, str], Any]:
    """What is found of each profile; memberships become what they are found to be."""
    answers: dict[tuple[int, str], Any] = {}
    for found in evaluation.run(tasks, NOW, touched):
        if isinstance(found, Found):
            for one, column in zip(found.outputs, found.columns, strict=True):
                for task, value in zip(found.tasks, column.to_pylist(), strict=True):
                    answers[task.profile.id, one.name] = value
        else:
            answers |= looked(found)
    for task in tasks:
        for rule in RULES:
            inside = answers.get((task.profile.id, rule))
            if inside is not None:
                task.profile.members = {
                    one: NOW for one in {*task.profile.members, rule} if inside or one != rule
                }
    assert not evaluation.failing
    return answers


numbers = st.integers(-(1 << 40), 1 << 40) | st.integers(-(10**18) + 1, 10**18 - 1)
buckets = st.integers(-50, 30_000) | st.integers(-(1 << 36), 1 << 36)
kinds = (
    st.integers(1, 1 << 31),
    st.builds(Numbers, st.integers(1, 1 << 31), numbers, st.floats(-9, 9), st.floats(-9, 9)),
    st.builds(Numbers, st.just(2), numbers, st.just(1.5), st.just(7.0), st.integers(0, 1)),
    st.builds(Values, st.lists(st.integers(0, 99), max_size=3)),
)
metrics = st.text("abz237", min_size=10, max_size=10) | st.sampled_from(["", "orders", "A" * 10])
some = st.one_of(*(st.dictionaries(buckets, one, min_size=1, max_size=4) for one in kinds))


@settings(deadline=None)
@given(st.dictionaries(metrics, some, max_size=6))
def test_whatever_is_kept_comes_back(kept: Buckets) -> None:
    assert decode_buckets(encode_buckets(kept)) == kept
