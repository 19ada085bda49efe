"""Dates of birth as people and systems write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.people.text import latin, tidy

MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january januar janvier enero gennaio janeiro ene janv genn jaenner janner januari",
            "feb february februar fevrier febrero febbraio fevereiro fev fevr febr februari",
            "mar march marz maerz mars marzo marco mrz maart mrt",
            "apr april avril abril aprile abr avr",
            "may mai mayo maggio maio mei mag",
            "jun june juni juin junio giugno junho giu",
            "jul july juli juillet julio luglio julho juil lug",
            "aug august aout agosto ago augustus",
            "sep sept september septembre septiembre settembre setembro set",
            "oct october oktober octobre octubre ottobre outubro okt ott out",
            "nov november novembre noviembre novembro",
            "dec december dezember decembre diciembre dicembre dezembro dez dic",
        ),
        1,
    )
    for name in names.split()
}
_CHINESE = re.compile(
    r"(民国|民國)?\s*(\d{1,4})\s*年\s*(?:(\d{1,2})\s*月\s*(?:(\d{1,2})\s*[日号號]?)?)?"
)
_ISO_TIME = re.compile(r"(?<=\d)[T ]\d{1,2}:\d{2}.*$")
_NUMBERS = re.compile(r"([0-9a-z]{1,4})[./\- ]+([0-9a-z]{1,2})[./\- ]+([0-9a-z]{1,4})")
_WORDS = re.compile(r"[a-z]+|\d+")
_ORDINAL = re.compile(r"(?<=\d)(st|nd|rd|th)\b")
_MISREAD = str.maketrans({"o": "0", "l": "1", "i": "1", "s": "5", "z": "2", "b": "8"})
_FIRST_YEAR = 1875
# Days that programs write where none is known.
JUNK_DAYS = frozenset(
    "19000101 19000102 18991230 18991231 17530101 16010101 11111111 99991231 19040101".split()
)


class BirthDate(NamedTuple):
    """What a field says about a day of birth; see the columns of `Person`."""

    day: date | None = None
    other: date | None = None
    weak: bool | None = None
    digits: str | None = None
    year: int | None = None


NO_DATE = BirthDate()


def birth_date(value: object, order: str | None = None, until: int = 2035) -> BirthDate:
    """The day that a text means. `order` is the column's: `dmy`, `mdy`, or None where open.

    >>> birth_date("1985-03-07").day, birth_date("7. März 1985").day, birth_date("1985年3月7日").day
    (datetime.date(1985, 3, 7), datetime.date(1985, 3, 7), datetime.date(1985, 3, 7))
    >>> open_ = birth_date("03/07/1985"); open_.day, open_.other
    (datetime.date(1985, 3, 7), datetime.date(1985, 7, 3))
    >>> birth_date("03/07/1985", "dmy").day, birth_date("31/12/1985", "mdy").day
    (datetime.date(1985, 7, 3), datetime.date(1985, 12, 31))
    >>> birth_date("19850231"), birth_date("1900-01-01"), birth_date("1985").year
    (BirthDate(day=None, other=None, weak=None, digits='19850231', year=1985), BirthDate(day=None, other=None, weak=None, digits=None, year=None), 1985)
    """
    if type(value) is date:
        value = value.isoformat()
    text = tidy(value)
    return _birth_date(text, order, until) if text and len(text) <= 48 else NO_DATE


@lru_cache(maxsize=65_536)
def _birth_date(text: str, order: str | None, until: int) -> BirthDate:
    if found := _CHINESE.fullmatch(text):
        year = int(found[2]) + (1911 if found[1] else 0)
        return _made(_full_year(str(year), until), found[3] or "", found[4] or "")
    text = latin(_ISO_TIME.sub("", text)).lower().strip(" .,")
    if text.isdigit():
        return _of_digits(text, order, until)
    if found := _NUMBERS.fullmatch(text):
        parts = [part if part in MONTHS else part.translate(_MISREAD) for part in found.groups()]
        if not any(part in MONTHS for part in parts):
            first, second, third = parts
            order = order or ("dmy" if "." in text else None)
            return _of_parts(first, second, third, order, until)
    return _of_words(text, until)


def _of_digits(text: str, order: str | None, until: int) -> BirthDate:
    """Digits only: `19850307`, `03071985`, `850307`, `1985`, or a spreadsheet's day number."""
    if len(text) == 8:
        if _is_year(text[:4], until) or not _is_year(text[4:], until):
            return _made(text[:4], text[4:6], text[6:])
        return _of_parts(text[:2], text[2:4], text[4:], order, until)
    if len(text) == 7 and _is_year(text[3:], until):
        return _of_parts(text[:1], text[1:3], text[3:], order, until)
    if len(text) == 6:
        return _made(_full_year(text[:2], until), text[2:4], text[4:])
    if len(text) == 4 and _is_year(text, until):
        return BirthDate(year=int(text))
    if len(text) == 5 and 3654 <= int(text) <= 55_000:
        return _made(*(date(1899, 12, 30) + timedelta(days=int(text))).isoformat().split("-"))
    return NO_DATE


