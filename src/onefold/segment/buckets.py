"""Buckets: what a metric adds up to for an identifier on a day, an hour, a minute, a second, or ever.

Merging buckets commutes and is exact: sums are whole numbers of millionths, and of several first
or last events the one that wins is chosen by `(time, message id, value)`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from onefold.segment.metric import Aggregate, Field, Metric, MetricKind, Type
from onefold.segment.texts import literal_sql
from onefold.segment.window import HOUR, MINUTE, SECOND, Unit, bucket_in
from onefold.segment.zone import Zone, load_zone

SCALE = 1_000_000
_CARRY = 10**18
LARGEST_NUMBER = "1e18"
_HOURS_BEFORE = 19_200_000
_MINUTES_BEFORE, _SECONDS_BEFORE = _HOURS_BEFORE * 60, _HOURS_BEFORE * 3600


class Numbers(msgspec.Struct, array_like=True, tag=1, gc=False):
    """How many numbers, their sum in millionths, the least and the largest.

    The sum is `carry * 10**18 + micros`, so that each part fits 64 bits.
    """

    n: int
    micros: int
    min: float
    max: float
    carry: int = 0


class Edges(msgspec.Struct, array_like=True, tag=2, gc=False):
    """The first and the last value, each with its time and message id."""

    first_time: int
    first_id: str
    first: str
    last_time: int
    last_id: str
    last: str


Bucket: TypeAlias = int | Numbers | Edges
"""What a bucket holds: the number of events, `Numbers`, or `Edges`, by the metric's kind."""

Buckets: TypeAlias = dict[str, dict[int, Bucket]]
"""The buckets of one identifier: by metric id, then by bucket number."""

Value: TypeAlias = float | str | None


def merge(a: Bucket, b: Bucket) -> Bucket:
    """Add up two buckets of the same metric."""
    if isinstance(a, int):
        assert isinstance(b, int)
        return a + b
    if isinstance(a, Numbers):
        assert isinstance(b, Numbers)
        carry, micros = _carried(a.carry + b.carry, a.micros + b.micros)
        least, largest = min(a.min, b.min), max(a.max, b.max)
        return Numbers(a.n + b.n, micros, least, largest, carry)
    assert isinstance(b, Edges)
    first = min((a.first_time, a.first_id, a.first), (b.first_time, b.first_id, b.first))
    last = max((a.last_time, a.last_id, a.last), (b.last_time, b.last_id, b.last))
    return Edges(*first, *last)


def merge_into(buckets: Buckets, more: Mapping[str, Mapping[int, Bucket]]) -> None:
    """Add buckets to those of an identifier, in place."""
    for metric, found in more.items():
        known = buckets.get(metric)
        if known is None:
            buckets[metric] = dict(found)
            continue
        for number, bucket in found.items():
            before = known.get(number)
            known[number] = bucket if before is None else merge(before, bucket)


def oldest_kept(metrics: Iterable[Metric], now: int, timezone: str) -> dict[str, int | None]:
    """Say for each metric which bucket is the oldest that can still matter; None where all can."""
    zone = load_zone(timezone)
    return {metric.id: _oldest(metric, now, zone) for metric in metrics}


def _oldest(metric: Metric, now: int, zone: Zone) -> int | None:
    if not metric.retention:
        return None
    oldest = bucket_in(metric.granularity, now, zone) - metric.retention + 1
    return oldest if metric.since is None else min(oldest, metric.since)


def prune(buckets: Buckets, oldest: Mapping[str, int | None]) -> None:
    """Drop the buckets that can matter no more, and the metrics that no rule uses, in place."""
    for metric in list(buckets):
        found = buckets[metric]
        least = oldest.get(metric)
        if metric not in oldest or (least is not None and max(found, default=least) < least):
            del buckets[metric]
        elif least is not None and min(found) < least:
            buckets[metric] = {number: found[number] for number in found if number >= least}


def read_rows(rows: Iterable[Sequence[Any]]) -> dict[bytes, Buckets]:
    """Read the rows of `bucket_query` as the buckets of each owner."""
    found: dict[bytes, Buckets] = {}
    for owner, metric, number, n, carry, micros, least, largest, first, last in rows:
        if micros is not None:
            bucket: Bucket = Numbers(n, micros, least, largest, carry)
        elif first is not None:
            bucket = Edges(*_edge(first), *_edge(last))
        else:
            bucket = n
        metrics = found.setdefault(owner, {})
        metrics.setdefault(metric, {})[number] = bucket
    return found


