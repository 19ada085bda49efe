"""What migrations do to documents that SQL cannot read: functions which their statements call."""

from __future__ import annotations

import msgspec

from onefold.model.profile import NO_EXTRAS, Extras

_REFRESHED, _COUNTED, _DECIDED = 9, 10, 11
_NODES = 2
_PARTS = msgspec.msgpack.Decoder(list[msgspec.Raw])
_NODE_PARTS = msgspec.msgpack.Decoder(list[list[msgspec.Raw]])
_EXTRAS = msgspec.msgpack.Decoder(Extras)
_encode = msgspec.msgpack.encode


def extras_apart(document: bytes) -> bytes:
    """A profile's document in which what few identifiers have stands apart (schema 9)."""
    profile = _PARTS.decode(document)
    nodes = [_with_extras(node) for node in _NODE_PARTS.decode(profile[_NODES])]
    return _encode([*profile[:_NODES], nodes, *profile[_NODES + 1 :]])


def _with_extras(node: list[msgspec.Raw]) -> list[msgspec.Raw]:
    if len(node) <= _REFRESHED:
        return node
    counted = node[_COUNTED : _COUNTED + 1] or [msgspec.Raw(_encode(0))]
    extras = _EXTRAS.decode(_encode([node[_REFRESHED], *node[_DECIDED:]]))
    kept = None if extras == NO_EXTRAS else extras
    return [*node[:_REFRESHED], *counted, msgspec.Raw(_encode(kept))]
