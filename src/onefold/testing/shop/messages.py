"""Messages as an SDK sends them, and the pen that writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any

import msgspec

from onefold.model.moments import micros_of
from onefold.model.records import Identifier
from onefold.testing.shop.people import Device, uuid

Body = dict[str, Any]

_LAST = {"email": 2, "phone": 3, "anonymous_id": 4, "device_id": 5, "advertising_id": 6}


class Message(msgspec.Struct, frozen=True):
    """One call to Onefold, and the truth about it.

    `source` sends `body` so that it arrives at `at`. The rest a receiver must find out:
    `person` is the number of the customer it comes from, `time` when it really
    happened, `identifiers` and `asserted` what a standardized event of it has to hold.
    """

    source: str
    at: int
    body: Body
    person: int
    time: int
    identifiers: tuple[Identifier, ...]
    asserted: tuple[tuple[Identifier, Identifier], ...] = ()


@lru_cache(100_000)
def _minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


def iso(time: int) -> str:
    """A time in microseconds as SDKs write it, with milliseconds.

    >>> iso(1_767_225_600_123_000)
    '2026-01-01T00:00:00.123Z'
    """
    minute, rest = divmod(time, 60_000_000)
    return f"{_minute(minute)}{rest // 1_000_000:02d}.{rest // 1000 % 1000:03d}Z"


def parse_iso(text: str) -> int:
    """The inverse of `iso`."""
    return micros_of(datetime.fromisoformat(text))


_SERVER = {
    "shop": {"library": {"name": "analytics-python", "version": "2.3.4"}},
    "helpdesk": {"library": {"name": "analytics-node", "version": "2.3.0"}},
    "email": {"library": {"name": "mailer", "version": "7.0"}},
    "app": {"library": {"name": "wechat-mini-program", "version": "1.3.0"}},
}
JUNK = ("undefined", "null", "0", "anonymous")
"""What careless clients send as the user id of somebody unknown."""

SOURCES = ("web", "app", "shop", "helpdesk", "email")
DEFAULT_COUNTRY = "CN"
"""The `default_country` that these sources need: numbers without a country code are Chinese."""


class Pen:
    """Writes what one customer does in one visit, message by message.

    Set `user_id`, `traits` and the rest as the client's state changes, then call `refresh`.
    """

    def __init__(self, rng: Random, person: int, now: int, late: int = 0) -> None:
        self.written: list[Message] = []
        self.rng, self.person, self.now = rng, person, now
        self._sent_not_before = now + late if late else 0
        self._latency = 20_000 + int(rng.random() * 400) * 1000
        self.user_id: str | None = None
        self.anonymous_id: str | None = None
        self.source = ""
        self.context: dict[str, Any] = {}
        self.extra: tuple[Identifier, ...] = ()
        self._identifiers: tuple[Identifier, ...] = ()
        self._device: tuple[Identifier, ...] = ()
        self._skew = 0
        self._time_key = "timestamp"
        self._junk: str | None = None
        self._shown_user_id: str | None = None

    def hold(self, device: Device, anonymous_id: str) -> None:
        """Go on with this device."""
        self.source, self.context = device.source, device.context
        self._skew, self._device, self.extra = device.skew, device.identifiers, ()
        self._time_key = "originalTimestamp" if device.source == "app" else "timestamp"
        self.anonymous_id = anonymous_id
        self._junk = JUNK[int(self.rng.random() * len(JUNK))] if device.sends_junk else None
        self.refresh()

    def serve(self, source: str) -> None:
        """Go on as a server that knows no device."""
        self.source, self.context = source, _SERVER[source]
        self._skew, self._device, self.extra = 0, (), ()
        self._time_key = "timestamp"
        self.anonymous_id, self._junk = None, None
        self.refresh()

    def refresh(self) -> None:
        """Take the changed ids into account."""
        found = []
        if self.user_id is not None:
            found.append(Identifier("user_id", self.user_id))
        if self.anonymous_id is not None:
            found.append(Identifier("anonymous_id", self.anonymous_id))
        self._identifiers = _in_order(found, self.extra, self._device)
        self._shown_user_id = self.user_id or self._junk

    def carry(self, traits: dict[str, Any], *extra: Identifier) -> None:
        """Repeat these traits in the context of all that follows."""
        self.context = {**self.context, "traits": traits}
        self.extra = extra
        self.refresh()

    def wait(self, seconds: float) -> None:
        """Let time pass for the customer."""
        self.now += int(seconds * 1000) * 1000

    def track(self, event: str, properties: dict[str, Any]) -> None:
        """Write a `track`."""
        self._write({"type": "track", "event": event, "properties": properties})

    def page(self, name: str, path: str, title: str) -> None:
        """Write a `page`, or in an app a `screen`."""
        if self.source == "app":
            self._write({"type": "screen", "name": name, "properties": {"title": title}})
            return
        url = f"https://shop.example{path}"
        page = {"path": path, "url": url, "title": title, "referrer": "", "search": ""}
        self.context = {**self.context, "page": page}
        self._write({"type": "page", "name": name, "properties": page})

    def identify(self, traits: dict[str, Any], *identifiers: Identifier) -> None:
        """Write an `identify`; name the identifiers that its traits hold."""
        self._write({"type": "identify", "traits": traits}, identifiers)

    def alias(self, previous_id: str) -> None:
        """Write an `alias`: two ids are one person. It doesn't say which kind the old one is."""
        assert self.user_id is not None
        kept = Identifier("user_id", self.user_id)
        asserted = tuple(
            (kept, Identifier(kind, previous_id)) for kind in ("user_id", "anonymous_id")
        )
        self._write({"type": "alias", "previousId": previous_id}, asserted=asserted)

    def write_history(self, body: Body, time: int, *identifiers: Identifier) -> None:
        """Write something that happened long ago, as an import does: without `sentAt`."""
        self.now += 1000
        at = self.now + self._latency
        body |= {
            "userId": self.user_id,
            "anonymousId": None,
            "messageId": uuid(self.rng),
            "timestamp": iso(time),
            "context": self.context,
        }
        found = _in_order(list(self._identifiers), identifiers)
        self.written.append(Message(self.source, at, body, self.person, time, found))

    def _write(
        self,
        body: Body,
        identifiers: tuple[Identifier, ...] = (),
        asserted: tuple[tuple[Identifier, Identifier], ...] = (),
    ) -> None:
        rng, now, skew = self.rng, self.now, self._skew
        sent = max(now + 1000 + int(rng.random() * 3000) * 1000, self._sent_not_before)
        at = sent + self._latency
        body["userId"] = self._shown_user_id
        body["anonymousId"] = self.anonymous_id
        body["messageId"] = uuid(rng)
        body[self._time_key] = iso(now + skew)
        body["sentAt"] = iso(sent + skew)
        body["context"] = self.context
        found = self._identifiers
        if identifiers:
            found = _in_order(list(found), identifiers)
        message = Message(self.source, at, body, self.person, now + self._latency, found, asserted)
        self.written.append(message)
        if rng.random() < 0.008:
            self._retry(message, sent + skew)
        self.now += 2_000_000 + int(rng.random() * 40_000) * 1000

    def _retry(self, message: Message, sent: int) -> None:
        """The answer got lost, the client sends again with the same message id."""
        wait = (1 + int(self.rng.random() * 30)) * 1_000_000
        body = {**message.body, "sentAt": iso(sent + wait)}
        self.written.append(msgspec.structs.replace(message, at=message.at + wait, body=body))


def _in_order(found: list[Identifier], *more: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    for some in more:
        found.extend(identifier for identifier in some if identifier not in found)
    found.sort(key=_rank)
    return tuple(found)


def _rank(identifier: Identifier) -> int:
    """Who owns an event's facts: the first by kind."""
    return 0 if identifier.kind == "user_id" else _LAST.get(identifier.kind, 1)