def window_value(buckets: Mapping[int, Bucket], aggregate: Aggregate, lo: int, hi: int) -> Value:
    """Aggregate the buckets from `lo` to `hi`, both included; of nothing, a count is 0."""
    total: Bucket | None = None
    for number, bucket in buckets.items():
        if lo <= number <= hi:
            total = bucket if total is None else merge(total, bucket)
    return bucket_value(total, aggregate)


def bucket_value(bucket: Bucket | None, aggregate: Aggregate) -> Value:
    """Read one aggregate of a bucket."""
    if bucket is None:
        return 0 if aggregate == "count" else None
    if isinstance(bucket, Numbers):
        if aggregate == "min":
            return bucket.min
        if aggregate == "max":
            return bucket.max
        # Written as the queries over raw events do it, so that the last digit is the same.
        total = bucket.micros / 1e6 + bucket.carry * 1e12
        return total / bucket.n if aggregate == "avg" else total
    if isinstance(bucket, Edges):
        return bucket.first if aggregate == "first" else bucket.last
    return bucket


def bucket_query(
    metrics: Iterable[Metric],
    timezone: str,
    since: int | None = None,
    until: int | None = None,
) -> str:
    """Write one query that makes the buckets of all metrics from the relation `events`.

    `events(owner BLOB, name VARCHAR, time BIGINT, message_id VARCHAR, properties VARCHAR,
    context VARCHAR)` with the time in µs UTC and the last two as JSON objects. The rows are `(owner,
    metric, bucket, n, carry, micros, min, max, first, last)`, to be read by `read_rows`. `since`
    and `until` may bound the times that occur in `events`; the query is shorter then.
    """
    metrics = list(metrics)
    if not metrics:
        return _NOTHING
    day = load_zone(timezone).day_sql(since, until)
    return (
        f"WITH e AS ({_events_sql(metrics)}), {_METRICS} AS (VALUES {_metric_rows(metrics)}), "
        f"matched AS ({_matched_sql(metrics, day)}) "
        f"SELECT owner, metric, bucket, {_aggregates_sql(metrics)} FROM matched "
        f"WHERE {_kept_sql(metrics)} GROUP BY owner, metric, bucket"
    )


# One join by name pairs each event with the metrics that may want it; CASEs over the metric's number
# then choose its condition and its value. One scan and one aggregation however many metrics.
_METRICS = "m(i, metric, event, unit)"
_UNITS: dict[Unit, int] = {"ever": 0, "day": 1, "hour": 2, "minute": 3, "second": 4}
_NO_NUMBERS = (
    "CAST(NULL AS BIGINT) AS carry, CAST(NULL AS BIGINT) AS micros, "
    "CAST(NULL AS DOUBLE) AS min, CAST(NULL AS DOUBLE) AS max"
)
_TOTAL = f"sum(CAST(round(v * {SCALE}e0, 0) AS HUGEINT))"
_NUMBERS = (
    f"CAST({_TOTAL} // {_CARRY} AS BIGINT) AS carry, "
    f"CAST({_TOTAL} % {_CARRY} AS BIGINT) AS micros, min(v) AS min, max(v) AS max"
)
_EDGE_TYPE = "STRUCT(t BIGINT, i VARCHAR, v VARCHAR)"
_NO_EDGES = f"CAST(NULL AS {_EDGE_TYPE}) AS first, CAST(NULL AS {_EDGE_TYPE}) AS last"
_EDGE = "({'t': time, 'i': message_id, 'v': t}) FILTER (WHERE t IS NOT NULL)"
_EDGES = f"min{_EDGE} AS first, max{_EDGE} AS last"
_NOTHING = (
    "SELECT owner, '' AS metric, CAST(0 AS BIGINT) AS bucket, CAST(0 AS BIGINT) AS n, "
    f"{_NO_NUMBERS}, {_NO_EDGES} FROM events WHERE FALSE"
)


def _events_sql(metrics: list[Metric]) -> str:
    """The events that some metric counts, with every field read once, and only where it is used."""
    events: dict[Field, set[str]] = {}
    for metric in metrics:
        for field in metric.fields:
            events.setdefault(field, set()).add(metric.event)
    fields = "".join(
        f", CASE WHEN {_named(names)} THEN {field_sql(field)} END AS {field.name}"
        for field, names in events.items()
    )
    wanted = _named({metric.event for metric in metrics})
    return f"SELECT owner, name, time, message_id{fields} FROM events WHERE {wanted}"


def _named(names: set[str]) -> str:
    return f"name IN ({', '.join(map(literal_sql, sorted(names)))})"


