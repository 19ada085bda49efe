"""The endpoint `/webhook/SOURCE`: what a sender proves to be its own is answered once it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from onefold.app.syncs.appending import payloads_of
from onefold.collect import find_key
from onefold.collect.webhooks import Call, Delivered, WebhookSettings, records_in, verify
from onefold.collect.webhooks.wechat import prove
from onefold.model.errors import Unauthorized
from onefold.model.pulled import Batch
from onefold.model.sources import FindSource, Source, authenticate
from onefold.serve.limits import Limits
from onefold.serve.log_writer import LogWriter
from onefold.serve.problems import MethodNotAllowed

Headers = list[tuple[bytes, bytes]]
FindSettings = Callable[[str], WebhookSettings]
_WECHAT = ("wechat", "wecom")
_SLOW_TO_READ = 64 << 10


class Taken(NamedTuple):
    """The answer to a delivery that was taken."""

    content_type: str
    body: bytes


class WebhookApp:
    """Verifies, reads and logs deliveries. `settings_of` gives those of a source, as of now."""

    def __init__(
        self,
        log: LogWriter,
        find_source: FindSource,
        settings_of: FindSettings,
        clock_us: Callable[[], int],
        limit_wait: float = 0.0,
    ) -> None:
        self._log = log
        self._find_source = find_source
        self._settings_of = settings_of
        self._clock = clock_us
        self._limits = Limits(clock_us, limit_wait)
        self.accepted = 0

    def get(self, name: str, query: bytes, headers: Headers) -> Taken:
        """What a sender asks before it sends: whether this address is ours."""
        settings = self._settings_of(name)
        call = Call(_texts(headers), _query(query), b"")
        if settings.signature in _WECHAT:
            return Taken("text/plain; charset=utf-8", prove(call, settings))
        if settings.signature == "token":
            verify(call, settings, self._clock() // 1_000_000)
            return _SUCCESS
        raise MethodNotAllowed("GET", f"/webhook/{name}", "POST")

    async def post(self, name: str, query: bytes, headers: Headers, body: bytes) -> Taken:
        """Take one delivery."""
        settings = self._settings_of(name)
        call = Call(_texts(headers), _query(query), body)
        now = self._clock()
        sender = Source(id=name, name=name, events_per_second=settings.events_per_second)
        if settings.signature == "key":
            keyed = self._keyed(name, call, headers)
            sender = sender if settings.events_per_second else keyed
        if len(body) < _SLOW_TO_READ:
            delivered = _read(call, settings, now)
        else:
            delivered = await asyncio.to_thread(_read, call, settings, now)
        await self._limits.turn(sender, len(delivered.records), len(body))
        batch = Batch(delivered.records, {})
        payloads = payloads_of(name, batch, at=now)
        await asyncio.gather(*map(self._log.write, payloads))
        self.accepted += len(delivered.records)
        if settings.signature in _WECHAT:
            return Taken("text/plain; charset=utf-8", b"success")
        return _SUCCESS

    def _keyed(self, name: str, call: Call, headers: Headers) -> Source:
        """The source whose write key was sent; `Unauthorized` where it is not this one's."""
        key = find_key(headers, call.query.get("writeKey"))
        source = authenticate(key, self._find_source) if key else None
        if source is None or source.id != name:
            raise Unauthorized(
                f"send the write key of the source {name}, or say in its settings who signs"
            )
        if not source.enabled:
            raise Unauthorized("this source is disabled")
        return source


_SUCCESS = Taken("application/json", b'{"success":true}')


def _read(call: Call, settings: WebhookSettings, now: int) -> Delivered:
    verify(call, settings, now // 1_000_000)
    return records_in(call, settings, now)


def _texts(headers: Headers) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _query(text: bytes) -> Mapping[str, str]:
    # A plus in `echostr` and the like is one: it is base64, and not every sender escapes it.
    pairs = parse_qsl(text.decode("latin-1").replace("+", "%2B"), keep_blank_values=True)
    return dict(pairs[:100])
