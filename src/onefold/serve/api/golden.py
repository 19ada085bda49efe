"""How good what is known is."""

from __future__ import annotations

from litestar import Router, get, post
from litestar.params import FromPath

from onefold.app.job_list import job_add
from onefold.app.profiles.golden_answers import ProfileQuality, QualityReport
from onefold.model.job import Job
from onefold.serve import questions
from onefold.serve.api.doors import Actor, FromContext, decoded, requires


@get("", summary="How good what is known is")
async def show_quality(context: FromContext) -> QualityReport:
    """The last report: shares that are complete, valid, fresh, consistent and unique, by trait and by source.

    `as_of` is 0 if nobody ever asked for one.
    """
    return await context.lake.run(questions.quality, context.settings)


@post(
    "/refresh",
    summary="Look at how good what is known is",
    status_code=202,
    guards=[requires("analyst")],
)
async def refresh_quality(context: FromContext, actor: Actor) -> Job:
    """A job looks at everybody; then there is a new report."""
    return await context.commands.run(job_add, context.settings, "quality", {}, actor=actor)


@get("/{reference:str}/quality", summary="How good what is known of a profile is")
async def quality_of_profile(context: FromContext, reference: FromPath[str]) -> ProfileQuality:
    """Complete, valid, fresh and consistent: altogether and by trait."""
    named = decoded(reference, "reference")
    return await context.lake.run(questions.profile_quality, context.settings, named)


_READER = [requires("reader")]
GOLDEN = [
    Router(
        "/api/quality",
        route_handlers=[show_quality, refresh_quality],
        guards=_READER,
        tags=["quality"],
    ),
    Router("/api/profiles", route_handlers=[quality_of_profile], guards=_READER, tags=["profiles"]),
]
