"""Long work: asked for, looked at, canceled."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import FromQuery, PathParameter, RawBody

from onefold.app.job_list import job_ask, job_cancel, job_list, job_show
from onefold.model.job import Job
from onefold.serve.api.doors import (
    Actor,
    Cursor,
    FromContext,
    Limit,
    number,
    parse_flag,
    read,
    requires,
)

JobId = Annotated[int, PathParameter(ge=1, le=1 << 62)]


class JobWanted(msgspec.Struct, forbid_unknown_fields=True):
    """Work to be done: `rebuild` folds all events again, `rebuild-check` only compares."""

    kind: Literal["rebuild", "rebuild-check"]


class JobPage(msgspec.Struct, frozen=True):
    """Jobs, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[Job]
    next: str | None


@get("", summary="Long work", guards=[requires("reader")])
async def jobs(
    context: FromContext,
    open_only: FromQuery[str | None] = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> JobPage:
    """Jobs, newest first, with how far each is; with `open_only` those that wait or run."""
    items = await context.commands.run(
        job_list,
        context.settings,
        limit=limit,
        before=number(cursor),
        only_open=parse_flag(open_only, "open_only"),
    )
    return JobPage(items, str(items[-1].id) if len(items) == limit else None)


@post(
    "", summary="Ask for work", status_code=202, guards=[requires("admin")], opt={"body": JobWanted}
)
async def ask(context: FromContext, actor: Actor, body: RawBody) -> Job:
    """Ask for work; look at the job to see how far it is and what came out."""
    wanted = read(body, JobWanted)
    return await context.commands.run(job_ask, context.settings, wanted.kind, actor=actor)


@get("/{job:int}", summary="One job", guards=[requires("reader")])
async def job(context: FromContext, job: JobId) -> Job:
    """How far it is (`done` of `total`), how it ended, and what came out (`result`)."""
    return await context.commands.run(job_show, context.settings, job)


@post("/{job:int}/cancel", summary="Stop a job", status_code=200, guards=[requires("editor")])
async def cancel(context: FromContext, actor: Actor, job: JobId) -> Job:
    """Ask a job to stop. Its state becomes `canceled` within a second or two; 409 if it has ended."""
    return await context.commands.run(job_cancel, context.settings, job, actor=actor)


JOBS = Router("/api/jobs", route_handlers=[jobs, ask, job, cancel], tags=["jobs"])
