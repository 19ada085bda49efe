"""How one value of a record is read: as a type, by a format, in a unit. What it is not is told."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import msgspec

from onefold.model.moments import micros_of
from onefold.standardize.national_dates import TAG, custom_of, day_of, tag_fault, western_clock
from onefold.standardize.people.birth_dates import JUNK_DAYS, birth_date
from onefold.standardize.times import micros


class Wrong(NamedTuple):
    """Why a value cannot be read, and what to do about it."""

    problem: str
    hint: str = ""


Read = Callable[[Any], Any]
"""Gives what a value means, None where it says that there is none, or a `Wrong`."""

_YES = """
true t yes y 1 on x ja j wahr oui si sí 是 真 有 对 對 同意 已同意 已订阅 はい 有効 希望する 同意する する 可 sì sim da tak да evet 예 네 ✓ ✔ ○ ☑ 1.0 vrai verdadero vero
"""
_NO = """
false f no n 0 off nein falsch non 否 假 无 無 错 錯 不 不同意 未同意 未订阅 いいえ 無効 希望しない 同意しない しない 不可 não nao nie нет
hayır 아니오 아니요 ✗ ✘ × ☐ 0.0 faux falso 不是
"""
TRUE, FALSE = frozenset(_YES.split()), frozenset(_NO.split())
ORDERS = ("dmy", "mdy", "ymd")
NUMBERED = ("excel", "unix", "unix_ms")
_DIGITS = 300
"""Of a longer number Python makes no integer, or none that a column could hold."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zone
_GROUPS = re.compile(r"[\s'_’]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_SIGNS = re.compile(r"^[^\d+\-.,(]+|[^\d.,)]+$")
_MOMENT = re.compile(
    r"(.+?)[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s*([AaPp]\.?[Mm]\.?)?"
)
_TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+|'")
_TOKENS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%m",
    "dd": "%d",
    "d": "%d",
    "HH": "%H",
    "H": "%H",
    "hh": "%I",
    "h": "%I",
    "mm": "%M",
    "m": "%M",
    "ss": "%S",
    "s": "%S",
    "a": "%p",
    "XXX": "%z",
    "X": "%z",
    "Z": "%z",
    **{"S" * size: "%f" for size in range(1, 7)},
}


def text_of(value: Any) -> Any:
    """A value as text; a whole number without a decimal point."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value) if type(value) in (int, float) else msgspec.json.encode(value).decode()


def number_reader(decimal: str | None, whole: bool) -> Read:
    """What reads numbers as people write them, with groups of digits and a currency's sign.

    >>> read = number_reader(",", whole=False)
    >>> read("1.234,50 €"), read("-3"), read("(12,5)")
    (1234.5, -3, -12.5)
    >>> number_reader(None, whole=False)("1,234.50")
    Wrong(problem="'1,234.50' is not a number", hint='say which decimal sign it has')
    """

    def read(value: Any) -> Any:
        written = value
        if type(value) is bool or not isinstance(value, str | int | float):
            return Wrong(f"{_shown(value)} is not a number")
        if isinstance(value, str):
            # As most are written, nothing has to be taken out of them.
            if decimal == "," or not _NUMBER.fullmatch(value):
                value = _bare(value, decimal)
                if not _NUMBER.fullmatch(value):
                    hint = "say which decimal sign it has" if "," in value and not decimal else ""
                    return Wrong(f"{_shown(written)} is not a number", hint)
            fraction = "." in value or "e" in value or "E" in value
            value = float(value) if fraction or len(value) > _DIGITS else int(value)
        if not abs(value) <= sys.float_info.max:  # not so of NaN either
            return Wrong(f"{_shown(written)} is no number that can be kept")
        if whole and isinstance(value, float):
            if not value.is_integer():
                return Wrong(f"{_shown(value)} is not a whole number")
            value = int(value)
        return value if -(2**63) <= value < 2**63 else float(value)

    return read


def _bare(text: str, decimal: str | None) -> str:
    """A number without groups of digits and signs of currencies, with a decimal point."""
    text = _GROUPS.sub("", unicodedata.normalize("NFKC", text).replace("\u2212", "-"))
    text = _SIGNS.sub("", text)
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if decimal == ",":
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "") if decimal == "." else text


def boolean_of(value: Any) -> Any:
    """Yes or no, in some languages.

    >>> boolean_of("Ja"), boolean_of("否"), boolean_of(1), boolean_of("maybe")
    (True, False, True, Wrong(problem="'maybe' is neither yes nor no", hint='give a lookup'))
    """
    if type(value) is bool:
        return value
    word = unicodedata.normalize("NFKC", str(text_of(value))).strip().lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    return Wrong(f"{_shown(value)} is neither yes nor no", "give a lookup")


def date_reader(formats: Sequence[str]) -> Read:
    """What reads dates: by formats such as `dd.MM.yyyy`, by an order, or as they are unmistakable.

    >>> read = date_reader(())
    >>> read("2026-01-31"), read("31.01.2026"), read("2026年1月31日"), read("1900-01-01")
    ('2026-01-31', '2026-01-31', '2026-01-31', None)
    >>> read("03/04/2026").problem, date_reader(["dmy"])("03/04/2026")
    ("'03/04/2026' may be two different days", '2026-04-03')
    >>> read("令和8年1月31日"), date_reader(["zh-TW"])("115/01/31"), date_reader(["pl"])("31 stycznia 2026")
    ('2026-01-31', '2026-01-31', '2026-01-31')
    """
    if written := _patterns(formats):

        def by_format(value: Any) -> Any:
            moment = _parsed(value, written)
            return moment if isinstance(moment, Wrong) else moment.date().isoformat()

        return by_format
    custom = _custom(formats)
    return lambda value: _day(value, custom)


def time_reader(formats: Sequence[str], zone: tzinfo) -> Read:
    """What reads times as µs since 1970, those without an offset as local ones of the zone.

    >>> read = time_reader(["dmy"], UTC)
    >>> read("31.01.2026 14:05") == read("2026-01-31T14:05:00Z") == read(1769868300)
    True
    """
    if written := _patterns(formats):

        def by_format(value: Any) -> Any:
            moment = _parsed(value, written)
            return moment if isinstance(moment, Wrong) else _placed(moment, zone)

        return by_format
    custom = _custom(formats)
    return lambda value: _time(value, custom, zone)


def iso_of(at: Any) -> Any:
    """A time in µs as it is kept in a trait."""
    return at if at is None or isinstance(at, Wrong) else _text_of(at)


def json_of(value: Any) -> Any:
    """A text that holds JSON, as what it says."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return Wrong(f"{_shown(value)} is not JSON")


