"""Buckets: made by one query, merged in any order to the same."""

import functools
import itertools
import json

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.segment import bucket_query, merge, merge_into, parse_rule, prune, read_rows
from onefold.segment.aggregates import bucket_value
from onefold.segment.buckets import Buckets, oldest_kept
from onefold.segment.kinds import (
    Bucket,
    Edges,
    Numbers,
    make_moments,
    make_tally,
    make_values,
    make_visits,
)
from onefold.segment.metric import Metric, merge_metrics

DAY = 86_400_000_000
NOW = 20_000 * DAY + DAY // 2


def metric_of(text: str) -> Metric:
    (metric,) = parse_rule(text).metrics
    return metric


def made(text: str, *events: object, timezone: str = "UTC") -> dict[int, Bucket]:
    """The buckets of one metric of events of `A`: properties, or (age in µs, properties)."""
    metric = metric_of(text)
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE events (owner BLOB, name VARCHAR, time BIGINT, message_id VARCHAR, "
        "properties VARCHAR, context VARCHAR)"
    )
    for index, event in enumerate(events):
        age, properties = event if isinstance(event, tuple) else (0, event)
        row = [b"o", "A", NOW - age, f"m{index}", json.dumps(properties), None]
        connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
    found = read_rows(connection.execute(bucket_query([metric], timezone)).fetchall())
    return found.get(b"o", {}).get(metric.id, {})


def test_a_count_is_a_number_per_bucket() -> None:
    events = [(0, {}), (DAY, {}), (DAY, {}), (-DAY, {})]
    assert made("did('A', last => interval 9 day)", *events) == {20_000: 1, 19_999: 2, 20_001: 1}
    assert made("did('A')", *events) == {0: 4}
    hour = NOW // 3_600_000_000
    assert made("did('A', last => interval 9 hour)", *events)[hour - 24] == 2
    assert made("did('A', last => interval 9 minute)", (NOW + 1, {})) == {-1: 1}
    assert made("did('A', last => interval 9 day)", (NOW + 1, {})) == {-1: 1}


def test_only_numbers_are_summed() -> None:
    values = [1, "2.5", " 3 ", None, "x", True, [4], {"x": 5}, "nan", "1e999", 1e18, -1e15, 1e-7]
    found = made("sum_of('A', properties.x) > 1", {}, *({"x": value} for value in values))
    total = 6_500_000 - 10**21
    assert found == {0: Numbers(5, total + 999 * 10**18, min=-1e15, max=3.0, carry=-999)}


def test_first_and_last_take_the_value_of_any_type() -> None:
    found = made(
        "first_of('A', properties.x) = 'a'",
        (3, {"x": None}),
        (2, {"x": {"b": [1, True]}}),
        (1, {}),
        (1, {"x": 12}),
        (1, {"x": "y"}),
    )
    assert found == {0: Edges(NOW - 2, "m1", '{"b":[1,true]}', NOW - 1, "m4", "y")}


def test_events_without_the_value_leave_no_bucket() -> None:
    for function in ("first_of", "min_of"):
        rule = f"{function}('A', properties.x, last => interval 9 day) = 1"
        assert list(made(rule, (DAY, {"x": 1}), (0, {}), (0, {"x": None}))) == [19_999]


def test_what_is_no_number_compares_with_none() -> None:
    odd = [{"x": value} for value in ("nan", "inf", "1e999", "-inf", True, "x", [9], None)]
    for test in ("> 1", "< 1", "= 1", "<> 1", "not in (1)"):
        assert made(f"did('A', where => properties.x {test})", *odd) == {}


def test_a_kept_text_is_cut_at_a_thousand_characters() -> None:
    (edges,) = made("first_of('A', properties.x) = 'a'", {"x": "人" * 2_000}).values()
    assert isinstance(edges, Edges)
    assert edges.first == "人" * 1_000


def test_values_are_computed_before_they_are_summed() -> None:
    found = made(
        "sum_of('A', properties.price * coalesce(properties.quantity, 1)) > 1",
        {"price": "2.5", "quantity": 2},
        {"price": 0.1},
        {"quantity": 3},
        {"price": 1, "quantity": "x"},
    )
    assert found == {0: Numbers(3, 6_100_000, 0.1, 5.0)}


