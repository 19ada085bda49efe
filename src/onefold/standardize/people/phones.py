"""Telephone numbers as people write them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from onefold.standardize.people.text import tidy

_EXTENSION = re.compile(
    r"\s*(?:[,;]?\s*(?:ext(?:ension)?|x|durchwahl|dw|poste|int)[.:\s]*|转|分机|#|;ext=)\s*(\d{1,7})$",
    re.I,
)
SIGNS = "[\\s().\\-/\u00b7\u2010-\u2015]+"
_SIGNS = re.compile(SIGNS)
JUNK_ENDS = frozenset(
    "1234567 2345678 3456789 4567890 7654321 8765432 9876543".split()
    + [digit * 7 for digit in "0123456789"]
)
"""What made-up numbers end in."""


class Phone(NamedTuple):
    """A number in E.164, and the extension there."""

    number: str
    extension: str | None = None


class Plan(NamedTuple):
    """How the numbers of one region are written, as regular expressions."""

    code: str
    prefix: str
    national: str


@lru_cache(maxsize=512)
def plan(region: str | None) -> Plan | None:
    """The numbering plan of a region; None where numbers must name their country.

    >>> plan("US").code, plan("CN").code, plan(None)
    ('1', '86', None)
    """
    found = phonenumbers.PhoneMetadata.metadata_for_region(region.upper()) if region else None
    if found is None or found.general_desc is None or found.country_code is None:
        return None
    pattern = found.general_desc.national_number_pattern
    return Plan(str(found.country_code), found.national_prefix or "", pattern or "")


@lru_cache(maxsize=512)
def _plain(region: str | None) -> re.Pattern[str] | None:
    known = plan(region)
    return re.compile(plain_pattern(known)) if known else None


def plain_pattern(known: Plan) -> str:
    """Digits of a number written the plain way: the national number is the group."""
    prefix = f"(?:{known.prefix})?" if known.prefix.isdigit() else ""
    return rf"(?:(?:\+|00){known.code}|{prefix})({known.national})"


@lru_cache(maxsize=4_096)
def phone(value: str, region: str | None = None) -> Phone | None:
    """The number in E.164, and the extension; None where this can be no number, or is junk.

    >>> phone("(415) 555-2671 ext. 12", "US"), phone("0086 138 1234 5679", "US")
    (Phone(number='+14155552671', extension='12'), Phone(number='+8613812345679', extension=None))
    >>> phone("020 7946 0958", "GB").number, phone("999-999-9999", "US"), phone("12345", "US")
    ('+442079460958', None, None)
    """
    text = tidy(value)
    if not text or len(text) > 64:
        return None
    extension = None
    if found := _EXTENSION.search(text):
        text, extension = text[: found.start()], found[1]
    number = _number(text, region)
    return None if number is None or is_made_up(number) else Phone(number, extension)


def _number(text: str, region: str | None) -> str | None:
    plain = _plain(region)
    digits = _SIGNS.sub("", text)
    if plain and (match := plain.fullmatch(digits)):
        return f"+{plan(region).code}{match[1]}"  # type: ignore[union-attr]
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if text.startswith("+") and (whole := _international(_SIGNS.sub("", text))):
        return whole
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(number.country_code or 0)
    prefix = _national(regions[0])[1] if regions else None
    if prefix and prefix.match(phonenumbers.national_significant_number(number)):
        # What is dialed within the country stands there twice, so this is no number.
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _international(digits: str) -> str | None:
    """A number with its country that is written the plain way: nothing is to be left out."""
    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(_code(digits[1 : length + 1]))
        if regions is not None:
            national, prefix = _national(regions[0])
            rest = digits[length + 1 :]
            if national and national.fullmatch(rest) and not (prefix and prefix.match(rest)):
                return digits
            return None
    return None


def _code(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() else 0


@lru_cache(maxsize=512)
def _national(region: str) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """What national numbers of a region look like, and what stands before them within it."""
    found = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if (
        found is None
        or found.general_desc is None
        or not found.general_desc.national_number_pattern
    ):
        return None, None
    prefix = found.national_prefix_for_parsing
    own = re.compile(found.general_desc.national_number_pattern)
    return own, re.compile(prefix) if prefix else None


def is_made_up(number: str) -> bool:
    """Is this a number that forms are filled with?

    >>> is_made_up("+19999999999"), is_made_up("+11234567890"), is_made_up("+14155552671")
    (True, True, False)
    """
    return number[-7:] in JUNK_ENDS
