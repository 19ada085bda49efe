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
from onefold.segment.metric import SQL_TYPES, Column, Field, Metric
from onefold.segment.plan import Plan
from onefold.segment.rule import Rule
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

    `read` writes how a value is read: from JSON, or from a typed column where there is one. `since`
    writes that an event is not older than a moment, so that files need not be read to see it.
    `key` is the column of profiles that events name as theirs, and `millionths` writes where a
    number of events is found in those, if it is.
    """

    events: str = "events_now"
    profiles: str = "profiles_now"
    read: Callable[[Field], str] = field_sql
    since: Callable[[int], str] | None = None
    key: str = "profile"
    millionths: Callable[[Field], str] | None = None


NOW = Relations()
_FEW = 0.08
"""Up to this share of all profiles, looking who they are first costs less than it saves."""


class Ahead(msgspec.Struct, frozen=True):
    """What is known of a rule before it is asked of everybody; `ahead_query` finds it out.

    `share` of all profiles satisfies what traits alone decide (None: they decide nothing). `without`
    says of each further clause that all members satisfy whether one satisfies it without events.
    """

    share: float | None = None
    without: tuple[bool, ...] = ()


UNKNOWN = Ahead()


class Lead(msgspec.Struct, frozen=True):
    """Columns of one event that are added up first, and conditions that need some of it."""

    columns: Sequence[Column]
    conditions: Sequence[str]


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
    ahead: Ahead = UNKNOWN,
) -> str:
    """Write the query for the profiles that satisfy a rule at a moment; its rows are `(profile)`.

    Clauses that all members must satisfy are asked as early as they can be: how early, `ahead` tells.
    """
    first, then = _needed(asked)
    plan = asked.plan
    features = features_query(
        plan.columns,
        plan.metrics,
        now,
        timezone,
        relations,
        [rule.expression for rule in first],
        [rule.expression for rule in then],
        _lead(then, ahead, plan),
        narrow=ahead.share is not None and ahead.share < _FEW,
    )
    if asked.only_needed:
        return f"SELECT profile FROM ({features})"
    return (
        f"WITH profiles AS ({features}) "
        f"SELECT profile FROM ({plan.sql}) WHERE {asked.columns[asked.name]}"
    )


def ahead_query(
    asked: Asked, now: int, timezone: str, relations: Relations = NOW, rows: int = 2_000
) -> str:
    """Write the query that looks ahead before all are asked: its one row makes an `Ahead`.

    It looks at `rows` profiles. Empty where there are no events to be added up.
    """
    first, then = _needed(asked)
    columns = asked.plan.columns
    windows = [column for column in columns if column.kind == "window"]
    if not windows:
        return ""
    share = "NULL"
    if first:
        some = f"(SELECT * FROM {relations.profiles} LIMIT {rows})"
        people = traits_query(columns, now, load_zone(timezone), some, relations.read)
        holds = " AND ".join(rule.expression for rule in first)
        share = f"(SELECT avg(CASE WHEN {holds} THEN 1e0 ELSE 0e0 END) FROM ({people}))"
    absent = ", ".join(
        f"CAST({absent_sql(column)} AS {SQL_TYPES[column.type]}) AS {column.name}"
        for column in windows
    )
    answers = ", ".join(
        f"coalesce({rule.expression}, FALSE)" if _of_events(rule) else "TRUE" for rule in then
    )
    return f"SELECT {share} AS share{answers and ', '}{answers} FROM (SELECT {absent}) AS nobody"


def _needed(asked: Asked) -> tuple[list[Rule], list[Rule]]:
    """The clauses that all members satisfy: those that traits alone decide, and the others."""
    first: list[Rule] = []
    then: list[Rule] = []
    for rule in asked.needed:
        traits_only = all(column.kind != "window" for column in rule.columns)
        (first if traits_only else then).append(rule)
    return first, then


def _of_events(rule: Rule) -> bool:
    return all(column.kind == "window" for column in rule.columns)


def _lead(then: Sequence[Rule], ahead: Ahead, plan: Plan) -> Lead | None:
    """What is added up first: of one event, if nobody satisfies the rule without it."""
    by_id = {metric.id: metric for metric in plan.metrics}

    def events(columns: Iterable[Column]) -> set[str]:
        return {by_id[metric].event for column in columns for metric in column.metrics}

    asking = [
        rule
        for rule, without in zip(then, ahead.without, strict=False)
        if not without and len(events(rule.columns)) == 1
    ]
    if not asking:
        return None
    event = events(asking[0].columns)
    return Lead(
        [one for one in plan.columns if one.kind == "window" and events([one]) == event],
        [rule.expression for rule in asking if events(rule.columns) == event],
    )


def features_query(
    columns: Sequence[Column],
    metrics: Iterable[Metric],
    now: int,
    timezone: str,
    relations: Relations = NOW,
    first: Sequence[str] = (),
    then: Sequence[str] = (),
    lead: Lead | None = None,
    *,
    narrow: bool = False,
) -> str:
    """Write the query that reads the columns of all profiles at a moment (µs UTC).

    Its rows are `(profile, …)` with the columns in their order. `first` are conditions over trait
    columns, `then` over any; profiles that don't satisfy all of them are left out. With
    `narrow` events are added up only of the profiles that satisfy the first, with `lead`, but
    for its own, only of those that satisfy it.
    """
    zone = load_zone(timezone)
    key = relations.key
    people = traits_query(columns, now, zone, relations.profiles, relations.read, key)
    if first:
        people = f"SELECT * FROM ({people}) WHERE {' AND '.join(first)}"
    windows = [column for column in columns if column.kind == "window"]
    if not windows:
        return people
    only = f"SELECT {key} FROM people" if first and narrow else ""
    scan = (metrics, now, timezone, relations)
    totals = _led_query(lead, windows, *scan, only) if lead else totals_query(windows, *scan, only)
    names = "".join(f", {_joined(column)} AS {column.name}" for column in columns)
    features = (
        f"SELECT people.profile{names} "
        f"FROM people {'' if lead else 'LEFT '}JOIN ({totals}) AS totals"
        f" ON people.{key} = totals.profile"
    )
    if open_ := [one for one in then if not lead or one not in lead.conditions]:
        features = f"SELECT * FROM ({features}) WHERE {' AND '.join(open_)}"
    return f"WITH people AS {'MATERIALIZED ' if only else ''}({people}) {features}"


def _led_query(
    lead: Lead,
    windows: Sequence[Column],
    metrics: Iterable[Metric],
    now: int,
    timezone: str,
    relations: Relations,
    only: str,
) -> str:
    """Write the query that adds up the events of one name first, then those of whom that leaves."""
    scan = (metrics, now, timezone, relations)
    values = "".join(
        f", coalesce({one.name}, {absent_sql(one)}) AS {one.name}" for one in lead.columns
    )
    led = (
        f"SELECT * FROM (SELECT profile{values} FROM ({totals_query(lead.columns, *scan, only)})) "
        f"WHERE {' AND '.join(f'({one})' for one in lead.conditions)}"
    )
    others = [column for column in windows if column not in lead.columns]
    if not others:
        return led
    names = "".join(f", others.{column.name}" for column in others)
    return (
        f"WITH led AS MATERIALIZED ({led}) SELECT led.*{names} FROM led "
        f"LEFT JOIN ({totals_query(others, *scan, 'SELECT profile FROM led')}) AS others ON led.profile = others.profile"
    )


def totals_query(
    windows: Sequence[Column],
    metrics: Iterable[Metric],
    now: int,
    timezone: str,
    relations: Relations = NOW,
    only: str = "",
) -> str:
    """Write the query that adds up the events of windows: `(profile, …)`, where there are any.

    `only` is a query for profiles; those that are not among them are left out.
    """
    zone = load_zone(timezone)
    by_id = {metric.id: metric for metric in metrics}
    wanted = f" WHERE profile IN ({only})" if only else ""
    apart = [column for column in windows if is_apart(column, by_id)]
    together = [column for column in windows if column not in apart]
    # Where all count the same events, those that are read are those that count.
    same = len({each for column in windows for each in reach(column, by_id, now, zone)}) == 1
    how = {"same": same, "millionths": relations.millionths is not None}
    sums = "".join(
        f", {column_sql(column, by_id[column.metric], now, zone, **how)} AS {text_name(column)}"
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
    fields = fields_sql(by_id.values(), relations.read, relations.millionths)
    columns = ", ".join(["profile", "name", "time", "message_id", *more, *fields])
    reached = [each for column in windows for each in reach(column, by_id, now, zone)]
    where = _reach_sql(reached)
    begins = [begin for _, begin, _ in reached if begin is not None]
    if relations.since and len(begins) == len(reached):
        where += f" AND {relations.since(min(begins))}"
    return f"SELECT {columns} FROM {relations.events} WHERE {where}"


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
