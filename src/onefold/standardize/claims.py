"""Claims that people and lists make, as events: they are checked where they are made."""

from __future__ import annotations

import msgspec

from onefold.model.given import EVENT, INTERNAL, GivenClaim, decode_claims
from onefold.model.records import Accepted, Event, Identifier

_MINUTE = 60_000_000
_encode = msgspec.json.Encoder().encode


def claim_events(accepted: Accepted) -> list[Event]:
    """The events of a call that holds claims."""
    return [_event(one, accepted.received_at) for one in decode_claims(accepted.body).batch]


def _event(one: GivenClaim, received_at: int) -> Event:
    properties = _encode({"by": one.by}).decode() if one.by else "{}"
    identifier = Identifier(one.kind, one.value)
    return Event(
        INTERNAL,
        "track",
        EVENT,
        one.time,
        received_at,
        one.id,
        (identifier,),
        ((identifier, Identifier(*one.other)),) if one.other else (),
        one.traits,
        True,
        properties,
        "{}",
        one.time // _MINUTE,
    )
