"""Values that stand for one of a known list, whatever they are called: read as its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onefold.standardize import codes
from onefold.standardize.comparable import comparable, half_width
from onefold.standardize.mapping.values import Read, Wrong, text_of
from onefold.standardize.people.companies import company
from onefold.standardize.people.gender import gender
from onefold.standardize.people.written_names import written_name

_SHOWN = 40


def _reader(find: Callable[[str], str | None], what: str) -> Read:
    def read(value: Any) -> Any:
        text = text_of(value)
        found = find(text)
        return found or Wrong(f"{text[:_SHOWN]!r} is no known {what}", "give a lookup")

    return read


def _written(make: Callable[[str], str | None]) -> Read:
    """What writes any text in another form; one that says nothing is none."""

    def read(value: Any) -> Any:
        return make(str(text_of(value))) or None

    return read


CODED: Mapping[str, Read] = {
    "country": _reader(codes.country, "country"),
    "language": _reader(codes.language, "language"),
    "currency": _reader(codes.currency, "currency"),
    "gender": _reader(gender, "gender"),
    "name": _written(written_name),
    "company": _written(company),
    "half_width": _written(half_width),
    "comparable": _written(comparable),
}
"""By the name of the type: countries of ISO 3166, languages of BCP 47, currencies of ISO 4217, f m x;
names as they are shown; companies and texts as they are compared; texts in half width."""
