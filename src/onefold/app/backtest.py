"""Backtest: a rule as of any moment of the past, and who would have come and gone in a period.

Everything is as events say that it was, whenever they arrived: events by their time, traits by the
claims that had been made by then, windows as they lay then, in today's zone and by today's
identity. The period is gone through step by step: what comes and goes between the ends of two
steps is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onefold.app.audiences import (
    Backtest,
    BacktestChange,
    BacktestPoint,
    BacktestQuestion,
    Step,
)
from onefold.app.everybody import Everybody, everybody
from onefold.app.formerly import Past
from onefold.app.long_work import Tell, tell_nobody
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.model.profile import profile_name
from onefold.segment.population import members_query
from onefold.segment.window import HOUR
from onefold.segment.zone import Zone, load_zone

MOST_STEPS = 400


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
    asking = everybody(
        settings, {"": question.rule}, moments[-1], before, days=None, seconds=seconds
    )
    with asking as (people, asked):
        opened(people)
        past = Past(people, asked, moments[0], moments[-1])
        people.rows("create temp table inside (profile bigint)")
        people.rows("create temp table turns (moment bigint, profile bigint, entered boolean)")
        for number, moment in enumerate(moments):
            tell(number, len(moments), "evaluating")
            query = members_query(asked, moment, people.timezone, past.relations(moment))
            points.append(_step(people, query, moment, first=number == 0))
        rows = people.rows(
            "select moment, profile, entered from turns"  # noqa: S608 - a number
            f" order by moment, profile limit {question.show + 1}"
        )
    return Backtest(
        question.rule,
        question.step,
        tuple(points),
        tuple(BacktestChange(at, profile_name(one), entered) for at, one, entered in rows)[
            : question.show
        ],
        len(rows) > question.show,
    )


def _step(people: Everybody, query: str, moment: int, *, first: bool) -> BacktestPoint:
    """Evaluate one moment, and write down who came and went since the one before."""
    members = int(people.rows(f"create or replace temp table now_inside as {query}")[0][0])
    entered = left = 0
    if not first:
        for name, inside, outside in (
            ("true", "now_inside", "inside"),
            ("false", "inside", "now_inside"),
        ):
            people.rows(
                f"insert into turns select {moment}, profile, {name} from {inside}"  # noqa: S608 - our own names
                f" where profile not in (select profile from {outside})"
            )
        counts = dict(
            people.rows("select entered, count(*) from turns where moment = ? group by 1", [moment])
        )
        entered, left = counts.get(True, 0), counts.get(False, 0)
    people.rows("drop table inside")
    people.rows("alter table now_inside rename to inside")
    return BacktestPoint(moment, members, entered, left)


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
