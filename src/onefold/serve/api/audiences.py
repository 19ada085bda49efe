"""Questions about rules, saved or not: who would be in, and why."""

from __future__ import annotations

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from onefold.app.audiences import (
    SAVED,
    CompareQuestion,
    Comparison,
    Overlap,
    OverlapQuestion,
    Preview,
    PreviewQuestion,
    Why,
    WhyQuestion,
)
from onefold.serve.api.doors import FromContext, decoded, read, requires
from onefold.serve.context import Context


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


async def _answer(context: Context, kind: str, question: msgspec.Struct) -> Response[bytes]:
    """Asked in a process of its own, held to the limits of SQL queries."""
    found, _ = await context.sql.run(context.asker.answer, context.settings, kind, question)
    return Response(found, media_type="application/json")


AUDIENCES = Router(
    "/api/segments", route_handlers=[preview, why, why_rule, overlap, compare], tags=["segments"]
)
