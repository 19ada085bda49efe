"""Buckets: what a metric adds up to for an identifier on a day, an hour, a minute, or ever.

Merging buckets commutes and is exact: sums are whole numbers of millionths, and of several first
or last events the one that wins is chosen by `(time, message id, value)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from .expression import literal_sql
from .metric import Aggregate, Metric
from .window import HOUR, MINUTE
from .zone import load_zone

SCALE = 1_000_000
_CARRY = 10**18
_LIMIT = "1e18"
_MINUTES_BEFORE, _HOURS_BEFORE = 1_152_000_000, 19_200_000


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
        total = (bucket.carry * _CARRY + bucket.micros) / SCALE
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
    context VARCHAR)` with the time in µs UTC and the last two as JSON. The rows are `(owner, metric,
    bucket, n, carry, micros, min, max, first, last)`, to be read by `read_rows`. `since` and
    `until` may bound the times that occur in `events`; the query is shorter then.
    """
    metrics = list(metrics)
    if not metrics:
        return _NOTHING
    day = "0"
    if any(metric.granularity == "day" for metric in metrics):
        day = load_zone(timezone).day_sql(since, until)
    names = ", ".join(sorted({literal_sql(metric.event) for metric in metrics}))
    parts = "\nUNION ALL ".join(map(_metric_sql, metrics))
    return (
        "WITH e AS MATERIALIZED (SELECT owner, name, time, message_id, properties, context, "
        f"{day} AS day FROM events WHERE name IN ({names}))\n{parts}"
    )


_COLUMNS = "owner, {id} AS metric, CAST({bucket} AS BIGINT) AS bucket, "
_NUMBER_BUCKETS = {
    "ever": "0",
    "day": "day",
    "hour": f"(time + {HOUR * _HOURS_BEFORE}) // {HOUR} - {_HOURS_BEFORE}",
    "minute": f"(time + {MINUTE * _MINUTES_BEFORE}) // {MINUTE} - {_MINUTES_BEFORE}",
}
_NO_NUMBERS = (
    "CAST(NULL AS BIGINT) AS carry, CAST(NULL AS BIGINT) AS micros, "
    "CAST(NULL AS DOUBLE) AS min, CAST(NULL AS DOUBLE) AS max, "
)
_EDGE_TYPE = "STRUCT(t BIGINT, i VARCHAR, v VARCHAR)"
_NO_EDGES = f"CAST(NULL AS {_EDGE_TYPE}) AS first, CAST(NULL AS {_EDGE_TYPE}) AS last"
_NOTHING = (
    "SELECT owner, '' AS metric, CAST(0 AS BIGINT) AS bucket, CAST(0 AS BIGINT) AS n, "
    f"{_NO_NUMBERS}{_NO_EDGES} FROM events WHERE FALSE"
)
_TOTAL = f"sum(CAST(round(v * {SCALE}e0, 0) AS HUGEINT))"


def _metric_sql(metric: Metric) -> str:
    bucket = _NUMBER_BUCKETS[metric.granularity]
    columns = _COLUMNS.format(id=literal_sql(metric.id), bucket=bucket)
    condition = f"name = {literal_sql(metric.event)}"
    if metric.where:
        condition += f" AND {metric.where}"
    if metric.kind == "count":
        return (
            f"SELECT {columns}count(*) AS n, {_NO_NUMBERS}{_NO_EDGES} "
            f"FROM e WHERE {condition} GROUP BY ALL"
        )
    inner = f"(SELECT *, {metric.value} AS v FROM e WHERE {condition})"
    if metric.kind == "number":
        return (
            f"SELECT {columns}count(*) AS n, CAST({_TOTAL} // {_CARRY} AS BIGINT) AS carry, "
            f"CAST({_TOTAL} % {_CARRY} AS BIGINT) AS micros, min(v) AS min, max(v) AS max, "
            f"{_NO_EDGES} FROM {inner} WHERE abs(v) < {_LIMIT} GROUP BY ALL"
        )
    edge = "{'t': time, 'i': message_id, 'v': v}"
    return (
        f"SELECT {columns}count(*) AS n, {_NO_NUMBERS}min({edge}) AS first, max({edge}) AS last "
        f"FROM {inner} WHERE v IS NOT NULL GROUP BY ALL"
    )


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
