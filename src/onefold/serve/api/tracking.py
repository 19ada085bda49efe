"""Tracking plans at work: what broke them, and drafts."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.params import FromQuery, QueryParameter

from onefold.app.tracking_plans import Draft, violation_list
from onefold.model.plans import ViolationCount
from onefold.serve import questions
from onefold.serve.api.doors import FromContext, Limit, parse_flag, requires

Days = Annotated[int, QueryParameter(ge=1, le=90, description="How far back.")]


@get("/violations", summary="What broke tracking plans", guards=[requires("reader")])
async def violations(
    context: FromContext,
    days: Days = 7,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    plan: FromQuery[str] = "",
    by_hour: FromQuery[str | None] = None,
    limit: Limit = 1_000,
) -> list[ViolationCount]:
    """By plan, source, event and field, the most frequent first; with `by_hour` the newest first."""
    return await context.commands.run(
        violation_list,
        context.settings,
        days=days,
        source=source,
        event=event,
        plan=plan,
        by_hour=parse_flag(by_hour, "by_hour"),
        limit=limit,
    )


@get("/draft", summary="Draft a tracking plan", guards=[requires("reader")])
async def draft(
    context: FromContext,
    event: FromQuery[str] = "",
    type: FromQuery[str] = "track",
    source: FromQuery[str] = "",
    days: Days = 30,
) -> Draft:
    """A plan that the events obey which came in; it is not put in force."""
    return await context.lake.run(
        questions.plan_draft, context.settings, event, kind=type, source=source, days=days
    )


TRACKING = Router("/api/tracking", route_handlers=[violations, draft], tags=["tracking-plans"])
