"""What each aggregate is, twice and side by side: read from a bucket, and as SQL over raw events.

`…_value` reads it from the bucket that all of a window add up to. `…_sql` writes it as an aggregate
over the events of a profile: `where` says which of them count, `value` is what they are about. Both
give the same, to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable

from onefold.segment.fields import LARGEST_NUMBER, read_sql
from onefold.segment.kinds import (
    CARRY,
    ESTIMATE_DIGITS,
    HASH_DIGITS,
    MOST_TALLIED,
    MOST_VALUES,
    Bucket,
    Edges,
    Numbers,
    Tally,
    Values,
    Visits,
)
from onefold.segment.metric import Aggregate, Column

Value = float | str | None
Read = Callable[[Bucket], Value]
Write = Callable[[Column, str, str], str]


def bucket_value(bucket: Bucket | None, aggregate: Aggregate) -> Value:
    """Read an aggregate from what the buckets of a window add up to, which may be nothing."""
    if bucket is None:
        return absent_value(aggregate)
    if type(bucket) is int:
        return bucket
    return _VALUES[aggregate](bucket)


def absent_value(aggregate: Aggregate) -> Value:
    """What an aggregate is over no events."""
    return 0 if aggregate in COUNTS else None


COUNTS: tuple[Aggregate, ...] = ("count", "unique", "sessions", "session_minutes")
"""These are 0 over no events; the others are absent."""


# How often.


def _count_sql(column: Column, where: str, value: str) -> str:
    return "count(*)" if where == "TRUE" else f"count(*) FILTER (WHERE {where})"


# Sums: in whole millionths, in the two parts of a bucket, and put together in the same steps.


def sum_value(bucket: Bucket) -> float:
    """Read the sum from a bucket of numbers."""
    assert isinstance(bucket, Numbers)
    return bucket.micros / 1e6 + bucket.carry * 1e12


def _sum_sql(column: Column, where: str, value: str) -> str:
    return _put_together(f"sum({_millionths(value)}) {_numbers(where, value)}")


def _millionths(value: str, type_: str = "HUGEINT") -> str:
    return f"CAST(round({value} * 1000000e0, 0) AS {type_})"


def _put_together(total: str) -> str:
    carry = f"CAST(({total}) // {CARRY} AS DOUBLE)"
    whole = f"CAST(({total}) % {CARRY} AS DOUBLE) / 1000000e0 + {carry} * 1e12"
    # Nearly all sums need but one part, and to divide such wide numbers takes long.
    short = f"CAST(CAST({total} AS BIGINT) AS DOUBLE) / 1000000e0"
    return f"CASE WHEN {total} BETWEEN {1 - CARRY} AND {CARRY - 1} THEN {short} ELSE {whole} END"


def _average_value(bucket: Bucket) -> float:
    assert isinstance(bucket, Numbers)
    return sum_value(bucket) / bucket.n


def _average_sql(column: Column, where: str, value: str) -> str:
    return f"({_sum_sql(column, where, value)} / count(*) {_numbers(where, value)})"


def millionths_sql(value: str, type_: str = "HUGEINT") -> str:
    """Write what of a number is added up: whole millionths, or nothing."""
    return f"CASE WHEN abs({value}) < {LARGEST_NUMBER} THEN {_millionths(value, type_)} END"


def total_sql(column: Column, where: str, millionths: str) -> str:
    """Write a sum, or an average, of what `millionths_sql` gave."""
    only = "" if where == "TRUE" else f" FILTER (WHERE {where})"
    total = _put_together(f"sum({millionths}){only}")
    return total if column.aggregate == "sum" else f"({total} / count({millionths}){only})"


def _least_value(bucket: Bucket) -> float:
    assert isinstance(bucket, Numbers)
    return bucket.min


def _largest_value(bucket: Bucket) -> float:
    assert isinstance(bucket, Numbers)
    return bucket.max


def _extreme_sql(column: Column, where: str, value: str) -> str:
    return f"{column.aggregate}({value}) {_numbers(where, value)}"


def _numbers(where: str, value: str) -> str:
    number = f"abs({value}) < {LARGEST_NUMBER}"
    return f"FILTER (WHERE {number if where == 'TRUE' else f'{where} AND {number}'})"


# The first and the last value.


def _first_value(bucket: Bucket) -> str:
    assert isinstance(bucket, Edges)
    return bucket.first


def _last_value(bucket: Bucket) -> str:
    assert isinstance(bucket, Edges)
    return bucket.last


def _edge_sql(column: Column, where: str, value: str) -> str:
    best = "min" if column.aggregate == "first" else "max"
    edge = f"{{'t': time, 'i': message_id, 'v': {value}}}"
    found = f"({best}({edge}) FILTER (WHERE {where} AND {value} IS NOT NULL)).v"
    return read_sql(found, column.type)


# How many different values: as many hashes as there are up to the bound; beyond it, how dense the
# smallest ones lie tells how many there must be. Its SQL is a query of its own.


def _different_value(bucket: Bucket) -> float:
    assert isinstance(bucket, Values)
    if len(bucket.hashes) <= MOST_VALUES:
        return float(len(bucket.hashes))
    place = bucket.hashes[MOST_VALUES] >> 4 * (HASH_DIGITS - ESTIMATE_DIGITS)
    return float(MOST_VALUES * 16**ESTIMATE_DIGITS // (place + 1))


def different_query(where: str, value: str, source: str) -> str:
    """Write how many different values each profile has, as `(profile, value)`."""
    hash_ = f"substr(md5({value}), 1, {HASH_DIGITS})"
    hashes = (
        f"SELECT profile, list_sort(list(DISTINCT {hash_})) AS hashes FROM {source} "
        f"WHERE {where} AND {value} IS NOT NULL GROUP BY profile"
    )
    place = " + ".join(
        f"CAST(strpos('123456789abcdef', substr(hashes[{MOST_VALUES + 1}], {1 + digit}, 1)) "
        f"AS BIGINT) * {16 ** (ESTIMATE_DIGITS - 1 - digit)}"
        for digit in range(ESTIMATE_DIGITS)
    )
    estimate = f"{MOST_VALUES * 16**ESTIMATE_DIGITS} // ({place} + 1)"
    count = "array_length(hashes)"
    found = f"CASE WHEN {count} <= {MOST_VALUES} THEN {count} ELSE {estimate} END"
    return f"SELECT profile, CAST({found} AS DOUBLE) AS value FROM ({hashes})"


# The most frequent value: the first in the alphabet of several. Its SQL is a query of its own too.


def _frequent_value(bucket: Bucket) -> str:
    assert isinstance(bucket, Tally)
    return min(bucket.counts, key=lambda value: (-bucket.counts[value], value))


def frequent_query(column: Column, where: str, value: str, source: str) -> str:
    """Write the most frequent value of each profile, as `(profile, value)`."""
    counted = (
        f"SELECT profile, {value} AS v, count(*) AS n FROM {source} "
        f"WHERE {where} AND {value} IS NOT NULL GROUP BY profile, {value}"
    )
    placed = (
        "SELECT profile, v, n, row_number() OVER (PARTITION BY profile ORDER BY md5(v), v) AS place "
        f"FROM ({counted})"
    )
    best = read_sql("(min({'n': -n, 'v': v})).v", column.type)
    return (
        f"SELECT profile, {best} AS value FROM ({placed}) WHERE place <= {MOST_TALLIED} "
        "GROUP BY profile"
    )


# Sessions.


def _sessions_value(bucket: Bucket) -> float:
    assert isinstance(bucket, Visits)
    return float(len(bucket.ends) // 2)


def _minutes_value(bucket: Bucket) -> float:
    assert isinstance(bucket, Visits)
    return (sum(bucket.ends[1::2]) - sum(bucket.ends[::2])) / 60e6


def sessions_query(column: Column, where: str, gap: int, source: str) -> str:
    """Write the sessions of each profile, or their minutes, as `(profile, value)`."""
    gaps = (
        "SELECT profile, time - lag(time) OVER (PARTITION BY profile ORDER BY time) AS gap "
        f"FROM {source} WHERE {where}"
    )
    value = f"count(*) - count(*) FILTER (WHERE gap < {gap})"
    if column.aggregate == "session_minutes":
        value = f"coalesce(sum(gap) FILTER (WHERE gap < {gap}), 0) / 60e6"
    return f"SELECT profile, CAST({value} AS DOUBLE) AS value FROM ({gaps}) GROUP BY profile"


_VALUES: dict[Aggregate, Read] = {
    "sum": sum_value,
    "avg": _average_value,
    "min": _least_value,
    "max": _largest_value,
    "first": _first_value,
    "last": _last_value,
    "unique": _different_value,
    "frequent": _frequent_value,
    "sessions": _sessions_value,
    "session_minutes": _minutes_value,
}
AGGREGATES_SQL: dict[Aggregate, Write] = {
    "count": _count_sql,
    "sum": _sum_sql,
    "avg": _average_sql,
    "min": _extreme_sql,
    "max": _extreme_sql,
    "first": _edge_sql,
    "last": _edge_sql,
}
