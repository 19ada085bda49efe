"""Columns of windows over raw events: what `window_reading` takes from buckets, as SQL.

For everybody at once, such as in a preview or a backtest, no buckets are needed: most columns are
aggregates, all in one pass over the events; some need a query of their own. Either gives what the
buckets of these events would give.

Both read a relation that has `profile`, `name`, `time` (BIGINT, µs UTC), `message_id` and one column
for each field of the metrics, as `fields_sql` makes them from `properties` and `context`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from onefold.segment.aggregates import (
    AGGREGATES_SQL,
    COUNTS,
    different_query,
    frequent_query,
    sessions_query,
    total_sql,
)
from onefold.segment.bucket_query import bucket_sql, named_sql
from onefold.segment.fields import field_sql
from onefold.segment.kinds import SESSION_GAP
from onefold.segment.metric import Column, Field, Metric
from onefold.segment.sequences import moments_query, sequence_query
from onefold.segment.this_session import VISITED, session_sql
from onefold.segment.window import Window, bucket_in
from onefold.segment.zone import Zone

_APART = ("unique", "frequent", "sequence", "sessions", "session_minutes")


def fields_sql(
    metrics: Iterable[Metric],
    read: Callable[[Field], str] = field_sql,
    millionths: Callable[[Field], str] | None = None,
) -> list[str]:
    """Write the fields that metrics use as `… AS name`; `read` says how a field is read.

    `millionths` says it of what of a number is added up, where that is at hand.
    """
    fields = dict.fromkeys(field for metric in metrics for field in metric.fields)
    found = [f"{read(field)} AS {field.name}" for field in fields]
    if millionths:
        numbers = [field for field in fields if field.type == "number"]
        found += [f"{millionths(field)} AS {_in_millionths(field.name)}" for field in numbers]
    return found


def _in_millionths(name: str) -> str:
    return f"{name}_m"


def is_apart(column: Column, metrics: Mapping[str, Metric]) -> bool:
    """Say whether a column needs a query of its own: `column_query` instead of `column_sql`."""
    return column.aggregate in _APART or bool(column.session) or metrics[column.metric].many


def column_sql(
    column: Column,
    metric: Metric,
    now: int,
    zone: Zone,
    *,
    same: bool = False,
    millionths: bool = False,
) -> str:
    """Write a column as an aggregate over the events of a profile, as of a moment (µs UTC).

    A profile without events has no row: what it has instead is `absent_sql`. `same`: the relation
    holds the events of this column's name and window only. `millionths`: it has those of numbers.
    """
    where = (metric.where or "TRUE") if same else condition_sql(column, metric, now, zone)
    if column.aggregate == "days":
        since, until = column.window.bounds(now, zone)
        last = f"max({zone.day_sql(since, until)}) FILTER (WHERE {where})"
        return f"CAST({bucket_in('day', now, zone)} - {last} AS DOUBLE)"
    numbers = [field.name for field in metric.fields if field.type == "number"]
    if millionths and column.aggregate in ("sum", "avg") and metric.value in numbers:
        return total_sql(column, where, _in_millionths(metric.value))
    return AGGREGATES_SQL[column.aggregate](column, where, metric.value or "")


def column_query(
    column: Column, metrics: Mapping[str, Metric], now: int, zone: Zone, source: str
) -> str:
    """Write the query for a column that needs one, as `(profile, value)`, over a relation's name."""
    metric = metrics[column.metric]
    where = condition_sql(column, metric, now, zone)
    value = metric.value or ""
    if column.sequence is not None:
        return _sequence_query(column, metrics, now, zone, source)
    source = counted_source(column, metrics, now, zone, source)
    if metric.many:
        source = f"(SELECT *, unnest({value}) AS one FROM {source} WHERE {where})"
        where, value = "TRUE", "one"
    if column.aggregate == "unique":
        return different_query(where, value, source)
    if column.aggregate == "frequent":
        return frequent_query(column, where, value, source)
    if column.aggregate in ("sessions", "session_minutes"):
        return sessions_query(column, where, SESSION_GAP, source)
    aggregate = AGGREGATES_SQL[column.aggregate](column, where, value)
    return f"SELECT profile, {aggregate} AS value FROM {source} GROUP BY profile"


def counted_source(
    column: Column, metrics: Mapping[str, Metric], now: int, zone: Zone, source: str
) -> str:
    """Write the relation that a column counts events of: where it is about a session, only its."""
    if not column.session:
        return source
    return session_sql(condition_sql(column, metrics[column.session], now, zone), now, source)


def absent_sql(column: Column) -> str:
    """Write what a column is over no events."""
    if column.sequence is not None:
        return "FALSE"
    return "0" if column.aggregate in COUNTS else "NULL"


def reach(
    column: Column, metrics: Mapping[str, Metric], now: int, zone: Zone
) -> list[tuple[str, int | None, int | None]]:
    """Say which events a column looks at, each from when on and before when (µs UTC)."""
    return [
        (metrics[one].event, *_window_of(column, one).bounds(now, zone)) for one in column.metrics
    ]


def windows_of(column: Column) -> list[Window]:
    """The windows of a column's metrics."""
    return [_window_of(column, metric) for metric in column.metrics]


def condition_sql(column: Column, metric: Metric, now: int, zone: Zone) -> str:
    """Write which events a column takes from a metric: by name, by time, by `where =>`."""
    return _condition(metric, _window_of(column, metric.id), now, zone)


def _condition(metric: Metric, window: Window, now: int, zone: Zone) -> str:
    since, until = window.bounds(now, zone)
    parts = [named_sql([metric.event])]
    if since is not None:
        parts.append(f"time >= {since}")
    if until is not None:
        parts.append(f"time < {until}")
    if metric.where is not None:
        parts.append(metric.where)
    return " AND ".join(parts)


def _window_of(column: Column, metric: str) -> Window:
    """What must not follow may also come after the window of the steps has closed.

    What tells when a session began may lie before all that can be counted in it.
    """
    if column.session and metric == column.session:
        return VISITED
    sequence = column.sequence
    if sequence is not None and metric == sequence.unless:
        return column.window.open_ended()
    return column.window


def _sequence_query(
    column: Column, metrics: Mapping[str, Metric], now: int, zone: Zone, source: str
) -> str:
    sequence = column.sequence
    assert sequence is not None
    steps, unless = _sequence_conditions(column, metrics, now, zone)
    bucket = bucket_sql(column.window.unit, zone)
    return sequence_query(steps, sequence.within, unless, now, bucket, source)


def sequence_moments_query(
    column: Column, metrics: Mapping[str, Metric], now: int, zone: Zone, source: str
) -> str:
    """Write the moments that a sequence is found in, as `moments_query` does."""
    steps, unless = _sequence_conditions(column, metrics, now, zone)
    return moments_query(steps, unless, bucket_sql(column.window.unit, zone), source)


def _sequence_conditions(
    column: Column, metrics: Mapping[str, Metric], now: int, zone: Zone
) -> tuple[list[str], str]:
    """Which events are each step, and which must not follow."""
    sequence = column.sequence
    assert sequence is not None

    def conditions(ids: Sequence[str], window: Window) -> list[str]:
        return [_condition(metrics[one], window, now, zone) for one in ids]

    unless = [sequence.unless] if sequence.unless else []
    return (
        conditions(sequence.steps, column.window),
        "".join(conditions(unless, column.window.open_ended())),
    )
