"""Questions about rules, saved or not: who would be in, and why."""

from __future__ import annotations

import msgspec
from litestar import Response, Router, post
from litestar.params import RawBody

from onefold.app.audiences import Preview, PreviewQuestion
from onefold.serve.api.doors import FromContext, read, requires
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


async def _answer(context: Context, kind: str, question: msgspec.Struct) -> Response[bytes]:
    """Asked in a process of its own, held to the limits of SQL queries."""
    found, _ = await context.sql.run(context.asker.answer, context.settings, kind, question)
    return Response(found, media_type="application/json")


AUDIENCES = Router("/api/segments", route_handlers=[preview], tags=["segments"])
