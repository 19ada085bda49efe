"""Events and deliveries that did not work out: looked at, corrected, sent again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.params import FromQuery, PathParameter, RawBody

from onefold.app.rejects import (
    DeadRow,
    RejectRow,
    RejectView,
    Replayed,
    dead_list,
    dead_replay,
    reject_list,
    reject_replay,
    reject_show,
)
from onefold.serve.api.doors import Actor, Cursor, FromContext, Limit, number, read, requires

_BYTES = {"application/octet-stream": {"type": "string", "format": "binary"}}


_MOST = 1 << 62
RejectId = Annotated[int, PathParameter(ge=1, le=_MOST)]


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    """Which ones, by id; null for all."""

    ids: list[Annotated[int, msgspec.Meta(ge=1, le=_MOST)]] | None


class RejectPage(msgspec.Struct, frozen=True):
    """Rejects, oldest first; `next` is the cursor of the page behind, null on the last."""

    items: list[RejectRow]
    next: str | None


class DeadPage(msgspec.Struct, frozen=True):
    """Dead letters, oldest first; `next` is the cursor of the page behind, null on the last."""

    items: list[DeadRow]
    next: str | None


@get("/rejects", summary="Events that could not be used", guards=[requires("reader")])
async def rejects(
    context: FromContext, source: FromQuery[str] = "", limit: Limit = 100, cursor: Cursor = ""
) -> RejectPage:
    """Open rejects with every reason, oldest first; of one source (its id), if named."""
    items = await context.commands.run(
        reject_list, context.settings, source, limit=limit, after=number(cursor)
    )
    return RejectPage(items, str(items[-1].id) if len(items) == limit else None)


@get("/rejects/{reject:int}", summary="One reject", guards=[requires("analyst")])
async def reject(context: FromContext, reject: RejectId) -> RejectView:
    """One reject with the bytes that came."""
    return await context.commands.run(reject_show, context.settings, reject)


@post(
    "/rejects/replay",
    summary="Process rejects again",
    status_code=200,
    guards=[requires("editor")],
    opt={"body": Chosen},
)
async def replay_rejects(context: FromContext, actor: Actor, body: RawBody) -> Replayed:
    """Put rejects into the log again as they are. What is still wrong becomes a reject again."""
    chosen = read(body, Chosen)
    return await context.commands.run(reject_replay, context.settings, chosen.ids, actor=actor)


@post(
    "/rejects/{reject:int}/replay",
    summary="Process a corrected reject",
    status_code=200,
    guards=[requires("editor")],
    opt={"body": _BYTES},
)
async def replay_reject(
    context: FromContext, actor: Actor, reject: RejectId, body: RawBody
) -> Replayed:
    """Put one reject into the log again, with the body given here in place of its bytes, if any."""
    return await context.commands.run(
        reject_replay, context.settings, [reject], raw=bytes(body) or None, actor=actor
    )


@get("/dead-letters", summary="Deliveries that were given up", guards=[requires("reader")])
async def dead_letters(
    context: FromContext, destination: FromQuery[str] = "", limit: Limit = 100, cursor: Cursor = ""
) -> DeadPage:
    """Dead letters, oldest first; of one destination, if named."""
    items = await context.commands.run(
        dead_list, context.settings, destination, limit=limit, after=number(cursor)
    )
    return DeadPage(items, str(items[-1].id) if len(items) == limit else None)


@post(
    "/dead-letters/replay",
    summary="Deliver again",
    status_code=200,
    guards=[requires("editor")],
    opt={"body": Chosen},
)
async def replay_dead_letters(context: FromContext, actor: Actor, body: RawBody) -> Replayed:
    """Put dead letters back to be delivered."""
    chosen = read(body, Chosen)
    return await context.commands.run(dead_replay, context.settings, chosen.ids, actor=actor)


FAILURES = Router(
    "/api",
    route_handlers=[
        rejects,
        reject,
        replay_rejects,
        replay_reject,
        dead_letters,
        replay_dead_letters,
    ],
    tags=["failures"],
)
