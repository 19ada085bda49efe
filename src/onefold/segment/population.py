"""A rule asked of everybody, without any precomputation: one query over events and profiles.

It reads `events_now(profile BIGINT, name VARCHAR, time BIGINT, message_id VARCHAR, properties,
context)`, with the time in µs UTC and JSON in the last two, and `profiles_now(profile BIGINT,
traits)`. It looks at each event once, at those only that some window counts, and gives what live
evaluation gives of buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from onefold.segment.asked import Asked
from onefold.segment.bucket_query import named_sql
from onefold.segment.fields import field_sql
from onefold.segment.metric import Column, Field, Metric
from onefold.segment.trait_sql import moments_query, text_name, traits_query
from onefold.segment.window_sql import (
    absent_sql,
    column_query,
    column_sql,
    fields_sql,
    is_apart,
    reach,
    windows_of,
)
from onefold.segment.zone import Zone, load_zone


class Evaluation(Protocol):
    """What is to be evaluated: a query over `profiles(profile, columns…)`, and what they are."""

    @property
    def columns(self) -> tuple[Column, ...]: ...
    @property
    def metrics(self) -> tuple[Metric, ...]: ...
    @property
    def sql(self) -> str: ...


class Relations(msgspec.Struct, frozen=True):
    """Where everybody's events and profiles are read from.

    `read` writes how a value is read: from JSON, or from a typed column where there is one.
    """

    events: str = "events_now"
    profiles: str = "profiles_now"
    read: Callable[[Field], str] = field_sql


NOW = Relations()


def population_query(
    evaluation: Evaluation, now: int, timezone: str, relations: Relations = NOW
) -> str:
    """Write the query that evaluates everybody at a moment (µs UTC); its rows are those of `sql`."""
    features = features_query(evaluation.columns, evaluation.metrics, now, timezone, relations)
    return f"WITH profiles AS ({features}) SELECT * FROM ({evaluation.sql})"


def members_query(
    asked: Asked,
    now: int,
    timezone: str,
    relations: Relations = NOW,
    *,
    narrow: bool = False,
) -> str:
    """Write the query for the profiles that satisfy a rule at a moment; its rows are `(profile)`.

    Clauses that all members must satisfy are asked as early as they can be. With `narrow` events
    are added up only of the profiles that satisfy those that traits alone decide: that pays where
    few do, and costs where many do; `share_query` tells.
    """
    first, then = _needed(asked)
    plan = asked.plan
    features = features_query(
        plan.columns, plan.metrics, now, timezone, relations, first, then, narrow=narrow
    )
    return (
        f"WITH profiles AS ({features}) "
        f"SELECT profile FROM ({plan.sql}) WHERE {asked.columns[asked.name]}"
    )


def share_query(
    asked: Asked, now: int, timezone: str, relations: Relations = NOW, rows: int = 50_000
) -> str:
    """Write the query for the share of profiles that traits alone leave in; looks at `rows`.

    Empty where traits decide nothing, or everything.
    """
    first, _ = _needed(asked)
    columns = asked.plan.columns
    if not first or not any(column.kind == "window" for column in columns):
        return ""
    some = f"(SELECT * FROM {relations.profiles} LIMIT {rows})"
    people = traits_query(columns, now, load_zone(timezone), some, relations.read)
    return f"SELECT avg(CASE WHEN {' AND '.join(first)} THEN 1e0 ELSE 0e0 END) FROM ({people})"


def _needed(asked: Asked) -> tuple[list[str], list[str]]:
    """The conditions that all members satisfy: those that traits alone decide, and the others."""
    first: list[str] = []
    then: list[str] = []
    for rule in asked.needed:
        traits_only = all(column.kind != "window" for column in rule.columns)
        (first if traits_only else then).append(rule.expression)
    return first, then


def features_query(
    columns: Sequence[Column],
    metrics: Iterable[Metric],
    now: int,
    timezone: str,
    relations: Relations = NOW,
    first: Sequence[str] = (),
    then: Sequence[str] = (),
    *,
    narrow: bool = False,
) -> str:
    """Write the query that reads the columns of all profiles at a moment (µs UTC).

    Its rows are `(profile, …)` with the columns in their order. `first` are conditions over trait
    columns, `then` over any; profiles that don't satisfy all of them are left out. With
    `narrow` events are added up only of the profiles that satisfy the first.
    """
    zone = load_zone(timezone)
    people = traits_query(columns, now, zone, relations.profiles, relations.read)
    if first:
        people = f"SELECT * FROM ({people}) WHERE {' AND '.join(first)}"
    windows = [column for column in columns if column.kind == "window"]
    if not windows:
        return people
    only = "people" if first and narrow else ""
    totals = totals_query(windows, metrics, now, timezone, relations, only)
    names = "".join(f", {_joined(column)} AS {column.name}" for column in columns)
    features = (
        f"SELECT people.profile{names} "
        f"FROM people LEFT JOIN ({totals}) AS totals ON people.profile = totals.profile"
    )
    if then:
        features = f"SELECT * FROM ({features}) WHERE {' AND '.join(then)}"
    return f"WITH people AS {'MATERIALIZED ' if only else ''}({people}) {features}"


def totals_query(
    windows: Sequence[Column],
    metrics: Iterable[Metric],
    now: int,
    timezone: str,
    relations: Relations = NOW,
    only: str = "",
) -> str:
    """Write the query that adds up the events of windows: `(profile, …)`, where there are any.

    `only` names a relation; profiles that are not in it are left out.
    """
    zone = load_zone(timezone)
    by_id = {metric.id: metric for metric in metrics}
    wanted = f" WHERE profile IN (SELECT profile FROM {only})" if only else ""
    apart = [column for column in windows if is_apart(column, by_id)]
    together = [column for column in windows if column not in apart]
    sums = "".join(
        f", {column_sql(column, by_id[column.metric], now, zone)} AS {text_name(column)}"
        for column in together
    )
    scan = events_query(windows, by_id.values(), now, zone, relations)
    if not apart:
        totals = f"SELECT profile{sums} FROM ({scan}){wanted} GROUP BY profile"
        return moments_query(totals, windows, zone)
    queries = {one.name: column_query(one, by_id, now, zone, "counted") for one in apart}
    names = "".join(f", {one.name}.value AS {text_name(one)}" for one in apart)
    joins = "".join(
        f" LEFT JOIN ({query}) AS {name} ON everybody.profile = {name}.profile"
        for name, query in queries.items()
    )
    aggregated = "".join(f", everybody.{text_name(one)}" for one in together)
    totals = (
        f"WITH counted AS MATERIALIZED (SELECT * FROM ({scan}){wanted}), "
        f"everybody AS (SELECT profile{sums} FROM counted GROUP BY profile) "
        f"SELECT everybody.profile{aggregated}{names} FROM everybody{joins}"
    )
    return moments_query(totals, windows, zone)


def events_query(
    windows: Sequence[Column],
    metrics: Iterable[Metric],
    now: int,
    zone: Zone,
    relations: Relations = NOW,
    more: Sequence[str] = (),
) -> str:
    """Write the query for the events that windows may count, with the fields of their metrics.

    `more` names further columns of the events.
    """
    used = {metric for column in windows for metric in column.metrics}
    by_id = {metric.id: metric for metric in metrics if metric.id in used}
    fields = fields_sql(by_id.values(), relations.read)
    columns = ", ".join(["profile", "name", "time", "message_id", *more, *fields])
    reached = [each for column in windows for each in reach(column, by_id, now, zone)]
    return f"SELECT {columns} FROM {relations.events} WHERE {_reach_sql(reached)}"


def earliest(windows: Sequence[Column], now: int, timezone: str) -> int | None:
    """Say from when on (µs UTC) events can count for any of these windows; None: from ever."""
    zone = load_zone(timezone)
    begins = [window.bounds(now, zone)[0] for column in windows for window in windows_of(column)]
    known = [begin for begin in begins if begin is not None]
    return min(known) if known and len(known) == len(begins) else None


def _joined(column: Column) -> str:
    if column.kind != "window":
        return f"people.{column.name}"
    return f"coalesce(totals.{column.name}, {absent_sql(column)})"


def _reach_sql(reached: Sequence[tuple[str, int | None, int | None]]) -> str:
    """Which events are looked at; the names and the times of all together choose what is read."""
    names = sorted({name for name, _, _ in reached})
    conditions = [named_sql(names), *_between(reached)]
    if len(names) > 1:
        each = [
            " AND ".join([named_sql([name]), *_between([one for one in reached if one[0] == name])])
            for name in names
        ]
        conditions.append(f"({' OR '.join(each)})")
    return " AND ".join(conditions)


def _between(reached: Sequence[tuple[str, int | None, int | None]]) -> list[str]:
    begins, ends = [one[1] for one in reached], [one[2] for one in reached]
    conditions = []
    if None not in begins:
        conditions.append(f"time >= {min(one for one in begins if one is not None)}")
    if None not in ends:
        conditions.append(f"time < {max(one for one in ends if one is not None)}")
    return conditions