def _of_parts(first: str, second: str, third: str, order: str | None, until: int) -> BirthDate:
    """Three numbers; the year is the one of four digits, else the last."""
    if len(first) == 4:
        return _made(first, second, third)
    if len(third) == 3:
        return NO_DATE
    year = _full_year(third, until)
    month_first = _made(year, first, second)
    day_first = _made(year, second, first)
    if order is not None:
        wanted, other = (day_first, month_first) if order == "dmy" else (month_first, day_first)
        return wanted if wanted.day or not other.day else other
    if month_first.day and day_first.day and month_first.day != day_first.day:
        return month_first._replace(other=day_first.day, weak=month_first.weak or day_first.weak)
    return month_first if month_first.day or not day_first.day else day_first


def _of_words(text: str, until: int) -> BirthDate:
    """A month by its name: `7 march 1985`, `mar-07-85`, `march 1985`."""
    words = _WORDS.findall(_ORDINAL.sub("", text))
    months = [MONTHS[word] for word in words if word in MONTHS]
    numbers = [word for word in words if word.isdigit()]
    if len(months) != 1 or not 1 <= len(numbers) <= 2:
        return NO_DATE
    if len(numbers) == 1:
        return _made(numbers[0], str(months[0]), "") if len(numbers[0]) == 4 else NO_DATE
    day, year = numbers if len(numbers[0]) <= 2 else (numbers[1], numbers[0])
    return _made(_full_year(year, until), str(months[0]), day)


def _is_year(text: str, until: int) -> bool:
    return _FIRST_YEAR <= int(text) <= until


def _full_year(text: str, until: int) -> str:
    """Two digits are the last such year that is not after `until`.

    >>> _full_year("85", 2026), _full_year("05", 2026), _full_year("1985", 2026)
    ('1985', '2005', '1985')
    """
    if len(text) != 2 or not text.isdigit():
        return text
    year = until // 100 * 100 + int(text)
    return str(year if year <= until else year - 100)


def _made(year: str, month: str, day: str) -> BirthDate:
    digits = "".join(sign if sign.isdigit() else "x" for sign in f"{year:0>4}{month:0>2}{day:0>2}")
    number = int(year) if year.isdigit() and _FIRST_YEAR <= int(year) <= 2100 else None
    if digits in JUNK_DAYS or digits.startswith(("0001", "0000")):
        return NO_DATE
    if not day:
        return BirthDate(year=number)
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return BirthDate(digits=digits, year=number)
    if number is None:
        return BirthDate(digits=digits)
    return BirthDate(born, None, True if digits.endswith("0101") else None, digits, number)


_TWO_FIRST = re.compile(r"(\d{1,2})[/\- .](\d{1,2})[/\- .](\d{4}|\d{2})\b")


def date_order(values: Iterable[str]) -> str | None:
    """Whether the day or the month comes first in a column; None where its values leave it open.

    >>> date_order(["03/07/1985", "25/12/1970"]), date_order(["12/25/1970"]), date_order(["3/7/85"])
    ('dmy', 'mdy', None)
    """
    days = months = 0
    for value in values:
        if found := _TWO_FIRST.match(value.strip()):
            first, second = int(found[1]), int(found[2])
            days += first > 12 >= second
            months += second > 12 >= first
    if days > 20 * months:
        return "dmy"
    return "mdy" if months > 20 * days else None