def field_sql(field: Field) -> str:
    """Read a value inside an event's JSON as a type; what cannot be read as it is absent."""
    path = _path(field.keys)
    kind = {"list": "ARRAY", "numbers": "ARRAY", "object": "OBJECT"}.get(field.type)
    if kind is None:
        return read_sql(f"json_extract_string({field.root}, {literal_sql(path)})", field.type)
    found = f"json_extract_string({field.root}, {literal_sql(path)})"
    if kind == "ARRAY":
        inside = f"json_extract({field.root}, {literal_sql(path)})"
        found = f"json_extract_string({inside}, '$[*]')"
        if field.type == "numbers":
            found = f"list_transform({found}, lambda v: {read_sql('v', 'number')})"
        found = f"list_filter({found}, lambda v: v IS NOT NULL)"
    return f"CASE json_type({field.root}, {literal_sql(path)}) WHEN '{kind}' THEN {found} END"


def _path(keys: tuple[str, ...]) -> str:
    """A way into JSON; names that would mean something in a path are written as a pointer."""
    if all(key and not set(key) & set('"\\*') for key in keys):
        return "$" + "".join(f'."{key}"' for key in keys)
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)


def read_sql(text: str, wanted: Type) -> str:
    """Read a text as a type; what cannot be read as it is absent."""
    if wanted == "number":
        number = f"try_cast({text} AS DOUBLE)"
        return f"CASE WHEN abs({number}) <= {sys.float_info.max!r} THEN {number} END"
    if wanted == "boolean":
        return f"CASE lower({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
    return text


def _metric_rows(metrics: list[Metric]) -> str:
    return ", ".join(
        f"({index}, {literal_sql(metric.id)}, {literal_sql(metric.event)}, "
        f"{_UNITS[metric.granularity]})"
        for index, metric in enumerate(metrics)
    )


def _matched_sql(metrics: list[Metric], day: str) -> str:
    """Each event with each metric that counts it."""
    buckets = {
        "day": day,
        "hour": f"(time + {HOUR * _HOURS_BEFORE}) // {HOUR} - {_HOURS_BEFORE}",
        "second": f"(time + {SECOND * _SECONDS_BEFORE}) // {SECOND} - {_SECONDS_BEFORE}",
        "minute": f"(time + {MINUTE * _MINUTES_BEFORE}) // {MINUTE} - {_MINUTES_BEFORE}",
    }
    used = {metric.granularity for metric in metrics}
    cases = {_UNITS[unit]: sql for unit, sql in buckets.items() if unit in used}
    conditions = {i: metric.where for i, metric in enumerate(metrics) if metric.where}
    return (
        f"SELECT owner, i, metric, time, message_id, {_case('unit', cases, '0')} AS bucket, "
        f"{_case('i', _values(metrics, 'number'))} AS v, "
        f"{_case('i', _values(metrics, 'edge'))} AS t "
        f"FROM e JOIN m ON name = event WHERE {_case('i', conditions, 'TRUE')}"
    )


def _values(metrics: list[Metric], kind: MetricKind) -> dict[int, str | None]:
    return {index: metric.value for index, metric in enumerate(metrics) if metric.kind == kind}


def _case(over: str, cases: Mapping[int, str | None], otherwise: str = "NULL") -> str:
    if not cases:
        return otherwise
    branches = " ".join(f"WHEN {number} THEN {sql}" for number, sql in cases.items())
    return f"CASE {over} {branches} ELSE {otherwise} END"


def _aggregates_sql(metrics: list[Metric]) -> str:
    kinds = {metric.kind for metric in metrics}
    numbers = _NUMBERS if "number" in kinds else _NO_NUMBERS
    edges = _EDGES if "edge" in kinds else _NO_EDGES
    return f"count(*) AS n, {numbers}, {edges}"


def _kept_sql(metrics: list[Metric]) -> str:
    """Only events that have the value which a metric is about."""
    numbers = dict.fromkeys(_values(metrics, "number"), f"abs(v) < {LARGEST_NUMBER}")
    edges = dict.fromkeys(_values(metrics, "edge"), "t IS NOT NULL")
    return _case("i", numbers | edges, "TRUE")


def _edge(edge: Mapping[str, Any]) -> tuple[int, str, str]:
    return edge["t"], edge["i"], edge["v"]


def _carried(carry: int, micros: int) -> tuple[int, int]:
    """Bring a sum into its one form: both parts of the same sign, micros below the carry."""
    if carry == 0 and -_CARRY < micros < _CARRY:
        return 0, micros
    total = carry * _CARRY + micros
    sign = -1 if total < 0 else 1
    high, low = divmod(abs(total), _CARRY)
    return sign * high, sign * low
