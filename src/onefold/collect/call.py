"""What a call says about itself: whose it is, and how many events it holds."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import msgspec

from onefold.collect.outline import outline
from onefold.model.errors import Fault, InvalidInput


class Body(NamedTuple):
    """What must be known of a body before it is logged; its events are read later."""

    event_count: int
    write_key: str | None


class _Outer(msgspec.Struct):
    batch: list[msgspec.Raw] | msgspec.Raw | None = None
    writeKey: Any = None  # noqa: N815 - its name on the wire


class _Keyed(msgspec.Struct):
    writeKey: Any = None  # noqa: N815 - its name on the wire


_OUTER = msgspec.json.Decoder(_Outer)
_KEYED = msgspec.json.Decoder(_Keyed)


def read_body(body: bytes, kind: str) -> Body:
    """Make sure that a body is JSON, at least outside of its events, and look who sent it.

    >>> read_body(b'{"writeKey":"web:s","batch":[{},{}]}', "batch").event_count
    2
    """
    try:
        if kind != "batch":
            return Body(1, _text(_KEYED.decode(body).writeKey))
        outer = _OUTER.decode(body)
        events = outer.batch if isinstance(outer.batch, list) else ()
        return Body(len(events), _text(outer.writeKey))
    except (ValueError, RecursionError):
        return _read_leniently(body, kind)


def find_key(headers: list[tuple[bytes, bytes]], query_key: str | None) -> str | None:
    """The write key in headers or query; they win over one in the body, which may be masked.

    >>> find_key([(b"authorization", b"Basic d2ViOnMzY3JldDo=")], None)
    'web:s3cret'
    """
    key = None
    for name, value in headers:
        if name == b"authorization":
            basic = _basic_key(value)
            if basic:
                return basic
        elif name == b"x-write-key":
            key = value.decode("latin-1").strip()
    return key or query_key or None


def _basic_key(header: bytes) -> str | None:
    """The key in HTTP Basic: it is the user name, so a colon may follow, and it has one inside."""
    scheme, _, value = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        key = base64.b64decode(value.strip()).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return key.removesuffix(":")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _read_leniently(body: bytes, kind: str) -> Body:
    """Where no parser takes the whole, only the odd event shall suffer, later."""
    outer = outline(body)
    if outer is None or outer[:1] not in (b"{", b"[" if kind == "batch" else b"{"):
        raise InvalidInput("the body is not a JSON object", [Fault(_parse_error(body), "body")])
    try:
        return Body(1, _text(_KEYED.decode(outer).writeKey))
    except (ValueError, RecursionError):
        return Body(1, None)


def _parse_error(body: bytes) -> str:
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError) as error:
        return str(error)
    return "brackets or quotes do not match"
