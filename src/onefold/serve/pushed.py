"""What other systems push beside the tracking API: webhooks and SOAP calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from ipaddress import ip_network
from typing import NamedTuple

from onefold.app.pushing import SOAP, WEBHOOK, Door, SoapPassword, door_of
from onefold.app.workspace import now_us
from onefold.collect.webhooks import WebhookSettings
from onefold.model.errors import NotFound, OnefoldError
from onefold.serve.context import Context
from onefold.serve.log_writer import LogWriter
from onefold.serve.origin import origin
from onefold.serve.problems import MethodNotAllowed, problem
from onefold.serve.receiving import receive_body
from onefold.serve.soap import SoapApp
from onefold.serve.tracking import Receive, Scope, Send
from onefold.serve.webhooks import WebhookApp

PREFIXES = ("/webhook/", "/soap/")
_LOOK_SECONDS = 0.2
_MOST_DOORS = 1_000


class _Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class PushedApp:
    """One ASGI function for the doors that systems push to; `accepted` counts what they brought."""

    def __init__(self, log: LogWriter, context: Context) -> None:
        self._context = context
        self._doors: dict[tuple[str, str], tuple[float, Door]] = {}
        find = context.access.source
        judging = context.access.judging
        wait = context.settings.limit_wait
        self._soap = SoapApp(log, find, self._passwords, judging, now_us, wait)
        self._webhooks = WebhookApp(log, find, self._webhook, now_us, wait)
        self._max_body = context.settings.max_body_size
        self._proxies = tuple(map(ip_network, context.settings.trusted_proxies))

    @property
    def accepted(self) -> int:
        """How many events came in through here."""
        return self._soap.accepted + self._webhooks.accepted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            reply = await self._reply(scope, receive)
        except OnefoldError as error:
            reply = _Reply(*problem(error))
        if reply is None:
            return
        headers = {
            **reply.headers,
            "content-length": str(len(reply.body)),
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        }
        listed = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": listed})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, receive: Receive) -> _Reply | None:
        path, method = scope["path"], scope["method"]
        if path.startswith("/webhook/"):
            return await self._deliver(path.removeprefix("/webhook/"), scope, receive)
        if path != "/soap/customers":
            raise NotFound(f"there is nothing at {path[:200]}")
        if method == "GET" and scope["query_string"].lower() in (b"wsdl", b"singlewsdl"):
            found = self._soap.describe(origin(scope, self._proxies))
        elif method == "POST":
            body = await receive_body(receive, self._max_body)
            if body is None:
                return None
            found = await self._soap.call(body, scope["headers"])
        else:
            raise MethodNotAllowed(method, path, "POST, and GET with ?wsdl")
        return _Reply(found.status, {"content-type": found.content_type}, found.body)

    async def _deliver(self, name: str, scope: Scope, receive: Receive) -> _Reply | None:
        method, query, headers = scope["method"], scope["query_string"], scope["headers"]
        if method in ("GET", "HEAD"):
            taken = self._webhooks.get(name, query, headers)
        elif method == "POST":
            self._webhook(name)  # before anything is received for nobody
            body = await receive_body(receive, self._max_body)
            if body is None:
                return None
            taken = await self._webhooks.post(name, query, headers, body)
        else:
            raise MethodNotAllowed(method, scope["path"][:200], "POST")
        return _Reply(200, {"content-type": taken.content_type}, taken.body)

    def _webhook(self, name: str) -> WebhookSettings:
        settings = self._door(name, WEBHOOK).settings
        assert isinstance(settings, WebhookSettings)
        return settings

    def _passwords(self, name: str) -> Sequence[str]:
        try:
            settings = self._door(name, SOAP).settings
        except NotFound:
            return ()
        assert isinstance(settings, SoapPassword)
        return (settings.password,) if isinstance(settings.password, str) else settings.password

    def _door(self, name: str, kind: str) -> Door:
        """The source, as it was at most a moment ago: who is shut out, is so within that time."""
        now = time.monotonic()
        known = self._doors.get((name, kind))
        if known is not None and now - known[0] < _LOOK_SECONDS:
            return known[1]
        self._doors.pop((name, kind), None)
        door = door_of(self._context.settings, self._context.store, name, kind)
        if len(self._doors) >= _MOST_DOORS:
            self._doors.clear()
        self._doors[name, kind] = (now, door)
        return door
