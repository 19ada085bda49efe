"""The canonical schema of a workspace: the one that is shipped, and what definitions add to it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from onefold.model.errors import Fault
from onefold.model.mapping import EntityDefinition, FieldType
from onefold.model.records import EVENT_TYPES
from onefold.standardize.mapping.canonical import CANONICAL, WHO, Canonical, Entity, key_of

Schema = Mapping[str, Entity]
ANY_ENTITY = "entity"
"""Stands for the name of an entity where that does not matter."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_INNER = re.compile(r"(identifiers|traits|properties)\.[^\s.][^\s]{0,199}")
_SINGLE = ("id", "time", "group")
_KNOWN = {"type", "event", "fields", "description", "owner", "folder"}
_FIELD = {"place", "type", "words"}
_MOST_FIELDS, _MOST_WORDS = 200, 100


def schema_of(entities: Iterable[EntityDefinition]) -> Schema:
    """The shipped entities and these; one of a shipped name adds its fields to those that are there.

    >>> from onefold.model.mapping import EntityField
    >>> more = EntityDefinition(name="order", fields={"gift": EntityField("properties.gift", "boolean")})
    >>> schema_of([more])["order"].fields["gift"].place, "gift" in schema_of([])["order"].fields
    ('properties.gift', False)
    """
    found: dict[str, Entity] = dict(CANONICAL)
    for one in entities:
        shipped = CANONICAL.get(one.name)
        kind = shipped.type if shipped else one.type or ("track" if one.event else "identify")
        event = shipped.event if shipped else one.event
        fields = {
            name: Canonical(
                field.place or _usual_place(name, kind),
                field.type,
                tuple(dict.fromkeys(key_of(word) for word in (name, *field.words))),
            )
            for name, field in one.fields.items()
        }
        found[one.name] = Entity(kind, event, {**(shipped.fields if shipped else WHO), **fields})
    return found


def _usual_place(name: str, kind: str) -> str:
    where = "traits" if kind in ("identify", "group") else "properties"
    return f"{where}.{name}"


def entity_faults(name: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the definition of an entity."""
    for key in body.keys() - _KNOWN:
        near = difflib.get_close_matches(str(key), _KNOWN, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(_KNOWN))}"
        yield Fault(f"{key!r} is not known", str(key), hint)
    if not _NAME.fullmatch(name):
        hint = "use small letters, digits and _, beginning with a letter"
        yield Fault(f"an entity cannot be called {name!r}", "name", hint)
    if name in CANONICAL:
        for key in ("type", "event") & body.keys():
            yield Fault(f"{name} is shipped: what it becomes is known", key, "leave it out")
    elif name != ANY_ENTITY:
        yield from _type_faults(body)
    fields = body.get("fields")
    if not isinstance(fields, dict) or not fields or len(fields) > _MOST_FIELDS:
        hint = "write `fields:` with names, each with place, type and words"
        yield Fault(f"must have 1 to {_MOST_FIELDS} fields", "fields", hint)
        return
    for field, given in fields.items():
        yield from _field_faults(name, field, given, body)


def _type_faults(body: Mapping[str, Any]) -> Iterator[Fault]:
    kind, event = body.get("type", ""), body.get("event", "")
    if kind and kind not in EVENT_TYPES:
        yield Fault(f"{kind!r} is no type of event", "type", f"use {', '.join(EVENT_TYPES)}")
    if not isinstance(event, str):
        yield Fault("must be a text", "event")
    elif event and kind not in ("", "track"):
        yield Fault("only a track has a name", "event", "leave `type:` out")
    elif kind == "track" and not event:
        yield Fault("has no name", "event", "write `event:` with what happened")


def _field_faults(
    entity: str, name: object, given: object, body: Mapping[str, Any]
) -> Iterator[Fault]:
    where = f"fields.{name}"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Fault(f"a field cannot be called {name!r}", where, "use small letters, digits and _")
        return
    if name in (CANONICAL[entity].fields if entity in CANONICAL else WHO):
        yield Fault(f"{name} is shipped already", where, "leave it out, or choose another name")
    if not isinstance(given, dict):
        yield Fault("must have place, type or words", where, "write {} for the usual")
        return
    for key in given.keys() - _FIELD:
        yield Fault(f"{key!r} is not known", f"{where}.{key}", "known are place, type, words")
    place = given.get("place", "")
    if not isinstance(place, str) or (
        place and place not in _SINGLE and not _INNER.fullmatch(place)
    ):
        hint = "use identifiers.KIND, traits.NAME, properties.NAME, id, time or group"
        yield Fault(f"{place!r} is no place in an event", f"{where}.place", hint)
    elif place.startswith("properties.") and body.get("type") in ("identify", "group"):
        yield Fault("an identify has no properties", f"{where}.place", "use traits.NAME")
    types = get_args(FieldType)
    if given.get("type") is not None and given["type"] not in types:
        yield Fault(f"{given['type']!r} is no type", f"{where}.type", f"use {', '.join(types)}")
    words = given.get("words", [])
    if (
        not isinstance(words, list)
        or len(words) > _MOST_WORDS
        or not all(isinstance(one, str) and one.strip() for one in words)
    ):
        yield Fault("must be a list of texts", f"{where}.words", "write how sources call it")
