"""Days as they are written in each country: its order, its months, its years.

Orders and the names of months are those of Unicode's CLDR, as Babel ships it (https://cldr.unicode.org/). Japanese eras
begin on the days that the Cabinet announced; the years of the Republic of China (民國) are 1911 less, those of the Buddhist
era in Thailand 543 more than the common ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from onefold.standardize.people.birth_dates import birth_date, date_order

TAG = re.compile(r"(?!([a-z])\1)[a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_][A-Z]{2})?")
"""What says in whose way dates are written: `de`, `en-GB`, `zh-TW`."""
_ERAS = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
_LETTERS = dict(zip("MTSHR", _ERAS, strict=True))
_ERA = re.compile(
    rf"({'|'.join(_ERAS)}|[MTSHRmtshr])\s*(元|\d{{1,2}})\s*[年./-]\s*(\d{{1,2}})\s*[月./-]\s*(\d{{1,2}})\s*日?"
)
_REPUBLIC = re.compile(
    r"(?:中華|中华)?民[國国]\s*(元|\d{1,3})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?"
)
_EAST = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号號일]?")
_COMPACT = re.compile(r"(\d{2,3})(\d{2})(\d{2})")
_HAN_DAY = re.compile(
    r"([〇零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})[日号號]"
)
_HAN_DIGITS = {sign: number for number, sign in enumerate("〇一二三四五六七八九")} | {"零": 0}
_MARKS = re.compile("[\u0300-\u036f]")
_APART = re.compile(r"[\s.,/\-]+")
_CALENDARS = frozenset({"IR", "AF", "SA"})
"""Countries whose usual calendar has other months: their days are not read by the country's order."""
_BUDDHIST, _REPUBLICAN = 543, 1911
_FIRST, _LAST, _PIVOT = 1800, 2199, 2035


class Custom(NamedTuple):
    """How days are written somewhere: which part comes first, what months are called, which years."""

    order: str
    months: Mapping[str, int]
    territory: str
    named: re.Pattern[str]


def tag_fault(tag: str) -> str:
    """What is wrong with what should say in whose way dates are written.

    >>> tag_fault("de-AT"), tag_fault("xx")
    ('', "'xx' is no language that dates are known of")
    """
    if custom(tag) is None:
        return f"{tag!r} is no language that dates are known of"
    if custom_of(tag).territory in _CALENDARS:
        return f"the calendar of {tag!r} is not read"
    return ""


def custom_of(tag: str) -> Custom:
    """How days are written in a language that is known."""
    found = custom(tag)
    if found is None:
        raise ValueError(tag)
    return found


@lru_cache(maxsize=64)
def custom(tag: str) -> Custom | None:
    """How days are written in a language and country; None where that is not known.

    >>> custom("en").order, custom("en-GB").order, custom("zh-TW").order, custom("hr").months["listopada"]
    ('mdy', 'dmy', 'ymd', 10)
    """
    # Names take memory; only who asks for a language has them.
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415
    from babel.core import get_global  # noqa: PLC0415

    try:
        locale: Any = Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None
    pattern = locale.date_formats["short"].pattern
    order = "".join(sorted("dmy", key=lambda sign: pattern.lower().find(sign)))
    months: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in locale.months[context][width].items():
                months.setdefault(_word(name), number)
    likely = get_global("likely_subtags").get(locale.language, "")
    words = sorted((one for one in months if not one.isdecimal()), key=len, reverse=True)
    named = re.compile(r"(?<![^\W\d_])(?:" + "|".join(map(re.escape, words)) + r")(?![^\W_])")
    return Custom(order, months, locale.territory or likely.rpartition("_")[2], named)


def day_of(value: str, tag: str = "") -> date | None:
    """The day that a text means by the eras and signs of East Asia, or in the way of a language.

    >>> [str(day_of(one)) for one in ("令和8年3月7日", "R8.3.7", "民國115年3月7日", "2026년 3월 7일", "二〇二六年三月七日")]
    ['2026-03-07', '2026-03-07', '2026-03-07', '2026-03-07', '2026-03-07']
    >>> [str(day_of("7.3.26", tag)) for tag in ("de", "en-US", "zh")]
    ['2026-03-07', '2026-07-03', 'None']
    >>> str(day_of("115/03/07", "zh-TW")), str(day_of("7 มีนาคม 2569", "th")), str(day_of("7 marca 2026", "pl"))
    ('2026-03-07', '2026-03-07', '2026-03-07')
    """
    return _day_of(value, tag) if len(value) <= 64 else None


