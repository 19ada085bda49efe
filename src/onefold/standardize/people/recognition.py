"""What the columns of an unknown file hold, by their headers and by what stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from onefold.standardize.people import (
    addresses,
    chinese_names,
    common_names,
    companies,
    headers,
    places,
)
from onefold.standardize.people.birth_dates import birth_date
from onefold.standardize.people.gender import gender
from onefold.standardize.people.national_ids import national_id
from onefold.standardize.people.roles import SEVERAL
from onefold.standardize.people.text import HAN, fold, tidy

SURE = 0.5
"""A column of less confidence is not used."""
SAMPLE = 1000
"""So many values of a column are enough to see what it holds."""
_EMAIL = re.compile(r"\s*[^\s@]{1,64}@[^\s@]+\.[^\s@]{2,}\s*")
_PHONE = re.compile(r"\s*(?:\+|00)?[\d\s().\-/]{7,20}(?:\s*(?:x|ext)\.?\s*\d+)?\s*", re.I)
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_POSTAL = re.compile(r"〒?\d{3}-\d{4}|\d{5}-\d{4}")
_DECIMAL = re.compile(r"-?(?:[1-9]\d*|0)\.\d+|-?[1-9]\d{0,2}(?:\.\d{3})+")
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
"""A mobile number of mainland China, without any sign in it."""
_TRUNK = re.compile(r"0[1-9]\d{8,9}")
"""A number as it is dialed within most countries of Europe and in Japan."""
_WAYS = frozenset(
    """burg burgs camp cape causeway cliff cliffs club course curve dale dam divide ferry flat flats fords forge forges fork
    forks glens greens groves haven inlet islands isle junction junctions key keys knoll knolls lake lakes landing light
    lights lock locks lodge loop mall manor manors meadow meadows mews mill mills mission motorway mount mountain mountains
    neck orchard oval overpass park parks parkway parkways pass passage path pike pine pines plain plains plaza point points
    port ports prairie radial ramp ranch rapid rapids rest ridge ridges river roads route row run shoal shoals shore shores
    skyway spring springs spur spurs square squares station stravenue stream streets summit throughway trace track trafficway
    trail tunnel turnpike underpass union unions valley valleys via viaduct view views village villages ville vista walk
    walks wall ways well wells""".split()
)
"""What streets of the United States are called besides, as in USPS Publication 28."""
_STREET = re.compile(
    rf"^\d{{1,6}}[a-z]?,? .*\b(?:{'|'.join(sorted(addresses.STREET_WORDS | _WAYS))})(?:$|,| (?:apt|suite|ste|unit|#)\b)"
    r"|^\d{1,6} .*\b(?:apt|suite|ste)\.? #?\w{1,6}$"
    r"|\d.*\b(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|ct|court|blvd|way|pl|place|cres|terrace)\b"
    r"|\b(?:rue|calle|via|avenida)\b"
    r"|(?:\w(?:str\.?|straße|strasse|weg|platz|allee|gasse|ring|damm|ufer|steig|chaussee|graben|straat|laan|plein)"
    r"|-(?:str\.?|straße|strasse|weg|platz|allee|ring|ufer)|\b(?:straße|strasse|weg|platz|allee|ring|markt|damm))\s*\d"
    r"|[路街巷弄道村].*\d+[号號]|丁目|[都道府県区市町村][^\d]*\d+(?:[-−ー‐]\d+)+"
    r"|^[^\d]*[\u3041-\u30ff\u4e00-\u9fff]\d+(?:[-−ー‐]\d+){1,3}(?:\D.*)?$"
    r"|[\u4e00-\u9fff]{2,}[省市区縣县區].*[路街道镇鎮乡鄉村].*\d|[\u4e00-\u9fff]{2,}[省市].*[市区縣县區].*\d",
    re.I,
)
_GIVENS, _FAMILIES, _FEWEST = 0.35, 0.12, 10
"""The shares of frequent names above which a column holds names, and how many different ones it must have."""


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
    if _SSN.fullmatch(value) or _POSTAL.fullmatch(value) or _DECIMAL.fullmatch(value):
        return False
    fewest = 7 if value[:1] in "+(0" else 8
    if _PHONE.fullmatch(value) is None or not fewest <= _digits(value) <= 15:
        return False
    return birth_date(value).day is None


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
    return any(len(word) > 2 and common_names.is_given(word) for word in words) or all(
        map(chinese_names.is_pinyin, words)
    )


def _is_given(value: str) -> bool:
    return value.replace("-", "").isalpha() and common_names.is_given(fold(value.partition("-")[0]))


_CONTENT: tuple[tuple[str, float, Callable[[str], bool], str], ...] = (
    ("email", 0.9, lambda value: _EMAIL.fullmatch(value) is not None, "e-mail addresses"),
    ("national_id", 0.9, _is_national, "numbers that a state gives to one person"),
    ("address", 0.85, lambda value: _STREET.search(value) is not None, "streets with numbers"),
    ("full_name", 0.85, _is_whole_name, "whole names"),
)


def _by_content(values: list[str]) -> Guess:
    if not values:
        return Guess("ignore", 0.0, "it is empty")
    for role, confidence, fits, what in _CONTENT:
        share = _share(values, fits)
        if share >= 0.6:
            return Guess(role, round(confidence * share, 2), f"its values: {what}")
    return _names_or(_dates_and_codes, values)


def _names_or(other: Callable[[list[str]], Guess], values: list[str]) -> Guess:
    """Names that stand apart: only some of them are frequent ones."""
    if (given := _share(values, _is_given)) >= _GIVENS:
        return Guess("given_name", round(0.5 + 0.2 * given, 2), "its values: given names")
    distinct = list(set(values))
    if len(distinct) >= _FEWEST and _share(distinct, common_names.is_family) >= _FAMILIES:
        return Guess("family_name", 0.6, "its values: family names")
    return other(values)


def _dates_and_codes(values: list[str]) -> Guess:
    """What only many values together tell."""
    distinct = set(values)
    dated = [found.year for value in values if (found := birth_date(value)).day and found.year]
    if len(dated) >= 0.8 * len(values) and any(not value.isdigit() for value in values):
        early = sum(year < 2005 for year in dated) / len(dated)
        if early >= 0.6 and len({year // 10 for year in dated}) >= min(3, len(dated)):
            return Guess("birth_date", 0.6, "its values: dates like those of births")
    if (numbers := _numbered(values)) is not None:
        return numbers
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


def _numbered(values: list[str]) -> Guess | None:
    """Numbers of telephones and places."""
    told = "its values: telephone numbers"
    if _share(values, _is_phone) >= 0.8 and any(not value.isdigit() for value in values):
        return Guess("phone", 0.7, told)
    if len(set(values)) > 1:
        for pattern, sure in ((_MOBILE, 0.8), (_TRUNK, 0.6)):
            if _share(values, _matching(pattern)) >= 0.9:
                return Guess("phone", sure, told)
    if _share(values, _matching(_POSTAL)) >= 0.9:
        return Guess("postcode", 0.7, "its values: postal codes")
    return None


def _matching(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


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
