"""Which values of a trait are valid, as its definition says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from onefold.model.definitions import TraitDefinition
from onefold.model.golden import Bounds
from onefold.model.patterns import matcher
from onefold.unify.contest import length_of
from onefold.unify.rules import Check, Read, value_key

_Test = Callable[[Any], str]
_NOUNS = {"list": "a list", "numbers": "a list of numbers", "object": "an object"}


def check_of(trait: TraitDefinition, read: Read) -> Check | None:
    """What says why a value of a declared trait is invalid; None where every value is valid."""
    tests = tuple(_tests(trait, read))
    if not tests:
        return None
    return lambda value: next((reason for test in tests if (reason := test(value))), "")


def _tests(trait: TraitDefinition, read: Read) -> Iterator[_Test]:
    if trait.type != "text":
        noun = _NOUNS.get(trait.type, f"a {trait.type}")
        yield lambda value: f"is not {noun}" if read(value) is None else ""
    if trait.allowed:
        allowed = frozenset(value_key(one) for one in trait.allowed)
        yield lambda value: "" if value_key(value) in allowed else "is not an allowed value"
    if trait.pattern:
        matches = matcher(trait.pattern)
        yield lambda value: "" if matches(read(value)) else "does not match the pattern"
    if trait.range:
        yield _in_range(trait.range, read)
    if trait.length:
        yield _has_length(trait.length)


def _in_range(bounds: Bounds, read: Read) -> _Test:
    least = None if bounds.min is None else read(bounds.min)
    most = None if bounds.max is None else read(bounds.max)

    def test(value: Any) -> str:
        known = read(value)
        if known is None:
            return ""
        if least is not None and known < least:
            return f"is less than {_plain(bounds.min)}"
        if most is not None and known > most:
            return f"is more than {_plain(bounds.max)}"
        return ""

    return test


def _plain(bound: float | str | None) -> str:
    return f"{bound:.12g}" if isinstance(bound, int | float) else str(bound)


def _has_length(bounds: Bounds) -> _Test:
    least, most = bounds.min, bounds.max

    def test(value: Any) -> str:
        length = length_of(value)
        if isinstance(least, int | float) and length < least:
            return f"is shorter than {least:g}"
        if isinstance(most, int | float) and length > most:
            return f"is longer than {most:g}"
        return ""

    return test
