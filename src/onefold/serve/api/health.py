"""How Onefold is, for people and for load balancers."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get

from onefold import __version__
from onefold.app.status import Check, State, Status
from onefold.serve import metrics as figures
from onefold.serve.api.doors import FromContext, requires


class Health(msgspec.Struct, frozen=True):
    """The state of the whole, which is that of its worst part."""

    state: State
    version: str
    checks: tuple[Check, ...]


@get("/health", summary="Is all well?", tags=["health"], security=[{}], opt={"also": [503]})
async def health(context: FromContext) -> Response[Health]:
    """Every part with its state; 503 where one has failed. Needs no key."""
    found = await context.status.get()
    code = 503 if found.state == "failed" else 200
    return Response(Health(found.state, __version__, found.checks), status_code=code)


@get("/api/status", summary="State and figures", tags=["health"], guards=[requires("reader")])
async def show_status(context: FromContext) -> Status:
    """The parts of `/health` with all figures; always 200."""
    return await context.status.get()


@get(
    "/metrics",
    summary="Figures for Prometheus",
    tags=["health"],
    security=[{}, {"key": []}],
    opt={"answers": {"text/plain": {"type": "string"}}},
)
async def metrics(context: FromContext, request: Request[Any, Any, Any]) -> Response[str]:
    """Figures in the text format of Prometheus. Those of each segment need a key (reader)."""
    found = await context.status.get()
    families = [
        *figures.own(
            __version__,
            context.requests,
            context.accepted_events(),
            len(context.stream.listeners),
        ),
        *figures.stored(found),
    ]
    authorization = request.headers.get("authorization")
    if authorization is not None:
        context.access.key(authorization)
        families.append(figures.members(found))
    return Response(figures.exposition(families), media_type=figures.CONTENT_TYPE)
