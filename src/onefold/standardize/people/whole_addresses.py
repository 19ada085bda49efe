"""Addresses in Latin letters written in one field: street, city, state, postcode, country."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.people import addresses, places
from onefold.standardize.people.chinese_addresses import chinese_address
from onefold.standardize.people.japanese_addresses import is_japanese, japanese_address
from onefold.standardize.people.text import HAN, KANA, latin, tidy

_STATES = "|".join(sorted(places.US_STATES | {"nsw", "vic", "qld", "tas", "act", "nt", "sa"}))
_STATE_ZIP = re.compile(rf"[,\s]+({_STATES})[.,\s]+(\d{{5}}(?:-\d{{4}})?|\d{{4}})$")
_CODE_CITY = re.compile(r"^(?:[a-z]{1,2}-)?(\d{4,5})\s+([a-z][a-z .'-]+)$")
_CITY_CODE = re.compile(
    r"^([a-z][a-z .'-]+?)\s+([a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}|[a-z]\d[a-z]\s*\d[a-z]\d|\d{4,6})$"
)


class WholeAddress(NamedTuple):
    """What an address says; see the columns of `Person`."""

    house_number: str | None = None
    street: str | None = None
    unit: str | None = None
    po_box: str | None = None
    address_more: str | None = None
    city: str | None = None
    district: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None


@lru_cache(maxsize=4_096)
def whole_address(value: str) -> WholeAddress:
    """The parts of one line or of a whole address.

    >>> whole_address("123 Main St Apt 4, Springfield, IL 62701, USA")
    WholeAddress(house_number='123', street='main st', unit='4', po_box=None, address_more=None, city='springfield', district=None, state='il', postcode='62701', country='us')
    >>> whole_address("Hauptstr. 5, 10115 Berlin")[:2], whole_address("Hauptstr. 5, 10115 Berlin").city
    (('5', 'haupt st'), 'berlin')
    >>> whole_address("12 High St, Leeds LS1 4AP").postcode, whole_address("12 High St").street
    ('ls14ap', 'high st')
    """
    text = latin(tidy(value).replace("ß", "ss")).lower()
    if addresses.is_line(text):
        return WholeAddress(*addresses.address_line(text))
    rest, country = _country(text)
    city = state = postcode = None
    if found := _STATE_ZIP.search(rest):
        state, postcode, rest = found[1], found[2], rest[: found.start()]
        rest, _, last = rest.rpartition(",")
        city = last
    else:
        rest, city, postcode = _locality(rest)
    if not rest:
        rest, city = text, None
    return WholeAddress(
        *addresses.address_line(rest),
        city=places.city(city or "") or None,
        state=state,
        postcode=addresses.postcode(postcode or "") or None,
        country=country,
    )


def any_address(value: str) -> WholeAddress:
    """The parts of an address in Latin letters, Chinese or Japanese.

    >>> any_address("广东省深圳市南山区中山路12号").city, any_address("東京都港区六本木6-10-1").house_number
    ('shenzhen', '6-10-1')
    """
    if is_japanese(value) or KANA.search(value):
        there = japanese_address(value)
        return WholeAddress(
            there.house_number,
            there.street,
            address_more=there.more,
            city=there.city,
            state=there.state,
            postcode=there.postcode,
            country="jp",
        )
    if not HAN.search(value):
        return whole_address(value)
    here = chinese_address(value)
    return WholeAddress(
        here.house_number,
        here.street,
        here.unit,
        address_more=here.more,
        city=here.city,
        district=here.district,
        state=here.state,
        postcode=here.postcode,
    )


def _country(text: str) -> tuple[str, str | None]:
    rest, comma, last = text.rpartition(",")
    found = places.country(last.strip()) if comma and len(last.strip()) > 2 else None
    return (rest, found) if found else (text, None)


def _locality(text: str) -> tuple[str, str | None, str | None]:
    """The rest, the city and the postcode: `10115 Berlin`, `Leeds LS1 4AP`, or nothing of it."""
    rest, _, last = text.rpartition(",")
    last = last.strip()
    if found := _CODE_CITY.match(last):
        return rest, found[2], found[1]
    if found := _CITY_CODE.match(last):
        return rest, found[1], found[2]
    return text, None, None
