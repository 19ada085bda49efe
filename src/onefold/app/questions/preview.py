"""Preview: how many satisfy a rule that nobody saved, and who they are; nothing is precomputed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import msgspec

from onefold.app.questions.audiences import (
    DayCount,
    EventDays,
    Preview,
    PreviewQuestion,
    SampledProfile,
    TraitCounts,
    ValueCount,
)
from onefold.app.questions.everybody import DAY_US, Everybody, drawn, everybody
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.definitions import Definitions
from onefold.model.errors import Fault, InvalidInput
from onefold.model.given import visible
from onefold.model.profile import profile_name
from onefold.segment.asked import Asked
from onefold.segment.metric import Field, make_field
from onefold.segment.rule import compile_rule, parse_rule
from onefold.segment.trait_sql import trait_field
from onefold.segment.wanted import wanted_by

_VALUES, _DAYS = 20, 30


def preview(
    settings: Settings, question: PreviewQuestion, before: Callable[[], None] = lambda: None
) -> Preview:
    """Count the profiles that satisfy a rule now; show some of them, and how they are made up."""
    now = now_us()
    days = _DAYS if question.events else 0
    with everybody(settings, {"": question.rule}, now, before, days=days) as (people, asked):
        fields = [trait_named(name, people.definitions) for name in question.by]
        members = people.members_query(asked, now)
        count = people.keep("members", members)
        return Preview(
            question.rule,
            now,
            count,
            people.total(),
            _sample(people, question.sample),
            tuple(
                _trait_counts(people, name, field, count)
                for name, field in zip(question.by, fields, strict=True)
            ),
            tuple(_event_days(people, name, now) for name in question.events),
            _warnings(settings, asked),
        )


def _warnings(settings: Settings, asked: Asked) -> tuple[Fault, ...]:
    """Names in a rule that nobody defined or sent: probably slips of the pen."""
    with open_store(settings, cache_mb=4) as store:
        names = store.names_seen()
    scope = msgspec.structs.replace(
        asked.scope,
        seen=frozenset(name for kind, name in names if kind == "trait"),
        events=frozenset(name for kind, name in names if kind == "event"),
    )
    return compile_rule(asked.clauses[asked.name].text, scope).warnings


def trait_named(name: str, definitions: Definitions) -> Field:
    """A trait by its name in the rule language; of what is computed, the stored value."""
    root = stored_values(definitions).get(name)
    if root is not None:
        return make_field(root, (name,), "text")
    try:
        columns = parse_rule(f"{name} is not null").columns
    except InvalidInput:
        columns = ()
    if len(columns) != 1 or columns[0].kind != "trait":
        fault = Fault(f"{name!r} is no trait", "by", "write its name as in a rule, such as country")
        raise InvalidInput("the question cannot be answered", [fault])
    return trait_field(columns[0])


def stored_values(definitions: Definitions) -> dict[str, str]:
    """In which column of a profile's row the computed traits and tags stand, by name."""
    return {
        one.name: "tags" if one.kind == "tag" else "computed"
        for one in wanted_by(definitions)
        if one.kind != "segment" and not one.claimed
    }


def _sample(people: Everybody, size: int) -> tuple[SampledProfile, ...]:
    if not size:
        return ()
    found = people.rows(
        f"select profile, traits from {people.relations.profiles}"  # noqa: S608 - numbers
        f" where profile in ({drawn('members', size)}) order by profile"
    )
    return tuple(
        SampledProfile(profile_name(number), visible(msgspec.json.decode(traits)))
        for number, traits in found
    )


def _trait_counts(people: Everybody, name: str, field: Field, count: int) -> TraitCounts:
    rows = people.rows(
        f"select value, count(*) as n, sum(count(*)) over () as known from"  # noqa: S608
        f" (select {people.relations.read(field)} as value from {people.relations.profiles}"
        " where profile in (select profile from members))"
        f" where value is not null group by value order by n desc, value limit {_VALUES}"
    )
    known = int(rows[0][2]) if rows else 0
    values = tuple(ValueCount(value, number) for value, number, _ in rows)
    shown = sum(one.profiles for one in values)
    return TraitCounts(name, values, known - shown, count - known)


def _event_days(people: Everybody, name: str, now: int) -> EventDays:
    first = people.zone.day(now) - _DAYS + 1
    begin = people.zone.day_start(first)
    rows = people.rows(
        f"select {people.zone.day_sql(begin, now + DAY_US)} as day, count(*),"  # noqa: S608 - rendered numbers
        f" count(distinct profile) from {people.relations.events}"
        f" where name = ? and time >= {begin} and time <= {now}"
        " and profile in (select profile from members) group by day",
        [name],
    )
    found = {day: (events, profiles) for day, events, profiles in rows}
    days = tuple(
        DayCount(day_text(day), *found.get(day, (0, 0))) for day in range(first, first + _DAYS)
    )
    return EventDays(name, days)


def day_text(day: int) -> str:
    """A day, numbered from 1970-01-01, as people write it.

    >>> day_text(20_000)
    '2024-10-04'
    """
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
