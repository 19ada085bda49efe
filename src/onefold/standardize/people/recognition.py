"""What the columns of an unknown file hold, by their headers and by what stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from onefold.standardize.people import chinese_names, companies, headers, places
from onefold.standardize.people.birth_dates import birth_date
from onefold.standardize.people.gender import gender
from onefold.standardize.people.national_ids import national_id
from onefold.standardize.people.nicknames import is_known
from onefold.standardize.people.roles import SEVERAL
from onefold.standardize.people.text import HAN, fold, tidy

SURE = 0.5
"""A column of less confidence is not used."""
SAMPLE = 1000
"""So many values of a column are enough to see what it holds."""
_EMAIL = re.compile(r"\s*[^\s@]{1,64}@[^\s@]+\.[^\s@]{2,}\s*")
_PHONE = re.compile(r"\s*(?:\+|00)?[\d\s().\-/]{7,20}(?:\s*(?:x|ext)\.?\s*\d+)?\s*", re.I)
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_STREET = re.compile(
    r"\d.*\b(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|ct|court|blvd|way|pl|place|cres|terrace)\b"
    r"|\b(?:rue|calle|via|avenida)\b|\w(?:str\.|straße|strasse)\s*\d|[路街巷弄道村].*\d+号",
    re.I,
)


class Guess(NamedTuple):
    """What a column seems to hold, how sure that is (0 to 1), and why."""

    role: str
    confidence: float
    reason: str


def recognize(columns: Mapping[str, Sequence[object]]) -> dict[str, Guess]:
    """What each column holds; `ignore` where that is not seen. Some hundred values are enough.

    >>> found = recognize({"Vorname": ["Anna"], "E-Mail": ["a@b.de"], "身份证号": ["11010519491231002X"]})
    >>> [guess.role for guess in found.values()]
    ['given_name', 'email', 'national_id']
    >>> recognize({"x1": ["415-555-2671", "212-555-0123"]})["x1"].role
    'phone'
    """
    values = {header: _values(each) for header, each in columns.items()}
    guesses = {header: _guess(header, each) for header, each in values.items()}
    return _settled(_names_apart(guesses, values))


def _values(column: Sequence[object]) -> list[str]:
    return [text for each in column[:SAMPLE] if (text := tidy(each))]


def _guess(header: str, values: list[str]) -> Guess:
    """By the header, if what stands there does not contradict; else by what stands there."""
    role, confidence = headers.role_of(header)
    if role == "ignore" and confidence:
        return Guess("ignore", confidence, "its header")
    if role == "ignore":
        return _by_content(values)
    fitting = _share(values, _FITS[role]) if role in _FITS and values else 1.0
    if role == "identifier" and len(set(values)) > 0.98 * len(values):
        return Guess("ignore", confidence, "each row has another value")
    if fitting >= 0.5:
        return Guess(role, confidence, "its header")
    found = _by_content(values)
    if found.confidence >= SURE:
        return found
    return Guess(role, round(confidence * 0.4, 2), "its header, but its values do not look so")


def _share(values: list[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, values)) / len(values) if values else 0.0


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value))


def _is_phone(value: str) -> bool:
    if _SSN.fullmatch(value):
        return False
    return _PHONE.fullmatch(value) is not None and 7 <= _digits(value) <= 15


def _is_born(value: str) -> bool:
    found = birth_date(value)
    return found.day is not None or found.digits is not None or found.year is not None


def _is_name(value: str) -> bool:
    return _digits(value) <= 1 and "@" not in value and len(value) <= 80


_FITS: dict[str, Callable[[str], bool]] = {
    "email": lambda value: "@" in value or " at " in value,
    "phone": lambda value: 5 <= _digits(value) <= 20,
    "birth_date": _is_born,
    "birth_year": lambda value: _digits(value) >= 2,
    "gender": lambda value: gender(value) is not None or len(value) <= 12,
    "given_name": _is_name,
    "family_name": _is_name,
    "full_name": _is_name,
    "middle_name": _is_name,
    "postcode": lambda value: len(value) <= 12 and _digits(value) > 0,
    "national_id": lambda value: _digits(value) >= 4 or "*" in value,
}


def _is_national(value: str) -> bool:
    """A resident's number with the right last digit, or an SSN with its hyphens."""
    if _SSN.fullmatch(value):
        return True
    found = national_id(value)
    return found is not None and found.birth_date is not None