def test_division_by_zero_is_absent() -> None:
    assert made("sum_of('A', 1 / properties.x) = 1", {"x": 0}, {"x": 4}) == {
        0: Numbers(1, 250_000, 0.25, 0.25)
    }
    assert made("did('A', where => 1 % properties.x = 0 or 1 / properties.x > 0)", {"x": 0}) == {}


@pytest.mark.parametrize(
    "key", ["a.b", "a b", "$x", "#", "a[0]", "人", "@", "/", "?", "a:b", "x-y", "SELECT", "1", " "]
)
def test_any_plain_property_name_can_be_asked_for(key: str) -> None:
    assert made(f"did('A', where => properties.\"{key}\" = 'y')", {key: "y"}, {"a": "y"}) == {0: 1}


@pytest.mark.parametrize(
    "text", ["it's", "'; drop table events; --", "\\", "\\'", '"', "%", "\n", "❤"]
)
def test_texts_are_texts(text: str) -> None:
    quoted = text.replace("'", "''")
    rule = f"did('A', where => properties.x = '{quoted}')"
    assert made(rule, {"x": text}, {"x": "other"}) == {0: 1}
    assert made(f"did('{quoted}', where => properties.x = 'x')", {"x": "x"}) == {}


def test_nothing_comes_of_no_metrics() -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE events AS SELECT ''::BLOB AS owner, 'A' AS name, 0::BIGINT AS time, "
        "'' AS message_id, '{}' AS properties, '{}' AS context"
    )
    assert connection.execute(bucket_query([], "UTC")).fetchall() == []


def window_value(buckets: dict[int, Bucket], aggregate: str, lo: int, hi: int) -> object:
    inside = [bucket for number, bucket in buckets.items() if lo <= number <= hi]
    return bucket_value(functools.reduce(merge, inside) if inside else None, aggregate)


texts = st.sampled_from(["a", "b", "c"])
# More than a bucket holds of each, so that it is bounded on the way.
values = st.builds(
    lambda first, count: make_values(str(each) for each in range(first, first + count)),
    st.integers(0, 2_000),
    st.integers(1, 900),
)
tallies = st.builds(
    lambda first, count, n: make_tally((str(each), n) for each in range(first, first + count)),
    st.integers(0, 400),
    st.integers(1, 400),
    st.integers(1, 3),
)
moments = st.builds(
    lambda first, count, step: make_moments(range(first, first + count * step, step)),
    st.integers(0, 2_000),
    st.integers(1, 300),
    st.integers(1, 5),
)
visits = st.builds(make_visits, st.lists(st.integers(0, 10).map(lambda one: one * 10 * 60_000_000)))
edges = st.builds(
    lambda one, other: Edges(*min(one, other), *max(one, other)),
    st.tuples(st.integers(0, 2), texts, texts),
    st.tuples(st.integers(0, 2), texts, texts),
)
numbers = st.builds(
    lambda n, micros, low, more, carry: merge(
        Numbers(n, micros, low, low + more), Numbers(1, 0, low, low, carry)
    ),
    st.integers(1, 9),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.floats(-1e17, 1e17),
    st.floats(0, 1e6),
    st.integers(-2, 2),
)


@given(
    st.one_of(
        *(
            st.lists(kind, min_size=3, max_size=3)
            for kind in (numbers, edges, st.integers(1, 9), values, tallies, moments, visits)
        )
    )
)
def test_merging_commutes_and_associates(three: list[Bucket]) -> None:
    encode = msgspec.json.Encoder(order="deterministic").encode
    results = {encode(merge(merge(a, b), c)) for a, b, c in itertools.permutations(three)}
    assert results == {encode(merge(three[0], merge(three[1], three[2])))}


