"""One profile as people see it: found by an identifier or by its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from onefold.app.in_force import definitions_from
from onefold.app.workspace import node_key, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.given import tag_trait, visible
from onefold.model.profile import (
    NodeId,
    Profile,
    ProfileId,
    belongings,
    decode_profile,
    parse_profile_name,
    profile_name,
)
from onefold.model.records import Identifier
from onefold.resolve import node_id
from onefold.standardize import Writing
from onefold.standardize.identifiers import normalize
from onefold.store import SQLiteStore


class IdentifierView(msgspec.Struct, frozen=True):
    """An identifier of a profile, and when it was first and last seen (µs)."""

    kind: str
    value: str
    first_seen: int
    last_seen: int


class TraitOrigin(msgspec.Struct, frozen=True):
    """A golden value with the claim that it came from: about which identifier, and why it won.

    `lost` counts the other claims; `known` says whether a definition declares the trait. Where no
    claim could win, `value` is null and the rest tells of the last one.
    """

    value: Any
    source: str
    time: int
    message_id: str
    identifier: str
    why: str
    lost: int
    known: bool


class SegmentView(msgspec.Struct, frozen=True):
    """A segment that the profile is in, and since when (µs)."""

    name: str
    since: int


class AccountSeen(msgspec.Struct, frozen=True):
    """An account that the profile belongs to: when that was first and last said (µs)."""

    id: str
    since: int
    last: int


class ProfileView(msgspec.Struct, frozen=True):
    """A profile. `traits` maps claimed traits to values, or to `TraitOrigin` if that was asked for.

    Then `as_of` says of each tag and computed trait that needs everybody as of when (µs) it holds.
    `computed` are the computed traits: three that every profile has, and those that are defined.
    """

    id: str
    identifiers: tuple[IdentifierView, ...]
    traits: dict[str, Any]
    computed: dict[str, Any]
    tags: dict[str, str]
    segments: tuple[SegmentView, ...]
    aliases: tuple[str, ...]
    accounts: tuple[AccountSeen, ...]
    as_of: dict[str, int] | msgspec.UnsetType = msgspec.UNSET


def profile(settings: Settings, reference: str) -> ProfileView:
    """The profile that `KIND:VALUE` or a profile id names; `NotFound` if there is none."""
    with open_store(settings, cache_mb=4) as store:
        return view(find(store, reference, settings.default_country))


def find(store: SQLiteStore, reference: str, country: str = "") -> Profile:
    """The stored profile behind a reference; a merged id leads to what it became."""
    number = find_id(store, reference, country)
    document = None if number is None else store.documents([number]).get(number)
    if document is None:
        raise NotFound(f"there is no profile {reference}")
    return decode_profile(document)


def find_all(
    store: SQLiteStore, nodes: Sequence[NodeId]
) -> tuple[dict[NodeId, ProfileId], dict[ProfileId, Profile]]:
    """Where each of these identifiers belongs that somebody has, and the profiles."""
    homes = store.profiles_of(nodes)
    documents = store.documents(sorted(set(homes.values())))
    return homes, {number: decode_profile(one) for number, one in documents.items()}


def find_id(store: SQLiteStore, reference: str, country: str = "") -> ProfileId | None:
    """The id of the profile behind a reference, or None."""
    kind, colon, value = reference.partition(":")
    if not colon:
        named = parse_profile_name(reference)
        if named is None:
            hint = "write KIND:VALUE such as email:ann@example.com, or the profile's id"
            raise InvalidInput(
                "no profile is named", (Fault(f"{reference!r} names none", "reference", hint),)
            )
        return store.current_id(named)
    identifier = identifier_of(kind, value, country)
    if identifier is None:
        return None
    return find_node(store, identifier)[1]


def find_node(store: SQLiteStore, identifier: Identifier) -> tuple[Identifier, ProfileId | None]:
    """The identifier as its kind's rules write it, and the id of the profile that has it, if any."""
    key = node_key(store)
    node = node_id(key, identifier)
    home = store.profiles_of([node]).get(node)
    if home is None:
        # Nearly always it is found as it is: the rules are read only where it is not.
        rules = definitions_from(store.registry.definitions()).identity
        written = Writing(rules).lookup(identifier)
        if written != identifier:
            node = node_id(key, written)
            return written, store.profiles_of([node]).get(node)
    return identifier, home


def identifier_of(kind: str, value: str, country: str = "") -> Identifier | None:
    """An identifier written as in the events it came with, or None where it can be nobody's."""
    faults: list[str] = []
    normal = normalize(kind, value, country or None, kind, faults)
    return None if normal is None else Identifier(kind, normal)


def held_as_of(store: SQLiteStore, found: Profile) -> dict[str, int]:
    """As of when the values that need everybody hold: a refresh writes only those that differ."""
    on_their_way = store.given.refresh_queue() > 0
    holds: dict[str, int] = {}
    for tag, last in sorted(store.given.refreshes().items()):
        kept = found.traits.get(tag_trait(tag)) or {}
        names = [tag] if tag in found.tags else []
        names += [f"{tag}.{score}" for score in kept if f"{tag}.{score}" in found.computed]
        since = kept.get("at", last.as_of) if on_their_way else last.as_of
        holds |= dict.fromkeys(names, since)
    return holds


def view(found: Profile) -> ProfileView:
    """What people see of a stored profile."""
    return ProfileView(
        id=profile_name(found.id),
        identifiers=tuple(
            IdentifierView(node.kind, node.value, node.first_seen, node.last_seen)
            for node in found.nodes
        ),
        traits=dict(sorted(visible(found.traits).items())),
        computed={
            "event_count": sum(node.events for node in found.nodes),
            "first_seen": min(node.first_seen for node in found.nodes),
            "last_seen": max(node.last_seen for node in found.nodes),
            **dict(sorted(found.computed.items())),
        },
        tags=dict(sorted(found.tags.items())),
        segments=tuple(SegmentView(name, since) for name, since in sorted(found.members.items())),
        aliases=tuple(profile_name(name) for name, _ in found.names if name != found.id),
        accounts=tuple(
            AccountSeen(account, said.first, said.last)
            for account, said in belongings(found.nodes).items()
        ),
    )