def _is_chinese_name(value: str) -> bool:
    text = chinese_names.simplified(value)
    one = 2 <= len(text) <= 4 and len(HAN.findall(text)) == len(text)
    return one and (chinese_names.is_surname(text[:1]) or chinese_names.is_surname(text[:2]))


def _is_whole_name(value: str) -> bool:
    if _is_chinese_name(value):
        return True
    words = fold(value).split()
    if not 2 <= len(words) <= 5 or _digits(value):
        return False
    return any(len(word) > 2 and is_known(word) for word in words) or all(
        map(chinese_names.is_pinyin, words)
    )


def _is_given(value: str) -> bool:
    return len(value) > 2 and value.isalpha() and is_known(fold(value))


_CONTENT: tuple[tuple[str, float, Callable[[str], bool], str], ...] = (
    ("email", 0.9, lambda value: _EMAIL.fullmatch(value) is not None, "e-mail addresses"),
    ("national_id", 0.9, _is_national, "numbers that a state gives to one person"),
    ("address", 0.85, lambda value: _STREET.search(value) is not None, "streets with numbers"),
    ("full_name", 0.85, _is_whole_name, "whole names"),
    ("given_name", 0.6, _is_given, "given names"),
)


def _by_content(values: list[str]) -> Guess:
    if not values:
        return Guess("ignore", 0.0, "it is empty")
    for role, confidence, fits, what in _CONTENT:
        share = _share(values, fits)
        if share >= 0.6:
            return Guess(role, round(confidence * share, 2), f"its values: {what}")
    return _dates_and_codes(values)


def _dates_and_codes(values: list[str]) -> Guess:
    """What only many values together tell."""
    distinct = set(values)
    dated = [found.year for value in values if (found := birth_date(value)).day and found.year]
    if len(dated) >= 0.8 * len(values) and any(not value.isdigit() for value in values):
        early = sum(year < 2005 for year in dated) / len(dated)
        if early >= 0.6 and len({year // 10 for year in dated}) >= min(3, len(dated)):
            return Guess("birth_date", 0.6, "its values: dates like those of births")
    if _share(values, _is_phone) >= 0.8 and any(not value.isdigit() for value in values):
        return Guess("phone", 0.7, "its values: telephone numbers")
    several = len(values) > len(distinct)
    few = several and len(distinct) <= 8 and not all(value.isdigit() for value in distinct)
    if few and _share(values, lambda value: gender(value) is not None) >= 0.9:
        return Guess("gender", 0.7, "its values: genders")
    named = several or any(len(value) > 3 for value in distinct)
    if named and _share(values, lambda value: places.country(value) is not None) >= 0.9:
        return Guess("country", 0.6, "its values: countries")
    if len(distinct) > 3 and _share(values, lambda value: value.lower() in places.US_STATES) >= 0.9:
        return Guess("state", 0.7, "its values: states")
    if _share(values, companies.has_legal_form) >= 0.4:
        return Guess("company", 0.6, "its values: legal forms of companies")
    return Guess("ignore", 0.0, "neither its header nor its values say what it holds")


def _names_apart(guesses: dict[str, Guess], values: dict[str, list[str]]) -> dict[str, Guess]:
    """A column `name` beside one for the family name holds given names."""
    roles = {guess.role for guess in guesses.values() if guess.confidence >= SURE}
    if "family_name" not in roles or "given_name" in roles:
        return guesses
    found = dict(guesses)
    for header, guess in guesses.items():
        single = _share(values[header], lambda value: " " not in value and len(value) > 1)
        if guess.role == "full_name" and headers.plain(header) in _NAME and single >= 0.7:
            found[header] = Guess("given_name", 0.75, "its header, beside one of family names")
    return found


_NAME = ("name", "名字", "nom", "nombre")


def _settled(guesses: dict[str, Guess]) -> dict[str, Guess]:
    """Of several columns for what one can hold only the surest is used."""
    best: dict[str, float] = {}
    for guess in guesses.values():
        best[guess.role] = max(best.get(guess.role, 0.0), guess.confidence)
    found, taken = {}, set()
    for header, guess in guesses.items():
        if guess.confidence < SURE and guess.role != "ignore":
            guess = Guess("ignore", guess.confidence, f"perhaps {guess.role}: {guess.reason}")
        elif guess.role not in SEVERAL:
            if guess.role in taken or guess.confidence < best[guess.role]:
                guess = Guess("ignore", 1.0, f"another column is {guess.role}")
            taken.add(guess.role)
        found[header] = guess
    return found