@lru_cache(maxsize=65_536)
def _day_of(value: str, tag: str) -> date | None:
    text = _digits(unicodedata.normalize("NFKC", value)).strip()
    if found := _ERA.fullmatch(text):
        era = _LETTERS.get(found[1].upper(), found[1])
        year = _year(found[2])
        return _made(_ERAS[era] + year - 1, found[3], found[4]) if year else None
    if found := _REPUBLIC.fullmatch(text):
        return _made(_REPUBLICAN + _year(found[1]), found[2], found[3])
    if found := _EAST.fullmatch(text):
        return _made(int(found[1]), found[2], found[3])
    if found := _HAN_DAY.fullmatch(text):
        year = int("".join(str(_HAN_DIGITS[sign]) for sign in found[1]))
        return _made(year, _han_number(found[2]), _han_number(found[3]))
    known = custom(tag) if tag else None
    return _by_custom(text, known) if known else None


def _by_custom(text: str, known: Custom) -> date | None:
    if known.territory == "TW" and (found := _COMPACT.fullmatch(text)):
        return _made(_REPUBLICAN + int(found[1]), found[2], found[3])
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    months = [known.months[one[0]] for one in known.named.finditer(plain)]
    parts = [part for part in _APART.split(known.named.sub(" ", plain)) if part]
    numbers = [part for part in parts if part.isdecimal()]
    if len(numbers) == 3 and not months and _are_all(parts):
        order = "ymd" if len(numbers[0]) == 4 else known.order
        placed = dict(zip(order, numbers, strict=True))
        return _made(_in_common(placed["y"], known), placed["m"], placed["d"])
    if len(numbers) == 2 and len(months) == 1:
        first, second = numbers
        day, year = (second, first) if len(first) == 4 else (first, second)
        return _made(_in_common(year, known), months[0], day)
    return None


def _are_all(parts: Sequence[str]) -> bool:
    """Are these the three numbers of a day, and at most the sign for the year behind them?"""
    return len(parts) == 3 or (len(parts) == 4 and parts[-1].isalpha() and len(parts[-1]) <= 2)


def _in_common(written: str, known: Custom) -> int:
    """A year of the common era, of one that may be of another."""
    year = int(written)
    if known.territory == "TH" and (year > _LAST or len(written) == 2):
        return year + (2500 if len(written) == 2 else 0) - _BUDDHIST
    if known.territory == "TW" and len(written) <= 3:
        return year + _REPUBLICAN
    if len(written) == 2:
        century = year + 2000
        return century if century <= _PIVOT else century - 100
    return year


def _made(year: int, month: Any, day: Any) -> date | None:
    try:
        return date(year, int(month), int(day)) if _FIRST <= year <= _LAST else None
    except ValueError:
        return None


def _year(text: str) -> int:
    return 1 if text == "元" else int(text)


def _han_number(text: str) -> int:
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _HAN_DIGITS.get(text, 0)
    return 10 * (_HAN_DIGITS.get(tens, 0) if tens else 1) + (
        _HAN_DIGITS.get(ones, 0) if ones else 0
    )


def _digits(text: str) -> str:
    """With the digits of every script as those of ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)


def _word(name: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFKD", name.casefold())).strip(". ")


_CLOCK = re.compile(
    r"(上午|下午|午前|午後|凌晨|早上|中午|晚上)?\s*(\d{1,2})(?::|\s*[時时点點]\s*)(?:(\d{1,2})(?::|\s*分\s*)?)?(?:(\d{1,2})\s*秒?)?$"
)
_AFTERNOON = frozenset({"下午", "午後", "晚上"})


def western_clock(text: str) -> str:
    """A time of day as it is written in East Asia, with colons and without its half of the day.

    >>> western_clock("2024/1/5 下午3:20:07"), western_clock("2026年1月31日 14時05分"), western_clock("午前0時5分")
    ('2024/1/5 15:20:07', '2026年1月31日 14:05:00', '00:05:00')
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _CLOCK.search(plain)
    if found is None:
        return plain
    half, hour = found[1], int(found[2])
    if half and hour <= 12:
        hour = hour % 12 + (12 if half in _AFTERNOON or (half == "中午" and hour > 10) else 0)
    clock = f"{hour:02}:{int(found[3] or 0):02}:{int(found[4] or 0):02}"
    return f"{plain[: found.start()].rstrip()} {clock}".strip()


class Days(NamedTuple):
    """The days of a column: of each different text the day, or both that it may be."""

    order: str | None
    days: dict[str, tuple[date, ...]]


def column_days(values: Sequence[str], tag: str = "") -> Days:
    """The days of a column. Whether day or month comes first is decided by all its values together.

    >>> found = column_days(["03/04/2026", "31/03/2026", "soon"])
    >>> found.order, [str(one) for one in found.days["03/04/2026"]], found.days["soon"]
    ('dmy', ['2026-04-03'], ())
    >>> [str(one) for one in column_days(["03/04/2026"]).days["03/04/2026"]]
    ['2026-03-04', '2026-04-03']
    """
    known = custom(tag) if tag else None
    order = known.order if known else date_order(values)
    days: dict[str, tuple[date, ...]] = {}
    for value in dict.fromkeys(values):
        if (found := day_of(value, tag)) is not None:
            days[value] = (found,)
            continue
        read = birth_date(value, order)
        days[value] = tuple(day for day in (read.day, read.other) if day is not None)
    return Days(order, days)
