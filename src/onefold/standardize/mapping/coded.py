"""Values that stand for one of a known list, whatever they are called: read as its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onefold.standardize import codes
from onefold.standardize.comparable import comparable, half_width
from onefold.standardize.identifiers import email, phone
from onefold.standardize.mapping.values import Read, Wrong, text_of
from onefold.standardize.people.companies import company
from onefold.standardize.people.gender import gender
from onefold.standardize.people.text import tidy
from onefold.standardize.people.whole_addresses import any_address
from onefold.standardize.people.written_names import written_name

_SHOWN = 40
_UNKNOWN = frozenset(
    {"unbekannt", "nicht bekannt", "inconnu", "desconocido", "不詳", "不明", "未設定", "未设置"}
)
_NONE = {
    "gender": frozenset(
        {"0", "9", "保密", "不明", "keine Angabe", "k.A.", "回答しない", "unspecified"}
    )
}
"""What says that there is nothing to say; of ISO/IEC 5218, 0 is not known and 9 not applicable."""


def _reader(find: Callable[[str], str | None], what: str) -> Read:
    hint = "" if what == "e-mail address" else "give a lookup"

    def read(value: Any) -> Any:
        text = str(text_of(value))
        if text in _NONE.get(what, ()) or text.casefold() in _UNKNOWN or not tidy(text):
            return None  # what says that it is not known is no fault
        found = find(text)
        return found or Wrong(f"{text[:_SHOWN]!r} is no known {what}", hint)

    return read


def phone_reader(country: str | None) -> Read:
    """What reads telephone numbers; `country` is that of those which name none."""
    hint = "" if country else "say `country:`"

    def read(value: Any) -> Any:
        text = str(text_of(value))
        if not tidy(text):
            return None
        return phone(text, country) or Wrong(f"{text[:_SHOWN]!r} is no telephone number", hint)

    return read


def _parts(text: str) -> dict[str, str] | None:
    """What an address says, of which something stands there."""
    return {name: one for name, one in any_address(text)._asdict().items() if one} or None


def _written(make: Callable[[str], Any]) -> Read:
    """What writes any text in another form; one that says nothing is none."""

    def read(value: Any) -> Any:
        return make(str(text_of(value))) or None

    return read


CODED: Mapping[str, Read] = {
    "country": _reader(codes.country, "country"),
    "language": _reader(codes.language, "language"),
    "currency": _reader(codes.currency, "currency"),
    "gender": _reader(gender, "gender"),
    "email": _reader(email, "e-mail address"),
    "address": _written(_parts),
    "name": _written(written_name),
    "company": _written(company),
    "half_width": _written(half_width),
    "comparable": _written(comparable),
}
"""By the name of the type: countries of ISO 3166, languages of BCP 47, currencies of ISO 4217, f m x;
addresses in their parts; names as they are shown; companies and texts as they are compared; texts in half width."""