def list_of(value: Any) -> list[Any]:
    """A list, or a list of the one value."""
    return value if isinstance(value, list) else [value]


def format_fault(written: str) -> str:
    """What is wrong with a format of dates; nothing with a good one."""
    if written in (*ORDERS, *NUMBERED):
        return ""
    if _is_tag(written):
        return tag_fault(written)
    for match in _TOKEN.finditer(written):
        part = match[0]
        if part[0].isalpha() and part not in _TOKENS and part != "T":
            return f"{part!r} is no part of a date"
    return "" if any(one in written for one in "yMdHhs") else f"{written!r} is no format"


def _patterns(formats: Sequence[str]) -> list[str]:
    return [
        one if one in NUMBERED else _strptime(one)
        for one in formats
        if not (one in ORDERS or _is_tag(one))
    ]


class _Custom(NamedTuple):
    """What is known of how dates are written: the order of their parts, and in whose way."""

    order: str | None = None
    tag: str = ""


def _is_tag(written: str) -> bool:
    return written not in (*ORDERS, *NUMBERED) and TAG.fullmatch(written) is not None


def _custom(formats: Sequence[str]) -> _Custom:
    tag = next(filter(_is_tag, formats), "")
    order = next((one for one in formats if one in ("dmy", "mdy")), None)
    return _Custom(order or (custom_of(tag).order if tag else None), tag)


def _strptime(written: str) -> str:
    parts = []
    for match in _TOKEN.finditer(written):
        literal = match[1] if match[1] is not None else match[0].replace("%", "%%")
        parts.append(_TOKENS.get(match[0], literal))
    return "".join(parts)


def _parsed(value: Any, patterns: Sequence[str]) -> datetime | Wrong:
    for pattern in patterns:
        try:
            if pattern in NUMBERED:
                return _numbered(float(value), pattern)
            return datetime.strptime(str(text_of(value)), pattern)  # noqa: DTZ007 - placed later
        except (ValueError, OverflowError, TypeError):
            continue
    return Wrong(f"{_shown(value)} has none of its formats")


def _numbered(value: float, pattern: str) -> datetime:
    if pattern == "excel":
        return _EXCEL + timedelta(days=value)
    return _EPOCH + timedelta(seconds=value / (1 if pattern == "unix" else 1000))


def _day(value: Any, custom: _Custom) -> Any:
    text = str(text_of(value))
    day = day_of(text, custom.tag) if custom.tag else None
    try:
        day = day or date.fromisoformat(text[:10] if text[10:11] in ("T", " ") else text)
    except ValueError:
        found = birth_date(text, custom.order)
        if found.other is not None:
            hint = "give its format, such as dd/MM/yyyy"
            return Wrong(f"{_shown(value)} may be two different days", hint)
        day = found.day or day_of(text)
        if day is None:
            digits = "".join(sign for sign in text if sign.isdigit())
            return None if digits in JUNK_DAYS else Wrong(f"{_shown(value)} is not a date")
    return None if day.isoformat().replace("-", "") in JUNK_DAYS else day.isoformat()


def _time(value: Any, custom: _Custom, zone: tzinfo) -> Any:
    if isinstance(value, str):
        try:
            return _placed(datetime.fromisoformat(value), zone)
        except (ValueError, OverflowError):
            pass
        if found := _MOMENT.fullmatch(western_clock(value)):
            return _of_parts(found, value, custom, zone)
    at = micros(value)
    if at is not None:
        return at
    day = _day(value, custom)
    if not isinstance(day, str):
        return day._replace(problem=f"{_shown(value)} is not a time") if day else None
    return _placed(datetime.fromisoformat(day), zone)


def _of_parts(found: re.Match[str], value: str, custom: _Custom, zone: tzinfo) -> Any:
    """A day and a time of day, each as people write them."""
    day = _day(found[1].strip(), custom)
    if not isinstance(day, str):
        return day
    hour = int(found[2])
    if found[6] and hour <= 12:
        hour = hour % 12 + (12 if found[6][0] in "Pp" else 0)
    try:
        clock = datetime.fromisoformat(day).replace(
            hour=hour,
            minute=int(found[3]),
            second=int(found[4] or 0),
            microsecond=int((found[5] or "").ljust(6, "0")),
        )
    except ValueError:
        return Wrong(f"{_shown(value)} is not a time")
    return _placed(clock, zone)


def _placed(moment: datetime, zone: tzinfo) -> Any:
    try:
        return micros_of(moment, zone)
    except OverflowError:
        return Wrong(f"{moment.isoformat()} is not a time")


def _text_of(at: int) -> Any:
    try:
        return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return Wrong(f"{at} is not a time")


def _shown(value: Any) -> str:
    return repr(value)[:60]
