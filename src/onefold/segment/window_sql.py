"""Columns of windows as aggregates over raw events: what `window_reading` takes from buckets, as SQL.

For everybody at once, such as in a preview or a backtest, no buckets are needed: each column is one
aggregate over the events of a profile. It gives what the buckets of these events would give.

The aggregates read a relation that has `profile`, `name`, `time` (BIGINT, µs UTC), `message_id` and
one column for each field of the metrics, as `fields_sql` makes them from `properties` and `context`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from onefold.segment.buckets import LARGEST_NUMBER, field_sql, read_sql
from onefold.segment.metric import Aggregate, Column, Field, Metric
from onefold.segment.texts import literal_sql
from onefold.segment.zone import Zone


def fields_sql(metrics: Iterable[Metric], read: Callable[[Field], str] = field_sql) -> list[str]:
    """Write the fields that metrics use as `… AS name`; `read` says how a field is read."""
    fields = dict.fromkeys(field for metric in metrics for field in metric.fields)
    return [f"{read(field)} AS {field.name}" for field in fields]


def column_sql(column: Column, metric: Metric, now: int, zone: Zone) -> str:
    """Write a column as an aggregate over the events of a profile, as of a moment (µs UTC).

    A profile without events has no row: what it has instead is `absent_sql`.
    """
    parts = (condition_sql(column, metric, now, zone), metric.value or "")
    return _AGGREGATES[column.aggregate](column, *parts)


def bounds(column: Column, now: int, zone: Zone) -> tuple[int | None, int | None]:
    """Say from when on and before when (µs UTC) events can count for a column; None: no bound."""
    return column.window.bounds(now, zone)


def absent_sql(column: Column) -> str:
    """Write what a column is over no events."""
    return "0" if column.aggregate == "count" else "NULL"


def condition_sql(column: Column, metric: Metric, now: int, zone: Zone) -> str:
    """Write which events a column is about: by name, by the time of the window, by `where =>`."""
    since, until = bounds(column, now, zone)
    parts = [f"name = {literal_sql(metric.event)}"]
    if since is not None:
        parts.append(f"time >= {since}")
    if until is not None:
        parts.append(f"time < {until}")
    if metric.where is not None:
        parts.append(metric.where)
    return " AND ".join(parts)


def _count(column: Column, where: str, value: str) -> str:
    return f"count(*) FILTER (WHERE {where})"


def _extreme(column: Column, where: str, value: str) -> str:
    return f"{column.aggregate}({value}) FILTER (WHERE {where} AND {_is_number(value)})"


def _sum(column: Column, where: str, value: str) -> str:
    """A sum of millionths, in the two parts that a bucket has."""
    filter_ = f"FILTER (WHERE {where} AND {_is_number(value)})"
    total = f"sum(CAST(round({value} * 1000000e0, 0) AS HUGEINT)) {filter_}"
    carry = f"CAST(({total}) // {10**18} AS DOUBLE)"
    sum_ = f"(CAST(({total}) % {10**18} AS DOUBLE) / 1000000e0 + {carry} * 1e12)"
    return sum_ if column.aggregate == "sum" else f"({sum_} / count(*) {filter_})"


def _edge(column: Column, where: str, value: str) -> str:
    best = "min" if column.aggregate == "first" else "max"
    edge = f"{{'t': time, 'i': message_id, 'v': {value}}}"
    found = f"({best}({edge}) FILTER (WHERE {where} AND {value} IS NOT NULL)).v"
    return read_sql(found, column.type)


def _is_number(value: str) -> str:
    return f"abs({value}) < {LARGEST_NUMBER}"


_AGGREGATES: dict[Aggregate, Callable[[Column, str, str], str]] = {
    "count": _count,
    "sum": _sum,
    "avg": _sum,
    "min": _extreme,
    "max": _extreme,
    "first": _edge,
    "last": _edge,
}
