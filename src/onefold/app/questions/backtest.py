"""Backtest: a rule as of any moment of the past, and who would have come and gone in a period.

Everything is as events say that it was, whenever they arrived: events by their time, traits by the
claims that had been made by then, windows as they lay then, in today's zone and by today's
identity. The period is gone through step by step: who comes and goes between the ends of two
steps is not seen. When those came or went who are shown is looked for within the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from onefold.app.progress import Tell, tell_nobody
from onefold.app.questions.audiences import (
    Backtest,
    BacktestChange,
    BacktestNote,
    BacktestPoint,
    BacktestQuestion,
    Step,
)
from onefold.app.questions.everybody import Everybody, everybody
from onefold.app.questions.formerly import Past
from onefold.app.questions.moments import Moments
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.model.definitions import Definitions
from onefold.model.errors import Fault, InvalidInput
from onefold.model.given import tag_trait
from onefold.model.profile import ProfileId, profile_name
from onefold.pipeline.golden_rules import golden_inputs, golden_rules
from onefold.segment.asked import Asked
from onefold.segment.population import members_query
from onefold.segment.window import HOUR
from onefold.segment.zone import Zone, load_zone

MOST_STEPS = 400
_LAST_CLAIM = "of {} the backtest takes the last claim, not the one that its rule picks"
_NO_PAST = (
    "has no past: {} compares everybody, and is kept as of its last refresh only;"
    " in a backtest nobody has a value of it"
)


def backtest(
    settings: Settings,
    question: BacktestQuestion,
    before: Callable[[], None] = lambda: None,
    *,
    tell: Tell = tell_nobody,
    seconds: float | None = None,
    opened: Callable[[Everybody], None] = lambda _: None,
) -> Backtest:
    """Evaluate a rule at the end of each step of a period."""
    moments = moments_of(question, load_zone(settings.timezone), now_us())
    points: list[BacktestPoint] = []
    changes: list[BacktestChange] = []
    truncated = False
    asking = everybody(
        settings, {"": question.rule}, moments[-1], before, days=None, seconds=seconds
    )
    with asking as (people, asked):
        opened(people)
        past = Past(people, asked, moments[0], moments[-1])
        between = Moments(people, asked, past)
        for number, moment in enumerate(moments):
            tell(number, len(moments), "evaluating")
            query = members_query(asked, moment, people.timezone, past.relations(moment))
            members = people.keep(_inside(number), query)
            if number:
                turned = _turned(people, number, question.show + 1 - len(changes))
                if shown := dict(turned.shown[: question.show - len(changes)]):
                    changes += _dated(between.of(moments[number - 1], moment, shown), shown)
                truncated = truncated or len(turned.shown) > len(shown)
                points.append(BacktestPoint(moment, members, turned.entered, turned.left))
            else:
                points.append(BacktestPoint(moment, members, 0, 0))
    return Backtest(
        question.rule,
        question.step,
        tuple(points),
        tuple(changes),
        truncated,
        notes_of(asked, people.definitions),
    )


def notes_of(asked: Asked, definitions: Definitions) -> tuple[BacktestNote, ...]:
    """The clauses of a rule that read what is kept as of its last refresh only."""
    outputs = {one.key: one for one in asked.plan.outputs}
    refreshed = {tag_trait(one.name): one.name for one in definitions.tags if one.of_everybody}

    def behind(column: str) -> set[str]:
        """The tags that need everybody, among what an output is made of."""
        found: set[str] = set()
        waiting = [one for one in outputs.values() if one.column == column]
        while waiting:
            output = waiting.pop()
            found.update(refreshed.get(one.path[0], "") for one in output.columns if one.path)
            waiting += [outputs[key] for key in output.uses]
        return found - {""}

    columns = {column: behind(column) for column in (one.column for one in outputs.values())}
    return _decided_otherwise(asked, definitions) + tuple(
        BacktestNote(test.text, _NO_PAST.format(", ".join(sorted(tags))))
        for test in asked.clauses[asked.name].tests
        if (tags := set().union(*(columns[one] for one in columns if one in test.rule.expression)))
    )


def _decided_otherwise(asked: Asked, definitions: Definitions) -> tuple[BacktestNote, ...]:
    """The clauses that read traits of which today another claim than the last one wins."""
    rules = golden_rules(golden_inputs(definitions, {}), "UTC")
    found = []
    for test in asked.clauses[asked.name].tests:
        names = sorted({path[0] for path in test.rule.traits})
        others = [one for one in names if (unit := rules.unit(one)) and unit.way.by != "latest"]
        if others:
            found.append(BacktestNote(test.text, _LAST_CLAIM.format(", ".join(others))))
    return tuple(found)


def _inside(number: int) -> str:
    """The table of those who are in at a step, beside that of the step before."""
    return f"inside_{number % 2}"


class _Turned(NamedTuple):
    """Who came and went in a step: how many, and some of them, in the order of their ids."""

    entered: int
    left: int
    shown: list[tuple[ProfileId, bool]]


def _dated(
    moments: Mapping[ProfileId, int], turned: Mapping[ProfileId, bool]
) -> list[BacktestChange]:
    """The changes of a step, as they came."""
    found = sorted((moments[one], one, entered) for one, entered in turned.items())
    return [BacktestChange(at, profile_name(one), entered) for at, one, entered in found]


def _turned(people: Everybody, number: int, show: int) -> _Turned:
    now, then = _inside(number), _inside(number - 1)
    rows = people.rows(
        "select profile, entered, sum(case when entered then 1 else 0 end) over () as came,"  # noqa: S608 - our own names
        f" count(*) over () as turned from (select coalesce({now}.profile, {then}.profile) as profile,"
        f" {then}.profile is null as entered from {now} full join {then}"
        f" on {now}.profile = {then}.profile where {now}.profile is null or {then}.profile is null)"
        f" order by profile limit {max(show, 1)}"
    )
    came, turned = map(int, rows[0][2:]) if rows else (0, 0)
    shown = [(row[0], row[1]) for row in rows[: max(show, 0)]]
    return _Turned(came, turned - came, shown)


def moments_of(question: BacktestQuestion, zone: Zone, now: int) -> list[int]:
    """When the rule is evaluated: before the period, then at the end of each of its steps.

    An end that has not come yet is now. Where the period is a moment, only then.
    """
    since, until = question.since, min(question.until, now)
    if since > until:
        fault = Fault("must not be later than its end, nor than now", "since")
        raise InvalidInput("there is no such period", [fault])
    if since == until:
        return [since]
    moments = [since - 1]
    for end in _ends(question.step, zone, since):
        if len(moments) > MOST_STEPS:
            hint = "choose a shorter period, or longer steps"
            fault = Fault(f"has more than {MOST_STEPS} {question.step}s", "until", hint)
            raise InvalidInput("the period is too long", [fault])
        moments.append(min(end, until))
        if end >= until:
            break
    return moments


def _ends(step: Step, zone: Zone, since: int) -> Iterator[int]:
    """The last moment of each step from a moment on."""
    number = zone.day(since) if step == "day" else since // HOUR
    while True:
        number += 1
        yield (zone.day_start(number) if step == "day" else number * HOUR) - 1
