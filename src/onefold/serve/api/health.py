"""How Onefold is, for people, load balancers and Prometheus."""

from __future__ import annotations

import msgspec
from litestar import Response, get

from onefold.app.status import Check, State, Status, look
from onefold.app.workspace import now_us
from onefold.serve.api.doors import FromContext, requires
from onefold.serve.context import Context


class Health(msgspec.Struct, frozen=True):
    """The state of the whole is that of the worst check."""

    state: State
    version: str
    checks: tuple[Check, ...]


def current(context: Context) -> Status:
    """The state of this moment."""
    return look(context.settings, context.store, context.events, now_us())


@get("/health", summary="Is all well?", tags=["health"], security=[{}])
async def health(context: FromContext) -> Response[Health]:
    """Every check with its state; 503 where one has failed. Needs no key."""
    found = current(context)
    shown = Health(found.state, found.version, found.checks)
    return Response(shown, status_code=503 if found.state == "failed" else 200)


@get("/api/status", summary="State and figures", tags=["health"], guards=[requires("reader")])
async def status(context: FromContext) -> Status:
    """The checks of `/health` with all figures, always with 200."""
    return current(context)
