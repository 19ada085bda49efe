"""A mapping as it is written to a mapping as it is used: every fault at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from onefold.model.conversion import fault_of, nearest
from onefold.model.errors import Fault
from onefold.model.mapping import EventMapping, Field, MappingDefinition, Money, Unit
from onefold.model.records import EVENT_TYPES
from onefold.standardize.codes import currency
from onefold.standardize.mapping.canonical import CANONICAL, placed
from onefold.standardize.mapping.money import is_code
from onefold.standardize.mapping.schema import Schema
from onefold.standardize.mapping.values import format_fault
from onefold.standardize.units import UNITS, unit_named

_T = TypeVar("_T")
_ABOUT = frozenset({"description", "owner", "folder"})
_OWN = frozenset({"events", "country", "timezone", "empty"}) | _ABOUT
_ONE = ("event", "id", "time", "group")
_MANY = ("identifiers", "traits", "properties")
_PLAIN = ("type", "streams", "each", "when", "delete", "deleted_when")
_EVENT = frozenset({*_ONE, *_MANY, *_PLAIN, "to", "fields"})
_FIELD = frozenset(one.encode_name for one in msgspec.structs.fields(Field))
_ORIGINS = ("from", "join", "constant", "sql")
_MOST_EVENTS, _MOST_FIELDS = 50, 1_000


def read_mapping(
    name: str,
    body: Mapping[str, Any],
    faults: list[Fault],
    version: int = 1,
    schema: Schema = CANONICAL,
) -> MappingDefinition | None:
    """The mapping that a body says; None with every reason in `faults`.

    What it says of one event may stand in the body itself, of several in a list of `events`.

    >>> faults = []
    >>> read_mapping("crm", {"identifiers": {"user_id": "no"}, "trait": {"city": "Ort"}}, faults)
    >>> [str(fault) for fault in faults]
    ["trait: 'trait' is not known (did you mean 'traits'?)"]
    """
    before = len(faults)
    several = "events" in body
    _unknown(body, _OWN if several else (_OWN | _EVENT) - {"events"}, "", faults)
    given = body.get("events", [{key: body[key] for key in body if key in _EVENT}])
    if not isinstance(given, list) or not given:
        faults.append(Fault("must be a list of events", "events"))
        given = []
    elif len(given) > _MOST_EVENTS:
        faults.append(Fault(f"{len(given)} events; at most {_MOST_EVENTS}", "events"))
        given = []
    events = [
        _event(one, f"events[{number}]" if several else "", faults, schema)
        for number, one in enumerate(given)
    ]
    own = {key: body[key] for key in ("country", "timezone", "empty") if body.get(key) is not None}
    found = _converted({**own, "name": name, "events": ()}, MappingDefinition, "", faults)
    if found is not None and not _is_zone(found.timezone):
        hint = "write a name such as Asia/Shanghai"
        faults.append(Fault(f"{found.timezone!r} is no time zone", "timezone", hint))
    if found is not None and found.country and not re.fullmatch("[A-Z]{2}", found.country):
        hint = "use two capital letters such as CN"
        faults.append(Fault(f"{found.country!r} is no country", "country", hint))
    if len(faults) > before or found is None:
        return None
    made = tuple(one for one in events if one is not None)
    return msgspec.structs.replace(found, events=made, version=version)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _event(body: object, where: str, faults: list[Fault], schema: Schema) -> EventMapping | None:
    if not isinstance(body, dict):
        faults.append(Fault("must say identifiers, traits and so on", where))
        return None
    before = len(faults)
    prefix = f"{where}." if where else ""
    if where:
        _unknown(body, _EVENT, where, faults)
    if "to" in body or "fields" in body:
        body = _written_out(body, prefix, faults, schema)
    made: dict[str, Any] = {
        key: [body[key]] if key == "streams" and isinstance(body[key], str) else body[key]
        for key in _PLAIN
        if key in body
    }
    for key in _ONE:
        if key in body:
            literal = key == "event" and isinstance(body[key], str)
            given = {"constant": body[key]} if literal else body[key]
            made[key] = _field(given, prefix + key, faults)
    for key in _MANY:
        if key in body:
            made[key] = _fields(body[key], prefix + key, faults)
    if "type" not in made and "event" in made:
        made["type"] = "track"
    plain = {key: value for key, value in made.items() if key in _PLAIN}
    found = _converted(plain, EventMapping, where, faults)
    if found is not None:
        _event_faults(made, found, prefix, faults)
    if len(faults) > before or found is None:
        return None
    rest = {key: value for key, value in made.items() if key not in _PLAIN}
    return msgspec.structs.replace(found, **rest)


def _written_out(
    body: dict[str, Any], prefix: str, faults: list[Fault], schema: Schema
) -> dict[str, Any]:
    """What a mapping to an entity of the canonical schema says, with what stands beside it."""
    rest = {key: value for key, value in body.items() if key not in ("to", "fields")}
    entity, fields = body.get("to"), body.get("fields", {})
    if not isinstance(entity, str) or entity not in schema:
        hint = f"use one of {', '.join(schema)}, or define an entity"
        faults.append(Fault(f"{entity!r} is not in the canonical schema", f"{prefix}to", hint))
        return rest
    if not isinstance(fields, dict):
        faults.append(
            Fault("must be names, each with the field that it comes from", f"{prefix}fields")
        )
        return rest
    known = schema[entity].fields
    unknown = [name for name in fields if name not in known]
    for name in unknown:
        near = difflib.get_close_matches(str(name), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"{entity} has {', '.join(known)}"
        hint += "; what it lacks may stand under traits: or properties:"
        faults.append(Fault(f"{entity} has no {name!r}", f"{prefix}fields.{name}", hint))
    good = {name: given for name, given in fields.items() if name not in unknown}
    out = placed(schema[entity], good)
    for key in _MANY:
        if key in out and isinstance(rest.get(key, {}), dict):
            rest[key] = {**out[key], **rest.get(key, {})}
    return {**out, **rest}


def _event_faults(
    made: Mapping[str, Any], found: EventMapping, prefix: str, faults: list[Fault]
) -> None:
    """What the parts of an event mapping mean together."""
    if found.type not in EVENT_TYPES:
        hint = f"use one of {', '.join(EVENT_TYPES)}"
        faults.append(Fault(f"{found.type!r} is no type of event", f"{prefix}type", hint))
    elif found.type == "track" and "event" not in made:
        hint = "write `event:` with what happened"
        faults.append(Fault("has no name", f"{prefix}event", hint))
    elif found.type != "track" and "event" in made:
        faults.append(Fault("only a track has a name", f"{prefix}event", "leave `type:` out"))
    if found.type == "group" and "group" not in made:
        hint = "write `group:` with the field of its id"
        faults.append(Fault("names no group", f"{prefix}group", hint))
    if not made.get("identifiers"):
        hint = "write `identifiers:` with, for example, user_id: and the field that holds it"
        faults.append(Fault("says of nobody whom it is about", f"{prefix}identifiers", hint))


def _fields(given: object, where: str, faults: list[Fault]) -> dict[str, Field | None]:
    if not isinstance(given, dict) or not all(isinstance(name, str) and name for name in given):
        faults.append(Fault("must be names, each with the field that it comes from", where))
        return {}
    if len(given) > _MOST_FIELDS:
        faults.append(Fault(f"{len(given):,} names; at most {_MOST_FIELDS:,}", where))
        return {}
    return {name: _field(value, f"{where}.{name}", faults) for name, value in given.items()}


def _field(given: object, where: str, faults: list[Fault]) -> Field | None:
    if isinstance(given, str | list):
        given = {"from": given}
    if not isinstance(given, dict):
        faults.append(_no_field(given, where))
        return None
    before = len(faults)
    _unknown(given, _FIELD, where, faults)
    for key in _FIELD & given.keys():
        _converted({key: given[key]}, Field, where, faults)
    origins = [key for key in _ORIGINS if key in given]
    if len(origins) != 1:
        what = " and ".join(origins) or "nothing"
        hint = f"write one of {', '.join(_ORIGINS)}"
        faults.append(Fault(f"says {what} of where the value comes from", where, hint))
    elif origins != ["constant"] and not given[origins[0]]:
        faults.append(Fault("is empty", f"{where}.{origins[0]}", "name a field"))
    if len(faults) > before:
        return None
    made = msgspec.convert(given, Field)
    faults.extend(_meaning_faults(made, where))
    return None if len(faults) > before else made


def _meaning_faults(field: Field, where: str) -> Iterator[Fault]:
    """What the transformations of a field mean together."""
    formats = (field.format,) if isinstance(field.format, str) else field.format
    for one in formats:
        if one and (problem := format_fault(one)):
            hint = "write for example dd.MM.yyyy or yyyy-MM-dd HH:mm, dmy, mdy, excel, unix"
            yield Fault(problem, f"{where}.format", hint)
    if any(formats) and field.type not in (None, "date", "time"):
        yield Fault("is only for dates and times", f"{where}.format", "write `type: date`")
    if field.decimal and field.type not in (None, "number", "integer"):
        yield Fault("is only for numbers", f"{where}.decimal", "write `type: number`")
    for key, given in (("unit", field.unit), ("money", field.money)):
        if given and field.type not in (None, "number", "integer"):
            yield Fault("is only for numbers", f"{where}.{key}", "write `type: number`")
    if field.unit:
        yield from _unit_faults(field.unit, f"{where}.unit")
    if field.money:
        yield from _money_faults(field.money, f"{where}.money")


def _unit_faults(unit: Unit, where: str) -> Iterator[Fault]:
    given = [one for one in (unit.source, unit.to) if one]
    kinds = [UNITS[code].kind for one in given if (code := unit_named(one))]
    for one in given:
        if unit_named(one) is None:
            same = sorted(code for code, known in UNITS.items() if known.kind in kinds)
            near = difflib.get_close_matches(one.casefold(), UNITS, 1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"use {', '.join(same)}" if same else ""
            )
            yield Fault(f"{one!r} is not a known unit", where, hint)
    if len(kinds) == 2 and kinds[0] != kinds[1]:
        yield Fault(f"{unit.source} is of {kinds[0]}, {unit.to} of {kinds[1]}", where)


def _money_faults(money: Money, where: str) -> Iterator[Fault]:
    hint = "write its code, such as EUR"
    if currency(money.to) != money.to:
        yield Fault(f"{money.to!r} is no currency", f"{where}.to", hint)
    if not money.currency:
        yield Fault("is empty", f"{where}.currency", "name the field that holds it, or a code")
    elif is_code(money.currency) and currency(money.currency) != money.currency:
        yield Fault(f"{money.currency!r} is no currency", f"{where}.currency", hint)


def _no_field(given: object, where: str) -> Fault:
    if isinstance(given, bool):
        hint = "YAML reads no, yes, on and off so; put the name of the field in quotes"
        return Fault(f"is {str(given).lower()}, not the name of a field", where, hint)
    hint = "write the name of a field, in quotes if it is a number, or {constant: …}"
    return Fault("must say where the value comes from", where, hint)


def _converted(
    given: Mapping[str, Any], kind: type[_T], where: str, faults: list[Fault]
) -> _T | None:
    """As a record of this kind; None with the reason in `faults`."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        faults.append(fault_of(error, where))
        return None


def _unknown(
    given: Mapping[str, Any], known: Collection[str], where: str, faults: list[Fault]
) -> None:
    for key in given:
        if key not in known:
            hint = nearest(str(key), sorted(known))
            place = f"{where}.{key}" if where else str(key)
            faults.append(Fault(f"{key!r} is not known", place, hint))
