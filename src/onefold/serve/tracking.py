"""The tracking API: one plain ASGI function, because most of all requests go through it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_network
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from onefold.collect import Route, decode_body, find_key, find_route, read_body
from onefold.collect.address import client_address
from onefold.collect.cors import cors_headers, preflight_headers
from onefold.collect.decoding import too_large
from onefold.collect.settings import rudder_settings, segment_settings
from onefold.config import Settings
from onefold.model.errors import (
    Busy,
    NotFound,
    OnefoldError,
    Unauthorized,
)
from onefold.model.records import Accepted, encode_accepted
from onefold.model.sources import FindSource, Source, authenticate
from onefold.serve.limits import Limits
from onefold.serve.log_writer import LogWriter
from onefold.serve.origin import origin
from onefold.serve.problems import MethodNotAllowed, problem
from onefold.standardize import Verdict

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Judging = Callable[[Accepted, Source], Callable[[], list[Verdict]]]
Headers = list[tuple[bytes, bytes]]

_SUCCESS = b'{"success":true}'
_JSON: Headers = [(b"content-type", b"application/json")]
_SLOW_TO_READ = 256 << 10
_BODY_SECONDS = 30


class _Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes


_ACCEPTED = _Answer(200, _JSON, _SUCCESS)


class _Gone(Exception):
    """The client went away before it had sent all."""


class TrackingApp:
    """Accepts what Segment-compatible clients send, and answers once it is durable.

    `find_source` gives a source by id. `judging` gives what judges a call in another thread, for callers
    that ask for a result per event with `?strict=1`. `serves` tells which paths are its own.
    """

    def __init__(
        self,
        log: LogWriter,
        find_source: FindSource,
        judging: Judging,
        clock_us: Callable[[], int],
        settings: Settings,
    ) -> None:
        self._log = log
        self._find_source = find_source
        self._judging = judging
        self._clock = clock_us
        self._max_body = settings.max_body_size
        self._ip_mode = settings.ip_mode
        self._proxies = tuple(map(ip_network, settings.trusted_proxies))
        self.accepted_events = 0
        self._limits = Limits(clock_us, settings.limit_wait)

    @staticmethod
    def serves(path: str) -> bool:
        """Whether this path belongs to the tracking API."""
        return find_route(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except _Gone:
            return
        except OnefoldError as error:
            answer = _problem(error)
        headers = answer.headers + cors_headers(scope["headers"])
        headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> _Answer:
        method = scope["method"]
        if method == "OPTIONS":
            return _Answer(204, preflight_headers(scope["headers"]), b"")
        path = scope["path"]
        route = find_route(path)
        if route is None:
            raise NotFound(f"{method} {path[:200]} is not part of the tracking API")
        if route.method != method:
            raise MethodNotAllowed(method, path[:200], ", ".join(sorted(("OPTIONS", route.method))))
        query = _query(scope["query_string"])
        if route.action == "accept":
            return await self._accept(route, query, scope, receive)
        if route.action == "drop":
            return _ACCEPTED
        return self._settings_for_browser(route, query, scope)

    async def _accept(
        self, route: Route, query: dict[str, str], scope: Scope, receive: Receive
    ) -> _Answer:
        headers = scope["headers"]
        key = find_key(headers, query.get("writeKey"))
        source = self._authenticate(key) if key else None
        body = decode_body(await self._receive(headers, receive), self._max_body)
        if len(body) < _SLOW_TO_READ:
            seen = read_body(body, route.kind)
        else:
            seen = await asyncio.to_thread(read_body, body, route.kind)
        if source is None:
            source = self._authenticate(seen.write_key)
        now = self._clock()
        if source.events_per_second and route.retries:
            await self._limits.turn(source, seen.event_count, len(body))
            now = self._clock()
        accepted = Accepted(source.id, now, route.kind, body, self._address(source, scope))
        await self._log.write(encode_accepted(accepted), patient=not route.retries)
        self.accepted_events += seen.event_count
        if query.get("strict") in ("1", "true"):
            return await self._strictly(accepted, source)
        return _ACCEPTED

    def _authenticate(self, key: str | None) -> Source:
        source = self._known(key)
        if not source.enabled:
            raise Unauthorized("this source is disabled")
        return source

    def _known(self, key: str | None) -> Source:
        if not key:
            raise Unauthorized("no write key was given; `onefold source add` prints one")
        source = authenticate(key, self._find_source)
        if source is None:
            raise Unauthorized("this write key is not known; `onefold source list` shows sources")
        return source

    async def _receive(self, headers: Headers, receive: Receive) -> bytes:
        for name, value in headers:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_body:
                raise too_large(self._max_body)
        body, more = await self._chunk(receive)
        if more:
            try:
                async with asyncio.timeout(_BODY_SECONDS):
                    while more:
                        chunk, more = await self._chunk(receive)
                        body += chunk
                        if len(body) > self._max_body:
                            raise too_large(self._max_body)
            except TimeoutError as error:
                raise Busy("the body did not arrive in time; send it again") from error
        if len(body) > self._max_body:
            raise too_large(self._max_body)
        return bytes(body)

    @staticmethod
    async def _chunk(receive: Receive) -> tuple[bytes, bool]:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        return message.get("body", b""), message.get("more_body", False)

    def _address(self, source: Source, scope: Scope) -> str | None:
        if self._ip_mode == "none" or source.ip == "none" or not scope.get("client"):
            return None
        proxies = self._proxies if self._ip_mode == "proxy" else ()
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return client_address(scope["client"][0], b",".join(forwarded).decode("latin-1"), proxies)

    async def _strictly(self, accepted: Accepted, source: Source) -> _Answer:
        """The same success, and what becomes of each event: rejects are kept and can be listed."""
        found = await asyncio.to_thread(self._judging(accepted, source))
        events = [{"index": index, **_told(verdict)} for index, verdict in enumerate(found)]
        return _Answer(200, _JSON, msgspec.json.encode({"success": True, "events": events}))

    def _settings_for_browser(self, route: Route, query: dict[str, str], scope: Scope) -> _Answer:
        key = route.write_key or find_key(scope["headers"], query.get("writeKey"))
        source = self._known(key)
        assert key is not None
        if route.action == "rudder_settings":
            settings = rudder_settings(source, key)
        else:
            settings = segment_settings(source, key, origin(scope, self._proxies))
        return _Answer(200, _JSON, msgspec.json.encode(settings))


def _query(text: bytes) -> dict[str, str]:
    if not text:
        return {}
    return {name: values[-1] for name, values in parse_qs(text.decode("latin-1")).items()}


def _problem(error: OnefoldError) -> _Answer:
    status, headers, body = problem(error)
    return _Answer(status, [(k.encode(), v.encode()) for k, v in headers.items()], body)


def _told(verdict: Verdict) -> dict[str, Any]:
    """What becomes of one event, in words."""
    told: dict[str, Any] = {"status": "ok"}
    if verdict.refused:
        told = {"status": "rejected", "reasons": verdict.refused}
    if verdict.left_out:
        told["left_out"] = verdict.left_out
    if verdict.violations:
        told["violations"] = [
            {"plan": one.plan, "version": one.version, "field": one.field, "fault": one.fault, "mode": one.mode}
            for one in (violation.breach for violation in verdict.violations)
        ]  # fmt: skip
    return told
