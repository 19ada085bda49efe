"""Which definition refers to which: a graph over all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from onefold.model.errors import Fault, InvalidInput
from onefold.segment.rule import names_in
from onefold.segment.syntax import Source, parse_tree
from onefold.standardize.mapping.canonical import CANONICAL

Key = tuple[str, str]
"""A definition's kind and name."""
Reference = tuple[Literal["value", "segment", "mapping", "entity", "destination"], str]
_LANGUAGE = frozenset({"rule", "expression", "when", "by", "where"})
"""Keys of a body, at any depth, whose texts are written in the rule language."""
_COMPUTED = ("trait", "tag")


class Ref(msgspec.Struct, frozen=True):
    """A definition, by kind and name."""

    kind: str
    name: str


class Use(NamedTuple):
    """One reference of a definition to another: what it names, and in which key of its body."""

    reference: Reference
    where: str


class Graph:
    """All definitions, by kind and name, and who refers to whom.

    A value is a computed trait, a declared trait or a tag. What a rule names and nobody defines is
    a trait that sources claim, so only segments, mappings and destinations can be missing.
    """

    def __init__(self, bodies: Mapping[Key, dict[str, Any]]) -> None:
        self._bodies = bodies
        self._values = {name: (kind, name) for kind, name in bodies if kind in _COMPUTED}
        self.uses: dict[Key, tuple[Key, ...]] = {}
        self.users: dict[Key, list[Key]] = {key: [] for key in bodies}
        for key, body in bodies.items():
            found = (self._defined(use.reference) for use in uses_of(key[0], body))
            self.uses[key] = tuple(dict.fromkeys(one for one in found if one is not None))
            for used in self.uses[key]:
                self.users[used].append(key)

    def touched_by(self, changed: Iterable[Key]) -> list[Key]:
        """All that refers to these, directly or not, the nearest first."""
        return self._reached(changed, self.users)

    def needed_by(self, keys: Iterable[Key]) -> list[Key]:
        """All that these refer to, directly or not."""
        return self._reached(keys, self.uses)

    def named_in(self, rule: str) -> list[Key]:
        """The definitions that a rule refers to."""
        found = map(self._defined, _names(rule))
        return [key for key in found if key is not None]

    def missing(self, key: Key) -> Iterator[Fault]:
        """Segments, mappings and destinations that a definition names and nobody defines."""
        for (sort, name), where in uses_of(key[0], self._bodies[key]):
            # That an entity is missing is told with the mapping, which lists those that there are.
            if sort not in ("value", "entity") and (sort, name) not in self._bodies:
                names = [name for kind, name in self._bodies if kind == sort]
                near = difflib.get_close_matches(name, names, 1)
                hint = f"did you mean {near[0]!r}?" if near else "define it too"
                yield Fault(f"there is no {sort} {name!r}", where, hint)

    def cycles(self) -> list[list[Key]]:
        """Definitions that refer to themselves, directly or round a circle; each circle once."""
        found: list[list[Key]] = []
        done: set[Key] = set()
        for start in self.uses:
            if start not in done:
                found += self._cycles_from(start, done)
        return found

    def _cycles_from(self, start: Key, done: set[Key]) -> Iterator[list[Key]]:
        """Walk everything that one refers to; `path` leads to where the walk stands."""
        path = {start: iter(self.uses[start])}
        while path:
            key = next(reversed(path))
            after = next(path[key], None)
            if after is None:
                del path[key]
                done.add(key)
            elif after in path:
                walked = list(path)
                yield walked[walked.index(after) :]
            elif after not in done:
                path[after] = iter(self.uses[after])

    def _defined(self, reference: Reference) -> Key | None:
        sort, name = reference
        if sort != "value":
            return (sort, name) if (sort, name) in self._bodies else None
        # `address.city` may be a trait of its own, or lie inside the trait `address`.
        while name:
            if found := self._values.get(name):
                return found
            name = name.rpartition(".")[0]
        return None

    def _reached(self, start: Iterable[Key], along: Mapping[Key, Iterable[Key]]) -> list[Key]:
        first = list(dict.fromkeys(key for key in start if key in along))
        seen = dict.fromkeys(first)
        waiting = list(first)
        while waiting:
            for after in along[waiting.pop(0)]:
                if after not in seen:
                    seen[after] = None
                    waiting.append(after)
        return [key for key in seen if key not in set(first)]


def uses_of(kind: str, body: dict[str, Any]) -> list[Use]:
    """All that a definition names, as far as it can be read."""
    if kind == "destination":
        segments = body.get("segments")
        names = segments if isinstance(segments, list) else []
        return [Use(("segment", one), "segments") for one in names if isinstance(one, str)]
    if kind == "source":
        return [*_echo_uses(body.get("echo")), *_mapping_uses(body.get("mapping"))]
    if kind == "mapping":  # its expressions are about the fields of records
        events = body.get("events")
        some = [body, *(events if isinstance(events, list) else [])]
        named = [one.get("to") for one in some if isinstance(one, dict)]
        # What stands in the shipped schema does not depend on a definition that adds to it.
        own = [one for one in named if isinstance(one, str) and one not in CANONICAL]
        return [Use(("entity", one), "to") for one in dict.fromkeys(own)]
    if kind == "entity":
        return []
    if kind in ("account_trait", "household_trait"):
        of = body.get("of")
        return [Use(("value", of), "of")] if isinstance(of, str) and of else []
    return [Use(reference, where) for where, text in _texts(body, "") for reference in _names(text)]


def _echo_uses(echo: Any) -> list[Use]:
    """The destinations for which a source speaks."""
    named = echo.get("of") if isinstance(echo, dict) else None
    names = named if isinstance(named, list) else []
    return [Use(("destination", one), "echo.of") for one in names if isinstance(one, str)]


def _mapping_uses(mapping: Any) -> list[Use]:
    """The mapping of a source, or what it names where it stands within."""
    if isinstance(mapping, dict):
        return [Use(used, f"mapping.{where}") for used, where in uses_of("mapping", mapping)]
    return [Use(("mapping", mapping), "mapping")] if isinstance(mapping, str) else []


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            place = f"{where}.{key}" if where else str(key)
            if key in _LANGUAGE and isinstance(inner, str):
                yield place, inner
            else:
                yield from _texts(inner, place)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{where}[{number}]")


@lru_cache(maxsize=4096)
def _names(text: str) -> tuple[Reference, ...]:
    try:
        return tuple(dict.fromkeys(names_in(parse_tree(Source(text)))))
    except InvalidInput:
        return ()  # compiling it says what is wrong