@given(st.lists(st.integers(-(10**24), 10**24), min_size=1, max_size=9))
def test_sums_are_exact_however_large(values: list[int]) -> None:
    total: Bucket | None = None
    for value in values:
        sign = -1 if value < 0 else 1
        one = Numbers(1, sign * (abs(value) % 10**18), 0.0, 0.0, sign * (abs(value) // 10**18))
        total = one if total is None else merge(total, one)
    assert isinstance(total, Numbers)
    assert total.carry * 10**18 + total.micros == sum(values)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(total), type=Numbers) == total


def test_many_tenths_make_whole_numbers() -> None:
    found = made("sum_of('A', properties.x) > 1", *({"x": 0.1} for _ in range(30)))
    assert window_value(found, "sum", 0, 0) == 3.0
    assert window_value(found, "avg", 0, 0) == 0.1


def test_window_values() -> None:
    buckets: dict[int, Bucket] = {4: 1, 5: 2, 6: 4, 7: 8}
    assert window_value(buckets, "count", 5, 6) == 6
    assert window_value(buckets, "count", 8, 9) == 0
    sums: dict[int, Bucket] = {1: Numbers(2, 3_000_000, 1.0, 2.0), 2: Numbers(1, 500_000, 0.5, 0.5)}
    assert [window_value(sums, one, 1, 2) for one in ("sum", "min", "max")] == [3.5, 0.5, 2.0]
    assert window_value(sums, "avg", 1, 1) == 1.5
    assert window_value(sums, "sum", 3, 4) is None
    ends: dict[int, Bucket] = {
        1: Edges(5, "a", "x", 6, "b", "y"),
        2: Edges(7, "c", "z", 7, "c", "z"),
    }
    assert [window_value(ends, one, 1, 2) for one in ("first", "last")] == ["x", "z"]


def test_buckets_are_stored_in_few_bytes() -> None:
    buckets: Buckets = {"abcdefghij": {20_000: 3}, "klmnopqrst": {0: Numbers(1, 5, 1.0, 1.0)}}
    encoded = msgspec.msgpack.encode(buckets)
    assert len(encoded) < 55
    assert msgspec.msgpack.decode(encoded, type=Buckets) == buckets
    assert msgspec.json.decode(msgspec.json.encode(buckets), type=Buckets) == buckets


def test_merging_into_takes_nothing_from_what_is_merged() -> None:
    known: Buckets = {"m": {1: 1}}
    more: Buckets = {"m": {1: 2, 2: 3}, "k": {0: 1}}
    merge_into(known, more)
    merge_into(known, {"k": {0: 1}})
    assert known == {"m": {1: 3, 2: 3}, "k": {0: 2}}
    assert more == {"m": {1: 2, 2: 3}, "k": {0: 1}}


def test_old_buckets_and_unused_metrics_are_pruned() -> None:
    week = metric_of("did('A', last => interval 7 day)")
    month = metric_of("did('A', last => interval 30 day)")
    ever = metric_of("did('A')")
    other = metric_of("did('B', last => interval 7 day)")
    kept = oldest_kept(merge_metrics([week, month, ever, other]), NOW, "UTC")
    assert {metric: one.oldest for metric, one in kept.items()} == {
        month.id: 19_971,
        ever.id: None,
        other.id: 19_994,
    }
    buckets: Buckets = {
        month.id: {19_970: 1, 19_971: 2, 20_005: 1},
        ever.id: {0: 9},
        other.id: {19_993: 1},
        "unused": {0: 1},
    }
    prune(buckets, kept)
    assert buckets == {month.id: {19_971: 2, 20_005: 1}, ever.id: {0: 9}}


def test_the_last_bucket_is_kept_however_old_when_days_are_counted_from_it() -> None:
    since = metric_of("days_since('A') > 30")
    kept = oldest_kept([since], NOW, "UTC")
    buckets: Buckets = {since.id: {15_000: 1, 15_001: 2, 20_005: 1}}
    prune(buckets, kept)
    assert buckets == {since.id: {15_001: 2, 20_005: 1}}
    week = metric_of("did('A', last => interval 7 day)")
    (both,) = merge_metrics([since, week])
    buckets = {both.id: {15_001: 2, 19_990: 1, 19_999: 3, 20_005: 1}}
    prune(buckets, oldest_kept([both], NOW, "UTC"))
    assert buckets == {both.id: {19_999: 3, 20_005: 1}}


def test_absolute_windows_keep_their_days() -> None:
    metric = metric_of("did('A', since => date '2020-01-01')")
    buckets: Buckets = {metric.id: {18_261: 1, 18_262: 1, 20_000: 1}}
    prune(buckets, oldest_kept([metric], NOW, "UTC"))
    assert buckets == {metric.id: {18_262: 1, 20_000: 1}}
