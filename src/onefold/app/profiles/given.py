"""Tags given by people: claims that go through the log like everything else."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import msgspec

from onefold.app.in_force import load_definitions
from onefold.app.profiles.finding import find, identifier_of
from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.model.definitions import TagDefinition
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.given import CLAIMS, INTERNAL, GivenClaim, GivenClaims, encode_claims, tag_trait
from onefold.model.profile import identifier_text
from onefold.model.records import Accepted, Identifier, encode_accepted
from onefold.store import SQLiteStore

_WRITER = "given"


class GivenTag(msgspec.Struct, frozen=True):
    """A tag as it was given to an identifier; without a value it was taken away."""

    tag: str
    identifier: str
    value: str | None
    at: int


def tag_set(
    settings: Settings, name: str, reference: str, value: str | None, *, actor: str = "cli"
) -> GivenTag:
    """Give a tag to who `KIND:VALUE` or a profile id names, or take it away.

    Who is not known yet has it as soon as they are.
    """
    with open_store(settings, cache_mb=4) as store:
        tag = tag_by_hand(store, name)
        if value is not None and value not in tag.values:
            hint = f"it is one of {', '.join(tag.values)}"
            fault = Fault(f"{value!r} is no value of the tag {name}", "value", hint)
            raise InvalidInput("the tag cannot be set", [fault])
        identifier = named(store, reference, settings.default_country)
        now = now_us()
        claim = GivenClaim(
            f"tag-{uuid.uuid4().hex}",
            now,
            *identifier,
            {tag_trait(name): tag_value(value, now)},
            actor,
        )
        append_claims(settings, store, [claim], now)
        store.registry.audit(now, actor, "tag.set", name, {"value": value})
    return GivenTag(name, identifier_text(identifier), value, now)


def tag_value(value: str | None, at: int) -> dict[str, object] | None:
    """What a claim says of a tag."""
    return None if value is None else {"value": value, "at": at}


def tag_by_hand(store: SQLiteStore, name: str) -> TagDefinition:
    """The tag of this name, if it is one that people and imports give."""
    definitions, _ = load_definitions(store)
    for one in definitions.tags:
        if one.name == name:
            if one.values and not one.of_everybody:
                return one
            fault = Fault(f"the values of {name} are computed", "name", "a tag with `values:` can")
            raise InvalidInput("the tag cannot be set", [fault])
    raise NotFound(f"there is no tag {name!r}; `onefold tag list` shows them")


def named(store: SQLiteStore, reference: str, country: str) -> Identifier:
    """The identifier that `KIND:VALUE` names; of a profile id, the profile's first."""
    kind, colon, value = reference.partition(":")
    if not colon:
        node = find(store, reference, country).nodes[0]
        return Identifier(node.kind, node.value)
    identifier = identifier_of(kind, value, country)
    if identifier is None:
        fault = Fault(f"{reference!r} can be nobody's", "reference", "write KIND:VALUE")
        raise InvalidInput("the tag cannot be set", [fault])
    return identifier


def append_claims(
    settings: Settings, store: SQLiteStore, claims: Iterable[GivenClaim], now: int
) -> None:
    """Put claims into the log, in one durable write."""
    log = open_log(settings, store, _WRITER)
    try:
        log.append([claims_record(list(claims), now)])
    finally:
        log.close()


def claims_record(claims: list[GivenClaim], now: int) -> bytes:
    """A record of the log that holds these claims."""
    return encode_accepted(Accepted(INTERNAL, now, CLAIMS, encode_claims(GivenClaims(claims))))
