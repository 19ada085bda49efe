"""The definitions that are in force, as the processes use them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from onefold.model.definitions import (
    AccountTraitDefinition,
    Definitions,
    DestinationDefinition,
    GoldenDefinition,
    SegmentDefinition,
    TagDefinition,
    TraitDefinition,
)
from onefold.model.errors import Damaged, NotFound
from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.matching import Matching, MatchModel, decode_model
from onefold.model.sources import Source
from onefold.store import SQLiteStore, StoredModel
from onefold.store.registry import StoredDefinition

IDENTITY_KINDS = ("identifier", "identity")
"""The kinds of definitions that say who is who."""
DESTINATION_KEYS = {"type", "segments", "enabled", "description"}
"""What a destination's definition holds beside the settings of its type."""


def load_definitions(store: SQLiteStore) -> tuple[Definitions, dict[str, Source]]:
    """What is in force now, and the sources by id."""
    version = store.registry.version()
    lists = store.given.list_versions()
    sources = {source.id: source for source in store.registry.sources()}
    definitions = definitions_from(store.registry.definitions(), version)
    segments = tuple(
        msgspec.structs.replace(one, list_version=lists.get(one.name, 0)) if one.list else one
        for one in definitions.segments
    )
    found = msgspec.structs.replace(
        definitions, segments=segments, matching=matching_in_force(store)
    )
    return found, sources


class MatchUse(msgspec.Struct, frozen=True):
    """Which match model is in force, and how claims are read for it."""

    version: str
    columns: dict[str, str] = {}
    region: str | None = None


def match_use_in_force(store: SQLiteStore) -> MatchUse | None:
    """Which match model is in force, or None."""
    told = store.registry.match_model_in_force()
    return None if told is None else msgspec.json.decode(told, type=MatchUse)


def matching_in_force(store: SQLiteStore) -> Matching | None:
    """The match model in force, or None."""
    use = match_use_in_force(store)
    if use is None:
        return None
    try:
        return Matching(match_model(store, use.version), use.columns, use.region)
    except NotFound as error:
        lost = f"the match model {use.version} is in force, but not in the store"
        raise Damaged(lost) from error


def match_model(store: SQLiteStore, version: str) -> MatchModel:
    """The model of this version. A version is made of all that is in a model: it never changes."""
    found = _MODELS.get(version)
    if found is None:
        stored = stored_model(store, version)
        if len(_MODELS) >= _MODELS_KEPT:
            _MODELS.clear()
        found = _MODELS[version] = decode_model(stored.body)
    return found


def stored_model(store: SQLiteStore, version: str) -> StoredModel:
    """The model of this version as it is kept; `NotFound` if there is none."""
    stored = store.matches.model(version)
    if stored is None:
        raise NotFound(f"there is no match model {version!r}; `onefold match models` shows them")
    return stored


_MODELS: dict[str, MatchModel] = {}
_MODELS_KEPT = 8


def identity_as_of(store: SQLiteStore, at: int) -> IdentityRules:
    """The identity rules that were in force at a time (µs)."""
    found = store.registry.definitions_as_of(IDENTITY_KINDS, at)
    return definitions_from(found).identity


def definitions_from(stored: Iterable[StoredDefinition], version: int = 0) -> Definitions:
    """Stored definitions as records; kinds that only the checks know are left out."""
    segments = []
    destinations = []
    traits: list[TraitDefinition] = []
    tags: list[TagDefinition] = []
    golden: list[GoldenDefinition] = []
    account_traits: list[AccountTraitDefinition] = []
    household_traits: list[AccountTraitDefinition] = []
    kinds: dict[str, IdentifierRule] = {}
    protection = Protection()
    for one in stored:
        body = one.body
        if one.kind == "segment":
            segments.append(_record({**body, **_named(one)}, SegmentDefinition))
        elif one.kind == "trait":
            traits.append(_record({**body, **_named(one)}, TraitDefinition))
        elif one.kind == "tag":
            tags.append(_record({**body, **_named(one)}, TagDefinition))
        elif one.kind == "golden":
            golden.append(_record({**body, **_named(one)}, GoldenDefinition))
        elif one.kind == "account_trait":
            account_traits.append(_record({**body, **_named(one)}, AccountTraitDefinition))
        elif one.kind == "household_trait":
            household_traits.append(_record({**body, **_named(one)}, AccountTraitDefinition))
        elif one.kind == "identifier":
            kinds[one.name] = _record({**_rest(body), **_named(one)}, IdentifierRule)
        elif one.kind == "identity":
            protection = _record({**_rest(body), "version": one.version}, Protection)
        elif one.kind == "destination":
            destinations.append(
                DestinationDefinition(
                    one.name,
                    body["type"],
                    {key: value for key, value in body.items() if key not in DESTINATION_KEYS},
                    tuple(body.get("segments", ())),
                    body.get("enabled", True),
                    one.version,
                )
            )
    identity = IdentityRules(kinds, protection)
    return Definitions(
        version,
        tuple(segments),
        tuple(destinations),
        tuple(traits),
        tuple(tags),
        tuple(golden),
        identity,
        account_traits=tuple(account_traits),
        household_traits=tuple(household_traits),
    )


def _rest(body: dict[str, Any]) -> dict[str, Any]:
    """What rules say of identity, without who owns them and where they lie."""
    return {key: value for key, value in body.items() if key not in ("owner", "folder")}


def _named(one: StoredDefinition) -> dict[str, Any]:
    return {"name": one.name, "version": one.version}


_record = msgspec.convert
