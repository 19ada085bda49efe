"""The definitions that are in force, as the processes use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from onefold.collect.sources.rest import ready_names
from onefold.model.definitions import (
    SEGMENT_EVENTS,
    AccountTraitDefinition,
    Definitions,
    DestinationDefinition,
    GoldenDefinition,
    SegmentDefinition,
    TagDefinition,
    TraitDefinition,
)
from onefold.model.errors import Damaged, Fault, InvalidInput, NotFound
from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.mapping import EntityDefinition, MappingDefinition, SourceDefinition
from onefold.model.matching import Matching, MatchModel, decode_model
from onefold.model.plans import TrackingPlan
from onefold.model.sources import Source
from onefold.standardize.mapping import Schema, read_mapping, schema_of
from onefold.standardize.mapping.canonical import CANONICAL
from onefold.store import SQLiteStore, StoredModel
from onefold.store.registry import StoredDefinition

IDENTITY_KINDS = ("identifier", "identity")
"""The kinds of definitions that say who is who."""
DESTINATION_KEYS = {"type", "segments", "events", "enabled", "description"}
"""What a destination's definition holds beside the settings of its type."""
SOURCE_KEYS = {"type", "settings", "mapping", "country", "enabled", "echo"}
"""What a source's definition holds beside what says when and how it is run."""


def load_definitions(store: SQLiteStore) -> tuple[Definitions, dict[str, Source]]:
    """What is in force now, and the sources by id."""
    lists = store.given.list_versions()
    definitions, sources = wordings_in_force(store)
    segments = tuple(
        msgspec.structs.replace(one, list_version=lists.get(one.name, 0)) if one.list else one
        for one in definitions.segments
    )
    found = msgspec.structs.replace(
        definitions, segments=segments, matching=matching_in_force(store)
    )
    return found, sources


def wordings_in_force(store: SQLiteStore) -> tuple[Definitions, dict[str, Source]]:
    """The same without lists and match models, as who only reads events needs neither."""
    version = store.registry.version()
    definitions = definitions_from(store.registry.definitions(), version)
    sources = {source.id: source for source in store.registry.sources()}
    sources |= {one.name: _source(one, sources.get(one.name)) for one in definitions.sources}
    if definitions.has_money:  # a long history is large, so that only who needs it has it
        definitions = msgspec.structs.replace(definitions, rates=tuple(store.rates.all()))
    return definitions, sources


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
    found: defaultdict[str, list[Any]] = defaultdict(list)
    stored = list(stored)
    found["entity"] = [_named_as(EntityDefinition)(one) for one in stored if one.kind == "entity"]
    schema = schema_of(found["entity"])
    for one in stored:
        if one.kind in _READERS:
            found[one.kind].append(_READERS[one.kind](one))
        elif one.kind == "mapping":
            found[one.kind].append(mapping_from(one.name, one.body, one.version, schema))
        elif one.kind == "source":
            found[one.kind].append(source_from(one.name, one.body, one.version, schema))
    rules: list[IdentifierRule] = found["identifier"]
    protection: list[Protection] = found["identity"] or [Protection()]
    return Definitions(
        version,
        tuple(found["segment"]),
        tuple(found["destination"]),
        tuple(found["trait"]),
        tuple(found["tag"]),
        tuple(found["golden"]),
        IdentityRules({rule.name: rule for rule in rules}, protection[-1]),
        account_traits=tuple(found["account_trait"]),
        household_traits=tuple(found["household_trait"]),
        mappings=tuple(found["mapping"]),
        sources=tuple(found["source"]),
        plans=tuple(found["tracking_plan"]),
        entities=tuple(found["entity"]),
    )


def _named_as(kind: type[Any]) -> Callable[[StoredDefinition], Any]:
    def read(one: StoredDefinition) -> Any:
        return _record({**one.body, **_named(one)}, kind)

    return read


def _destination(one: StoredDefinition) -> DestinationDefinition:
    body = one.body
    return DestinationDefinition(
        one.name,
        body["type"],
        {key: value for key, value in body.items() if key not in DESTINATION_KEYS},
        tuple(body.get("segments", ())),
        body.get("enabled", True),
        one.version,
        tuple(body.get("events", SEGMENT_EVENTS)),
    )


def destinations_in_force(store: SQLiteStore) -> list[DestinationDefinition]:
    """The destinations alone."""
    found = store.registry.definitions()
    return [_destination(one) for one in found if one.kind == "destination"]


def mapping_from(
    name: str, body: dict[str, Any], version: int = 1, schema: Schema = CANONICAL
) -> MappingDefinition:
    """A mapping as a record; `InvalidInput` with every reason why it is none."""
    faults: list[Fault] = []
    found = read_mapping(name, body, faults, version, schema)
    if found is None:
        raise InvalidInput("the mapping cannot be used", faults)
    return found


def source_from(
    name: str, body: dict[str, Any], version: int = 1, schema: Schema = CANONICAL
) -> SourceDefinition:
    """A source that is a definition as a record; its own mapping is named like it."""
    own = {key: value for key, value in body.items() if key in SOURCE_KEYS}
    about = {*SOURCE_KEYS, "description", "owner", "folder"}
    options = {key: value for key, value in body.items() if key not in about}
    mapping = own.pop("mapping", None)
    if mapping is None and own.get("type") in ready_names():
        # What an API's records become is part of its description, unless the definition says else.
        from onefold.collect.sources.rest.ready_made import ready_made  # noqa: PLC0415

        mapping = ready_made()[own["type"]].mapping
    if isinstance(mapping, dict):
        mapping = mapping_from(name, mapping, version, schema)
    made = _record({**own, "name": name, "options": options, "version": version}, SourceDefinition)
    return msgspec.structs.replace(made, mapping=mapping)


def _source(one: SourceDefinition, keyed: Source | None) -> Source:
    """A source that is a definition, as events know it; one of this id may have a write key."""
    known = keyed or Source(id=one.name, name=one.name)
    return msgspec.structs.replace(
        known, kind=one.type, default_country=one.country or known.default_country
    )


def _rest(body: dict[str, Any]) -> dict[str, Any]:
    """What rules say of identity, without who owns them and where they lie."""
    return {key: value for key, value in body.items() if key not in ("owner", "folder")}


def _named(one: StoredDefinition) -> dict[str, Any]:
    return {"name": one.name, "version": one.version}


_record = msgspec.convert


_READERS: dict[str, Callable[[StoredDefinition], Any]] = {
    "segment": _named_as(SegmentDefinition),
    "trait": _named_as(TraitDefinition),
    "tag": _named_as(TagDefinition),
    "golden": _named_as(GoldenDefinition),
    "account_trait": _named_as(AccountTraitDefinition),
    "household_trait": _named_as(AccountTraitDefinition),
    "identifier": lambda one: _record({**_rest(one.body), **_named(one)}, IdentifierRule),
    "identity": lambda one: _record({**_rest(one.body), "version": one.version}, Protection),
    "tracking_plan": lambda one: _record({**one.body, **_named(one)}, TrackingPlan),
    "destination": _destination,
}
