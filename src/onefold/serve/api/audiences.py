"""Questions about rules, saved or not: who would be in, and why."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from onefold.app.job_list import job_add
from onefold.app.questions.audiences import (
    SAVED,
    Backtest,
    BacktestQuestion,
    CompareQuestion,
    Comparison,
    Overlap,
    OverlapQuestion,
    Preview,
    PreviewQuestion,
    Rule,
    Step,
    Why,
    WhyQuestion,
)
from onefold.app.workspace import now_us
from onefold.model.errors import Fault, InvalidInput
from onefold.model.job import Job
from onefold.serve.api.doors import Actor, FromContext, decoded, parse_time, read, requires
from onefold.serve.context import Context

Question = PreviewQuestion | WhyQuestion | OverlapQuestion | CompareQuestion | BacktestQuestion


@post(
    "/preview",
    summary="Who would be in a segment",
    status_code=200,
    guards=[requires("analyst")],
    opt={"body": PreviewQuestion, "answers": {"application/json": Preview}},
)
async def preview(context: FromContext, body: RawBody) -> Response[bytes]:
    """How many profiles satisfy a rule now, some of them, and how they are made up.

    The rule need not be saved; `segment:NAME` asks a saved one. Nothing is precomputed.
    """
    return await _answer(context, "preview", read(body, PreviewQuestion))


@get(
    "/{name:str}/why/{profile:str}",
    summary="Why a profile is in a segment, or not",
    guards=[requires("reader")],
    opt={"answers": {"application/json": Why}},
)
async def why(context: FromContext, name: FromPath[str], profile: FromPath[str]) -> Response[bytes]:
    """Each clause of the segment's rule: true, false or absent, with the values and events."""
    rule = SAVED + decoded(name, "name")
    return await _answer(context, "why", WhyQuestion(rule, decoded(profile, "profile")))


@post(
    "/why",
    summary="Why a profile satisfies a rule, or not",
    status_code=200,
    guards=[requires("reader")],
    opt={"body": WhyQuestion, "answers": {"application/json": Why}},
)
async def why_rule(context: FromContext, body: RawBody) -> Response[bytes]:
    """Each clause of a rule that need not be saved: true, false or absent, and what made it so."""
    return await _answer(context, "why", read(body, WhyQuestion))


@post(
    "/overlap",
    summary="How segments overlap",
    status_code=200,
    guards=[requires("analyst")],
    opt={"body": OverlapQuestion, "answers": {"application/json": Overlap}},
)
async def overlap(context: FromContext, body: RawBody) -> Response[bytes]:
    """How many are in which of two to ten segments or rules at once, evaluated now.

    The parts are what a Venn or upset diagram shows.
    """
    return await _answer(context, "overlap", read(body, OverlapQuestion))


@post(
    "/compare",
    summary="How a segment differs from everybody else",
    status_code=200,
    guards=[requires("analyst")],
    opt={"body": CompareQuestion, "answers": {"application/json": Comparison}},
)
async def compare(context: FromContext, body: RawBody) -> Response[bytes]:
    """In which traits and events those who satisfy a rule differ most from all others."""
    return await _answer(context, "compare", read(body, CompareQuestion))


class Period(msgspec.Struct, forbid_unknown_fields=True):
    """From when to when, as ISO times or µs; only `since`: up to now; only `at`: that moment.

    With `job` it is done as long work, which may take longer than a request: see `/api/jobs`.
    """

    rule: Rule = ""
    at: str | int | None = None
    since: str | int | None = None
    until: str | int | None = None
    step: Step = "day"
    show: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100
    job: bool = False


@post(
    "/{name:str}/backtest",
    summary="A segment as of the past",
    status_code=200,
    guards=[requires("analyst")],
    opt={"body": Period, "answers": {"application/json": Backtest}, "job": Job},
)
async def backtest(
    context: FromContext, actor: Actor, name: FromPath[str], body: RawBody
) -> Response[bytes]:
    """How many would have been in a segment, and who would have come and gone in a period.

    With `rule`, that rule is asked in place of the one in force.
    """
    named = decoded(name, "name")
    wanted = read(body, Period)
    return await _backtest(context, actor, wanted, wanted.rule or SAVED + named, named)


@post(
    "/backtest",
    summary="A rule as of the past",
    status_code=200,
    guards=[requires("analyst")],
    opt={"body": Period, "answers": {"application/json": Backtest}, "job": Job},
)
async def backtest_rule(context: FromContext, actor: Actor, body: RawBody) -> Response[bytes]:
    """The same of a rule that need not be saved."""
    wanted = read(body, Period)
    return await _backtest(context, actor, wanted, wanted.rule, "")


async def _backtest(
    context: Context, actor: str, wanted: Period, rule: str, subject: str
) -> Response[bytes]:
    if not rule:
        raise InvalidInput("the body cannot be used", [Fault("is missing", "rule")])
    if (wanted.at is None) == (wanted.since is None):
        fault = Fault("give either a moment or when the period begins", "at, since")
        raise InvalidInput("the body cannot be used", [fault])
    at, until = _time(wanted.at, "at"), _time(wanted.until, "until")
    since = _time(wanted.since, "since") if at is None else at
    question = BacktestQuestion(rule, since or 0, at or until or now_us(), wanted.step, wanted.show)
    if not wanted.job:
        return await _answer(context, "backtest", question)
    job = await context.commands.run(
        job_add,
        context.settings,
        "backtest",
        msgspec.to_builtins(question),
        subject=subject,
        actor=actor,
    )
    return Response(msgspec.json.encode(job), status_code=202, media_type="application/json")


def _time(given: str | int | None, where: str) -> int | None:
    return parse_time(given, where) if isinstance(given, str) else given


async def _answer(context: Context, kind: str, question: Question) -> Response[bytes]:
    """Asked in a process of its own, held to the limits of SQL queries."""
    found, _ = await context.sql.run(context.asker.answer, context.settings, kind, question)
    _note(context, question)
    return Response(found, media_type="application/json")


def _note(context: Context, question: Question) -> None:
    """Remember which rules were asked, and which segments by their names."""
    if isinstance(question, OverlapQuestion):
        rules = list(question.rules.values())
    else:
        rules = [question.rule]
    context.reads.asked(rules)


AUDIENCES = Router(
    "/api/segments",
    route_handlers=[preview, why, why_rule, overlap, compare, backtest, backtest_rule],
    tags=["segments"],
)
