"""What golden records follow: for each trait how its claims compete, and which values are valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from onefold.model.golden import LATEST, Survivorship

Check = Callable[[Any], str]
"""Says why a value is invalid; nothing if it is valid."""
Read = Callable[[Any], Any]
"""Reads a value as the type that the trait is declared as."""
MOST_KEPT = 32
_ONE = ("latest", "source_priority", "verified_first")
_canonical = msgspec.json.Encoder(order="sorted").encode


def value_key(value: Any) -> bytes:
    """A value as bytes that are the same for the same value, in one order for all."""
    return _canonical(value)


def as_it_is(value: Any) -> Any:
    """Of a trait without a type."""
    return value


class Unit(msgspec.Struct, frozen=True):
    """Traits that are decided together; nearly always it is one, by whose name the unit goes."""

    name: str
    traits: tuple[str, ...]
    way: Survivorship = LATEST
    checks: Mapping[str, Check] = {}
    reads: Mapping[str, Read] = {}
    group: bool = False

    def value_in(self, traits: Mapping[str, Any]) -> Any:
        """What a message claims of it: the value, or those of the group that it names."""
        if not self.group:
            return traits[self.name]
        found = {name: traits[name] for name in self.traits if name in traits}
        return found if any(one is not None for one in found.values()) else None

    def fault(self, value: Any) -> str:
        """Why a value is invalid; nothing if it is valid or absent."""
        if value is None or not self.checks:
            return ""
        if not self.group:
            check = self.checks.get(self.name)
            return check(value) if check else ""
        for name, one in value.items():
            check = self.checks.get(name)
            if check and one is not None and (reason := check(one)):
                return f"{name}: {reason}"
        return ""

    def read(self, value: Any) -> Any:
        """The value as its type."""
        return self.reads.get(self.name, as_it_is)(value)

    @property
    def kept(self) -> Keep:
        """What must be kept of one source's claims so that it can be decided."""
        way = self.way
        if way.by == "most_frequent" and way.of == "all":
            return Keep(MOST_KEPT, distinct=False)
        if way.by in _ONE or way.of == "last":
            return Keep(1, distinct=True)
        return Keep(MOST_KEPT, distinct=True)


class Keep(NamedTuple):
    """So many of a source's last claims are kept; if `distinct`, of each value only the last."""

    most: int
    distinct: bool


class GoldenRules:
    """The units, by trait; what no unit has goes by `default`.

    Without any of it the last claim wins, and nothing but the last claim of each source is kept.
    """

    def __init__(self, units: Iterable[Unit] = (), default: Survivorship = LATEST) -> None:
        self.default = default
        self._units = {trait: unit for unit in units for trait in unit.traits}
        self._others = default != LATEST
        self.plain = not (self._units or self._others)

    def unit(self, trait: str) -> Unit | None:
        """What decides a trait; None where the last claim wins."""
        found = self._units.get(trait)
        if found is None and self._others:
            found = self._units[trait] = Unit(trait, (trait,), self.default)
        return found

    def units_in(self, traits: Iterable[str]) -> dict[str, Unit]:
        """The units that these traits are of, by name."""
        found = (self.unit(trait) for trait in traits)
        return {unit.name: unit for unit in found if unit is not None}

    @property
    def declared(self) -> Sequence[Unit]:
        """All units that definitions name."""
        return list({unit.name: unit for unit in self._units.values()}.values())


PLAIN = GoldenRules()
"""Of every trait the last claim wins."""
