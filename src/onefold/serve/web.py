"""The web process: the tracking API first, the management API for all the rest."""

from __future__ import annotations

import asyncio
import gc
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import structlog
import uvicorn
import uvloop

from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound, OnefoldError
from onefold.serve.api import create_api
from onefold.serve.context import Context
from onefold.serve.log_writer import LogWriter
from onefold.serve.patience import Patience
from onefold.serve.problems import problem
from onefold.serve.profile_lookup import plain_profile
from onefold.serve.pushed import PREFIXES, PushedApp
from onefold.serve.receiving import receive_body
from onefold.serve.tracking import Message, Receive, Scope, Send, TrackingApp

_BACKLOG = 2048
_HEAD_SECONDS = 20.0
_IDLE_SECONDS = 75
_LOOK_SECONDS = 0.05
_DOCS, _DOCUMENT = "/api/docs/", "/api/docs/openapi.json"
_STREAMED = ("/list", "/import")
_ALSO_HEAD = ("/", "/health", "/metrics")
_TRACKING = ("/v1/", "/beacon/", "/api/s/")
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    b" img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", _POLICY),
]
log = structlog.get_logger(__name__)


class Web:
    """One ASGI application: finds who answers a request, and counts the answers."""

    def __init__(self, context: Context, tracking: TrackingApp, pushed: PushedApp) -> None:
        self._tracking = tracking
        self._pushed = pushed
        self._context = context
        self._api: Any = create_api(context)
        self._requests = context.requests
        context.accepted_events = lambda: tracking.accepted_events + pushed.accepted
        self._max_body = context.settings.max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if TrackingApp.serves(path) or path.startswith(_TRACKING):
            await self._tracking(scope, receive, self._counting("tracking", send))
        elif path.startswith(PREFIXES):
            await self._pushed(scope, receive, self._counting("pushed", send))
        else:
            await self._manage(scope, receive, self._counting("api", send))

    def _counting(self, group: str, send: Send) -> Send:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests[group, message["status"]] += 1
            await send(message)

        return counted

    async def _manage(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Routed as it was sent: an encoded slash belongs to a value.
        raw = scope.get("raw_path") or scope["path"].encode()
        scope["path"] = raw.decode("ascii", "replace")
        if scope["method"] == "HEAD" and scope["path"] in _ALSO_HEAD:
            # The server leaves the body out, as it knows the method that was asked with.
            scope = {**scope, "method": "GET"}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_SECURITY]
            await send(message)

        if (profile := plain_profile(self._context, scope)) is not None:
            await _answer(200, {"content-type": "application/json"}, profile, guarded)
            return
        try:
            if scope["path"].startswith(_DOCS) and scope["path"] != _DOCUMENT:
                raise NotFound("there is nothing here; the document is " + _DOCUMENT)
            if scope["method"] == "POST" and scope["path"].endswith(_STREAMED):
                await self._api(scope, receive, guarded)  # it keeps what comes as it comes
                return
            body = await self._receive(scope, receive)
        except OnefoldError as error:
            await _refuse(error, guarded)
            return
        if body is not None:
            await self._api(scope, _replay(body, receive), guarded)

    async def _receive(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, within limits of size and time; None where the client went away."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return b""
        return await receive_body(receive, self._max_body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(error: OnefoldError, send: Send) -> None:
    await _answer(*problem(error), send)


async def _answer(status: int, headers: Mapping[str, str], body: bytes, send: Send) -> None:
    headers = {**headers, "content-length": str(len(body))}
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def run_web(
    settings: Settings,
    ready: Callable[[], None],
    stop: threading.Event,
    listen: socket.socket | None = None,
) -> None:
    """Answer requests until `stop` is set. `listen` is a listening socket; without one, make it."""
    listening = listen or _listen(settings.host, settings.port)
    try:
        uvloop.run(_serve(settings, ready, stop, listening))
    finally:
        listening.close()


async def _serve(
    settings: Settings, ready: Callable[[], None], stop: threading.Event, listening: socket.socket
) -> None:
    with open_store(settings, cache_mb=16) as store:
        events = open_log(settings, store, "web")
        writer = LogWriter(events.append)
        context = Context(settings, store, events)
        tracking = TrackingApp(
            writer, context.access.source, context.access.judging, now_us, settings
        )
        web = Web(context, tracking, PushedApp(writer, context))
        server = _Server(_configuration(web, settings))
        watching = asyncio.create_task(_watch(server, context, ready, stop))
        telling = asyncio.create_task(context.keep_telling())
        try:
            await server.serve(sockets=[listening])
        finally:
            watching.cancel()
            telling.cancel()
            with suppress(OnefoldError, sqlite3.OperationalError):
                await context.tell_reads()
            context.asker.close()
            context.expressions.close()
            await writer.close()
            events.close()


def _configuration(app: Web, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # the tracking API knows which proxies are trusted
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.stop_timeout * 0.5)),
    )


class _Server(uvicorn.Server):
    """Leaves signals to who runs it, who sets `stop`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _watch(
    server: uvicorn.Server, context: Context, ready: Callable[[], None], stop: threading.Event
) -> None:
    """Both are set outside of the event loop, so they are looked at."""
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS / 5)
    # What is there now stays: no collection of garbage need look at it again, and hold answers up.
    gc.collect()
    gc.freeze()
    ready()
    patience = Patience(_HEAD_SECONDS)
    looked_at = 0.0
    while not stop.is_set():
        await asyncio.sleep(_LOOK_SECONDS)
        if (now := time.monotonic()) - looked_at > 1.0:
            patience.look(server.server_state.connections, now)
            looked_at = now
    # Open streams end by themselves; then the server waits for what is under way.
    context.stopping.set()
    server.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InvalidInput(
            f"Onefold cannot listen on {host} port {port}: {error.strerror or error}",
            [Fault("choose another with --port, or --port 0 for any that is free")],
        ) from error
