"""Numbers that a state gives to one person: what kind, and what they say."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.people.text import latin, tidy

_NOT_WORD = re.compile(r"[\W_]+")
_MASKED = re.compile(r"[x*•#]{5}(\d{4})|[x*•#]{3}-?[x*•#]{2}-?(\d{4})", re.I)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10x98765432"
# Printed in advertisements and forms, and so used by thousands.
JUNK_NUMBERS = frozenset(
    {"123456789", "987654321", "078051120", "219099999", "012345678", "111223333"}
)
_RESIDENT = re.compile(r"[1-9]\d{16}[\dx]")
_OLD_RESIDENT = re.compile(r"[1-9]\d{14}")


class NationalId(NamedTuple):
    """A number with its kind, and the birth date and gender that it holds."""

    number: str
    kind: str
    birth_date: date | None = None
    gender: str | None = None


@lru_cache(maxsize=4096)
def national_id(value: str) -> NationalId | None:
    """The number as it is compared; None where it is junk.

    >>> national_id("078-05-1120"), national_id("219-09-1234")
    (None, NationalId(number='219091234', kind='us_ssn', birth_date=None, gender=None))
    >>> national_id("XXX-XX-1234").kind, national_id("12 34 56 7").number
    ('us_ssn4', '1234567')
    >>> national_id("11010519491231002X")
    NationalId(number='11010519491231002x', kind='cn_resident', birth_date=datetime.date(1949, 12, 31), gender='f')
    """
    text = latin(tidy(value)).lower()
    if masked := _MASKED.fullmatch(text.replace(" ", "")):
        return NationalId(masked[1] or masked[2], "us_ssn4")
    number = _NOT_WORD.sub("", text)
    if len(number) < 4 or len(number) > 32 or len(set(number)) == 1 or number in JUNK_NUMBERS:
        return None
    if _RESIDENT.fullmatch(number):
        return _resident(number)
    if _OLD_RESIDENT.fullmatch(number) and (born := _day("19" + number[6:12])):
        body = f"{number[:6]}19{number[6:]}"
        return NationalId(body + check_digit(body), "cn_resident", born, _gender(number[14]))
    kind = "us_ssn" if len(number) == 9 and number.isdigit() else "other"
    return NationalId(number, kind)


def _resident(number: str) -> NationalId:
    """A mistyped number is kept, to be compared, but it tells nothing."""
    born = _day(number[6:14])
    if born is None or check_digit(number[:17]) != number[17]:
        return NationalId(number, "cn_resident")
    return NationalId(number, "cn_resident", born, _gender(number[16]))


def check_digit(body: str) -> str:
    """The last sign of a Chinese resident's number (GB 11643).

    >>> check_digit("11010519491231002")
    'x'
    """
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True))
    return CHECKS[total % 11]


def _gender(digit: str) -> str:
    return "m" if int(digit) % 2 else "f"


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
