"""Identifiers as the rules of their kinds write them: a pure function of one event.

What lies in the lake is what sources sent, in the one way that everybody writes it. Here it becomes what
names a node: steps of the kind are taken, values that cannot be of it are set apart, and where a value
is one identifier within a source or a brand only, these are put before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from onefold.model.given import INTERNAL
from onefold.model.identity import INVALID, IdentifierRule, IdentityRules
from onefold.model.records import Event, Identifier
from onefold.model.sessions import MINUTE, Slot, slot_of
from onefold.standardize.faults import explain
from onefold.standardize.identifiers import normalize, rank
from onefold.standardize.normalizers import normalizer, validator

_MOST_VALUES = 65_536
_MOST_BRAND = 100
Pairs = tuple[tuple[Identifier, Identifier], ...]
_decode = msgspec.json.Decoder().decode


class Written(NamedTuple):
    """A value as its kind writes it, and why it can be none of the kind, if so."""

    value: str
    fault: str


class Kind:
    """How values of one kind are written."""

    def __init__(self, rule: IdentifierRule) -> None:
        self.rule = rule
        self._steps = [(one, normalizer(one)) for one in rule.normalize]
        self._tests = [validator(one) for one in rule.validate]
        self.write = lru_cache(maxsize=_MOST_VALUES)(self._write)

    def _write(self, value: str) -> Written:
        for name, step in self._steps:
            found = step(value)
            if not found:
                return Written(value, f"cannot be read as {name}" if found is None else "is empty")
            value = found
        return Written(value, next((why for test in self._tests if (why := test(value))), ""))


class Writing:
    """The kinds that have rules for how their values are written; false if there are none."""

    def __init__(self, rules: IdentityRules) -> None:
        self._kinds = {one.name: Kind(one) for one in rules.writing}
        self._brands = rules.protection.brands
        self._sign_outs = frozenset(rules.protection.sign_outs)
        self._traits = [(name, one.name) for one in rules.writing for name in one.traits]

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def concerns(self, event: Event) -> bool:
        """Does any rule say anything about identifiers of this event?"""
        kinds = self._kinds
        if any(one[0] in kinds for one in event.identifiers):
            return True
        if event.asserted and any(one[0] in kinds for pair in event.asserted for one in pair):
            return True
        return bool(event.traits) and any(name in event.traits for name, _ in self._traits)

    def apply(self, event: Event) -> Event:
        """The event with its identifiers as the rules write them, the owner of its facts first."""
        if not self.concerns(event):
            return event
        identifiers, asserted = self.written(event)
        return replace(event, identifiers=identifiers, asserted=asserted)

    def written(self, event: Event) -> tuple[tuple[Identifier, ...], Pairs]:
        """The identifiers of an event and the pairs that it asserts, as the rules write them."""
        pairs = ((self.one(a, event), self.one(b, event)) for a, b in event.asserted)
        return self.identifiers(event), tuple(pair for pair in pairs if pair[0] != pair[1])

    def one(self, identifier: Identifier, event: Event) -> Identifier:
        """One of the identifiers that an event carries, as the rules write it."""
        return self._one(identifier, event)[0]

    def identifiers(self, event: Event) -> tuple[Identifier, ...]:
        """Who an event is about, by the rules: valid ones first, each once."""
        found = dict.fromkeys(one for one, _ in self._all(event))
        return tuple(sorted(found, key=_rank))

    def faults(self, event: Event) -> list[str]:
        """Why some identifiers of an event are none of their kinds."""
        found = dict.fromkeys(self._all(event))
        return [
            explain(
                f"{one.kind.removeprefix(INVALID)} {one.value[:60]!r}", fault, "it joins nobody"
            )
            for one, fault in found
            if fault
        ]

    def is_nobody(self, event: Event) -> bool:
        """Is none of its identifiers valid?"""
        return all(one.kind.startswith(INVALID) for one in self.identifiers(event))

    def lookup(self, identifier: Identifier) -> Identifier:
        """What people write, as events with this value are written; a scope stands before the value."""
        kind = self._kinds.get(identifier.kind)
        if kind is None:
            return identifier
        value = identifier.value
        if kind.rule.scope == "session" and (found := slot_of(value)):
            bare = found._replace(device=kind.write(found.device).value)
            return Identifier(identifier.kind, bare.value)
        before, slash = "", ""
        if kind.rule.scope not in ("global", "session") and "/" in value:
            before, slash, value = value.partition("/")
        return Identifier(identifier.kind, before + slash + kind.write(value).value)

    def _all(self, event: Event) -> Iterator[tuple[Identifier, str]]:
        for identifier in event.identifiers:
            yield self._one(identifier, event)
        for name, kind in self._traits if event.source != INTERNAL else ():
            value = event.traits.get(name)
            for one in value if type(value) is list else [value]:
                if text := _text(kind, one):
                    yield self._one(Identifier(kind, text), event)

    def _one(self, identifier: Identifier, event: Event) -> tuple[Identifier, str]:
        kind = self._kinds.get(identifier.kind)
        if kind is None:
            return identifier, ""
        if event.source == INTERNAL:
            return self.lookup(identifier), ""
        value, fault = kind.write(identifier.value)
        rule = kind.rule
        if rule.scope == "global" or (rule.sources and event.source not in rule.sources):
            pass
        elif rule.scope == "session":
            value = Slot(value, event.time // MINUTE, event.name in self._sign_outs).value
        else:
            before = event.source if rule.scope == "source" else self._brand(event)
            value = f"{before.replace('/', '_')}/{value}"
        return Identifier(f"{INVALID}{rule.name}" if fault else rule.name, value), fault

    def _brand(self, event: Event) -> str:
        """What the event names in its context, else the brand of its source, else the source."""
        if '"brand"' in event.context:
            brand = _decode(event.context).get("brand")
            if type(brand) is str and 0 < len(brand.strip()) <= _MOST_BRAND:
                return brand.strip()
        return self._brands.get(event.source, event.source)


def _text(kind: str, value: Any) -> str | None:
    """The value of a trait as an identifier of a kind; None where it can be none."""
    if value is None or type(value) in (bool, dict, list):
        return None
    return normalize(kind, value, None, kind, [])


def _rank(identifier: Identifier) -> tuple[bool, int, str]:
    invalid = identifier.kind.startswith(INVALID)
    return (invalid, *rank(Identifier(identifier.kind.removeprefix(INVALID), "")))
