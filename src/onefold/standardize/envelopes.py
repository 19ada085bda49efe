"""One accepted call to the bytes of its events, however many and however broken they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from onefold.model.records import EVENT_TYPES, Accepted
from onefold.standardize.faults import explain
from onefold.standardize.parsing import parse_event

MAX_EVENTS = 2_500
MAX_SHARED_BYTES = 4 * 1024  # every event of the batch gets a copy
_MAX_TOKENS = 1_000_000  # of a body that only this reads; no batch of real events has as many
_SINGLE = frozenset({*EVENT_TYPES, "event"})
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOTHING = msgspec.Raw(b"null")


class Call(msgspec.Struct, frozen=True, gc=False):
    """What all events of one call have in common."""

    source: str
    received_at: int
    kind: str
    ip: str | None
    country: str | None
    sent_at: Any = None
    context: dict[str, Any] = {}
    faults: tuple[str, ...] = ()


class Opened(msgspec.Struct, frozen=True):
    """A call taken apart; `excess` holds the events over the limit, as a body of their own."""

    call: Call
    events: Sequence[bytes | msgspec.Raw]
    excess: bytes = b""
    excess_count: int = 0
    unreadable: tuple[str, ...] = ()


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]
    sent_at: Any = msgspec.field(name="sentAt", default=None)
    context: msgspec.Raw = _NOTHING


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode = msgspec.json.Decoder().decode


def open_call(accepted: Accepted, country: str | None) -> Opened:
    """The events of a call, each as its own bytes."""
    call = Call(accepted.source, accepted.received_at, accepted.kind, accepted.ip, country)
    if accepted.kind in _SINGLE:
        return Opened(call, (accepted.body,))
    if accepted.kind != "batch":
        reason = explain("kind", f"{accepted.kind[:40]!r} is not a kind of call", _kinds())
        return Opened(call, (), unreadable=(reason,))
    try:
        batch = _decode_batch(accepted.body)
    except _BROKEN:
        return _open_broken(accepted.body, call)
    return _open_batch(batch.batch, batch.sent_at, bytes(batch.context), call)


def _kinds() -> str:
    return "use one of batch, event, " + ", ".join(EVENT_TYPES)


def _open_batch(
    events: Sequence[bytes | msgspec.Raw], sent_at: Any, context: bytes, call: Call
) -> Opened:
    faults: list[str] = []
    shared: dict[str, Any] | None = None
    if context != b"null":
        shared = parse_event(context, faults, "context", MAX_SHARED_BYTES)
    call = Call(
        call.source,
        call.received_at,
        "event",
        call.ip,
        call.country,
        sent_at,
        shared or {},
        tuple(faults),
    )
    if len(events) <= MAX_EVENTS:
        return Opened(call, events)
    excess = events[MAX_EVENTS:]
    return Opened(call, events[:MAX_EVENTS], _body(excess, sent_at, context), len(excess))


def _body(events: Sequence[bytes | msgspec.Raw], sent_at: Any, context: bytes) -> bytes:
    """A batch of these events, so that it can be sent again as it is."""
    head = b'{"sentAt":%b,"context":%b,"batch":[' % (msgspec.json.encode(sent_at), context)
    return head + b",".join(map(bytes, events)) + b"]}"


def _open_broken(body: bytes, call: Call) -> Opened:
    """A body that does not decode as a whole: one bad event must not take the others along."""
    outer = split(body.removeprefix(b"\xef\xbb\xbf"))
    if body.lstrip()[:1] == b"[" and outer is not None:
        return _open_batch(outer, None, b"null", call)
    members = dict(filter(None, map(_member, outer or ())))
    batch = split(members.get(b"batch", b""))
    if batch is None or not members[b"batch"].startswith(b"["):
        reason = explain("batch", "is missing or broken", 'send {"batch": [event, …]}')
        return Opened(call, (), unreadable=(reason,))
    try:
        sent_at = _decode(members.get(b"sentAt", b"null"))
    except _BROKEN:
        sent_at = "?"  # present, but not a time: each event says so
    return _open_batch(batch, sent_at, members.get(b"context", b"null"), call)


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]++|[\]}]++|,|"', re.DOTALL)
_MEMBER = re.compile(rb'\s*"([A-Za-z]*)"\s*:(.*)', re.DOTALL)


def _member(text: bytes) -> tuple[bytes, bytes] | None:
    match = _MEMBER.fullmatch(text)
    return (match[1], match[2].strip()) if match else None


def split(text: bytes) -> list[bytes] | None:
    """The parts of a JSON object or list, by its commas; None if it is not closed.

    >>> split(b'[{"a":[1,2]}, "x,y", NaN]')
    [b'{"a":[1,2]}', b'"x,y"', b'NaN']
    """
    parts: list[bytes] = []
    depth = start = 0
    for match in islice(_TOKEN.finditer(text), _MAX_TOKENS):
        first = text[match.start()]
        if first in b"[{":
            if depth == 0:
                start = match.start() + 1
            depth += match.end() - match.start()
        elif first in b"]}":
            depth -= match.end() - match.start()
            if depth <= 0:
                end = match.end() - 1 + depth
                break
        elif first == 0x2C:
            if depth == 1:
                parts.append(text[start : match.start()].strip())
                start = match.end()
        elif match.end() - match.start() == 1:  # a text that is never closed
            return None
    else:
        return None
    if depth < 0 or text[end + 1 :].strip():
        return None
    last = text[start:end].strip()
    return [*parts, last] if parts or last else []
