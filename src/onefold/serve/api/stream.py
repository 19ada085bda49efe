"""Live events as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator

from litestar import get
from litestar.params import FromQuery
from litestar.response import Stream

from onefold.serve.api.doors import FromContext, requires
from onefold.serve.context import Context

_HEARTBEAT = 10.0
_LOOK = 0.5


@get(
    "/api/stream",
    summary="Live events",
    tags=["events"],
    guards=[requires("analyst")],
    opt={"answers": {"text/event-stream": {"type": "string"}}},
)
async def stream(
    context: FromContext, source: FromQuery[str] = "", name: FromQuery[str] = ""
) -> Stream:
    """Events as they are accepted, as server-sent events until the caller hangs up.

    Of one source (its id) or one event name, if given. `event: event` is an event, `reject` one that
    cannot be used, with its reasons; `missed` says that more came than could be sent.
    """
    return Stream(_lines(context, source, name), media_type="text/event-stream")


async def _lines(context: Context, source: str, name: str) -> AsyncIterator[bytes]:
    listener = context.stream.listen(source, name)
    quiet = 0.0
    try:
        yield b": live\n\n"
        while not context.stopping.is_set():
            told = await listener.next(_LOOK)
            if told is not None:
                quiet = 0.0
                yield b"event: %s\ndata: %s\n\n" % (told.kind.encode(), told.data)
                continue
            quiet += _LOOK
            if quiet >= _HEARTBEAT:
                quiet = 0.0
                yield b": still here\n\n"
    finally:
        context.stream.leave(listener)
