"""Segments and who is in them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import FromPath, QueryParameter

from onefold.app.questions.segments import MemberRow, SegmentRow, members_page, segment_list
from onefold.app.questions.sizes import SizeRow, segment_sizes
from onefold.serve.api.collections import handlers_of
from onefold.serve.api.doors import Cursor, FromContext, Limit, decoded, requires


class MemberPage(msgspec.Struct, frozen=True):
    """Members in the order of their ids; `next` is the cursor of the page behind."""

    items: list[MemberRow]
    next: str | None


@get("", summary="All segments", guards=[requires("reader")])
async def segments(context: FromContext) -> list[SegmentRow]:
    """All segments in force, with how many profiles are in each."""
    return await context.commands.run(segment_list, context.settings)


@get("/{name:str}/members", summary="Who is in a segment", guards=[requires("reader")])
async def members(
    context: FromContext, name: FromPath[str], limit: Limit = 100, cursor: Cursor = ""
) -> MemberPage:
    """The profiles in a segment now, and since when (µs)."""
    named = decoded(name, "name")
    items = members_page(context.store, named, limit=limit, after=cursor)
    context.reads.segments.add(named)
    return MemberPage(items, items[-1].profile if len(items) == limit else None)


Days = Annotated[int, QueryParameter(ge=1, le=3660, description="How many days, today included.")]


@get("/{name:str}/sizes", summary="How large a segment was", guards=[requires("reader")])
async def sizes(context: FromContext, name: FromPath[str], days: Days = 30) -> list[SizeRow]:
    """Each of the last days: who entered and left on it, and how many were in the segment at its end."""
    wanted = decoded(name, "name")
    return await context.commands.run(segment_sizes, context.settings, wanted, days)


SEGMENTS = Router(
    "/api/segments",
    route_handlers=[segments, members, sizes, *handlers_of("segment")],
    tags=["segments"],
)
