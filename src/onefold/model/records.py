"""What goes through the pipeline, from the accepted call to the change of a profile.

All times are integers: microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

EventType = Literal["track", "identify", "page", "screen", "group", "alias"]
EVENT_TYPES: tuple[EventType, ...] = ("track", "identify", "page", "screen", "group", "alias")
CONSENT = "consent."
"""How the names of the traits begin that say what somebody agreed to: `consent.marketing`."""


class Accepted(msgspec.Struct, frozen=True, array_like=True):
    """One accepted call as it lies in the event log (msgpack-encoded by `encode_accepted`).

    `kind` is the event type named by the path, `batch` where the body holds many events, or
    `event` where the body is one event that names its own type. `body` is the JSON as
    it came, after decompression. `ip` is the client's address, or None where unknown.
    """

    source: str
    received_at: int
    kind: str
    body: bytes
    ip: str | None = None


_ACCEPTED = msgspec.msgpack.Decoder(Accepted)
encode_accepted = msgspec.msgpack.Encoder().encode
decode_accepted = _ACCEPTED.decode


class Identifier(NamedTuple):
    """`(kind, value)`, normalized: `user_id`, `anonymous_id`, `email`, `phone`, `device_id` …"""

    kind: str
    value: str


class Event(msgspec.Struct, array_like=True, gc=False):
    """Something a source said at a time, standardized.

    `name` is the event name of a `track`, and the type for all others. `identifiers` holds the
    one that the event's facts belong to first. `asserted` are pairs an `alias` declares to
    be one person. `traits` are claims; `strong` ones come from an `identify`, others repeat what
    is known (`context.traits`) and never override. `properties` and `context` are JSON texts.
    `client_minute` is the minute of the client's own, uncorrected timestamp (0 if it gave none):
    unlike `time` it is the same on every re-delivery.
    """

    source: str
    type: str
    name: str
    time: int
    received_at: int
    message_id: str
    identifiers: tuple[Identifier, ...]
    asserted: tuple[tuple[Identifier, Identifier], ...]
    traits: dict[str, Any]
    strong: bool
    properties: str
    context: str
    client_minute: int = 0


class Reject(msgspec.Struct, frozen=True):
    """An event that was accepted but could not be used: its bytes, every reason, and whose load it is of."""

    source: str
    received_at: int
    kind: str
    raw: bytes
    reasons: tuple[str, ...]
    load: str = ""
