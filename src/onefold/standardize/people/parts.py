"""What each field of a record says by itself, before the fields are put together.

`READERS` names, for each role, the function that reads one value and the parts that it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from onefold.standardize.identifiers import clean_text
from onefold.standardize.junk import is_junk
from onefold.standardize.people import addresses, chinese_names, emails, names, phones, places
from onefold.standardize.people.birth_dates import birth_date
from onefold.standardize.people.chinese_addresses import chinese_address
from onefold.standardize.people.companies import company
from onefold.standardize.people.gender import gender
from onefold.standardize.people.national_ids import national_id
from onefold.standardize.people.nicknames import nickname_roots
from onefold.standardize.people.roles import Layout
from onefold.standardize.people.text import HAN, KANA, fold, tidy
from onefold.standardize.people.whole_addresses import whole_address

Parts = tuple[Any, ...]


class Reader(NamedTuple):
    """How the values of one role are read: the parts that a value gives, with their SQL types."""

    read: Callable[[str, Layout], Parts]
    parts: dict[str, str]


def _given(value: str, layout: Layout) -> Parts:
    first, others = names.given_name(value)
    return first, others, _han(value) if first else None


def _family(value: str, layout: Layout) -> Parts:
    family, suffix = names.family_name(value)
    return family, suffix, _han(value) if family else None


def _han(value: str) -> str | None:
    if value.isascii():
        return None
    text = tidy(value)
    if not HAN.search(text) or KANA.search(text):
        return None
    return chinese_names.simplified("".join(HAN.findall(text)))


def _whole(value: str, layout: Layout) -> Parts:
    *parts, nickname = names.whole_name(value)
    return *parts, nickname_roots(nickname) if nickname else None


def _born(value: str, layout: Layout) -> Parts:
    return birth_date(value, layout.date_order, layout.until)


def _national(value: str, layout: Layout) -> Parts:
    found = national_id(value)
    if found is None:
        return (None,) * 6
    born = found.birth_date
    digits = born.strftime("%Y%m%d") if born else None
    return found.number, found.kind, born, digits, born.year if born else None, found.gender


def _address(value: str, layout: Layout) -> Parts:
    text = tidy(value)
    if HAN.search(text) and not KANA.search(text):
        found = chinese_address(text)
        more = (found.more, found.city, found.district, found.state, found.postcode, None)
        return found.house_number, found.street, found.unit, None, *more
    if layout.headers("house_number") and "," not in text:
        return *addresses.street_line(text), None, None, None, None, None
    return whole_address(value)


def identifier(value: str, kind: str) -> str | None:
    """An exact identifier with its kind.

    >>> identifier(" C-0017 ", "crm_id"), identifier("null", "crm_id")
    ('crm_id:C-0017', None)
    """
    text = clean_text(value)
    return f"{kind}:{text}" if text and not is_junk(text) and len(text) <= 512 else None


def _one(read: Callable[[str], str | None]) -> Callable[[str, Layout], Parts]:
    return lambda value, layout: (read(value),)


def _suffix(value: str) -> str | None:
    return names.SUFFIXES.get(fold(tidy(value)))


def _roots(value: str, layout: Layout) -> Parts:
    first = names.given_name(value)[0]
    return (nickname_roots(first) if first else None,)


def _year(value: str) -> int | None:
    return birth_date(value.removesuffix(".0")).year


def _number(value: str) -> str | None:
    return str(int(number)) if (number := value.strip().removesuffix(".0")).isdecimal() else None


_TEXT, _LIST = "VARCHAR", "VARCHAR[]"
ADDRESS = (
    "house_number", "street", "unit", "po_box", "address_more",
    "city", "district", "state", "postcode", "country",
)  # fmt: skip

READERS: dict[str, Reader] = {
    "given_name": Reader(_given, dict.fromkeys(("given", "given_more", "given_han"), _TEXT)),
    "family_name": Reader(_family, dict.fromkeys(("family", "family_suffix", "family_han"), _TEXT)),
    "full_name": Reader(
        _whole,
        {
            **{f"whole_{each}": _TEXT for each in names.WholeName._fields[:-1]},
            "whole_nick_roots": _LIST,
        },
    ),
    "middle_name": Reader(_one(names.middle_name), {"middle": _TEXT}),
    "former_name": Reader(_one(lambda value: names.family_name(value)[0]), {"former": _TEXT}),
    "nickname": Reader(_roots, {"nick_roots": _LIST}),
    "name_suffix": Reader(_one(_suffix), {"suffix": _TEXT}),
    "gender": Reader(_one(gender), {"gender": _TEXT}),
    "birth_date": Reader(
        _born,
        {
            "birth_date": "DATE",
            "birth_date_other": "DATE",
            "birth_date_weak": "BOOLEAN",
            "birth_digits": _TEXT,
            "birth_year": "INTEGER",
        },
    ),
    "birth_year": Reader(lambda value, layout: (_year(value),), {"year_only": "INTEGER"}),
    "email": Reader(
        lambda value, layout: emails.email(value) or (None, None),
        {"local": _TEXT, "domain": _TEXT},
    ),
    "phone": Reader(
        lambda value, layout: phones.phone(value, layout.region) or (None, None),
        {"phone": _TEXT, "extension": _TEXT},
    ),
    "address": Reader(_address, {f"line_{each}": _TEXT for each in ADDRESS}),
    "address_more": Reader(
        lambda value, layout: addresses.second_line(value),
        {
            "more_number": _TEXT,
            "more_street": _TEXT,
            "more_unit": _TEXT,
            "more_po_box": _TEXT,
            "more": _TEXT,
        },
    ),
    "house_number": Reader(_one(addresses.house_number), {"house_number": _TEXT}),
    "unit": Reader(_one(addresses.unit), {"unit": _TEXT}),
    "po_box": Reader(_one(addresses.po_box), {"po_box": _TEXT}),
    "city": Reader(_one(places.city), {"city": _TEXT}),
    "district": Reader(_one(places.district), {"district": _TEXT}),
    "state": Reader(_one(places.state), {"state": _TEXT}),
    "postcode": Reader(_one(addresses.postcode), {"postcode": _TEXT}),
    "country": Reader(_one(places.country), {"country": _TEXT}),
    "company": Reader(_one(company), {"company": _TEXT}),
    "national_id": Reader(
        _national,
        {
            "id_number": _TEXT,
            "id_kind": _TEXT,
            "id_birth_date": "DATE",
            "id_birth_digits": _TEXT,
            "id_birth_year": "INTEGER",
            "id_gender": _TEXT,
        },
    ),
}
"""How the values of each role are read. Those of `email`, `phone` and `identifier` are numbered."""
