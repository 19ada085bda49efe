"""What the cells of a workbook mean: numbers that are shown as dates, times or durations."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

Value = Callable[[str], Any]
_DAY = 86_400_000
"""Milliseconds; workbooks know nothing finer."""
_EPOCH, _FIRST_LEAP = datetime(1899, 12, 30), 60  # noqa: DTZ001 - workbooks know no time zones
_FROM_1904 = 1462
_TIMES = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
"""Formats without a text of their own that show a date or a time; 27 and on are those of East Asia."""
_DURATIONS = frozenset({46})
_LITERAL = re.compile(r'[\\_*].|"[^"]*"?', re.DOTALL)
_TOKEN = re.compile(r"\[(h+|m+|s+)\]|\[[^\]]*\]?|([dmyhs])", re.IGNORECASE)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)?(T?\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")


def value_of(number: int, code: str | None, from_1904: bool) -> Value | None:
    """What makes values of numbers in a format; None where they stay numbers.

    `code` is the format's text, such as `dd/mm/yyyy`, if the workbook has one for its number.
    """
    kind = _kind(code) if code is not None else _built_in(number)
    if kind == "duration":
        return duration
    return {False: moment, True: moment_from_1904}[from_1904] if kind == "time" else None


def _built_in(number: int) -> str:
    return "time" if number in _TIMES else "duration" if number in _DURATIONS else ""


def _kind(code: str) -> str:
    """What a format shows, as its first section says."""
    for token in _TOKEN.finditer(_LITERAL.sub("", code).partition(";")[0]):
        if token[1]:
            return "duration"
        if token[2]:
            return "time"
    return ""


def number(text: str) -> float | str:
    """A number; a text where it is none, as some programs write texts so, too.

    >>> number("1e3"), number("1_000")
    (1000.0, '1_000')
    """
    if "_" in text or not text.isascii():
        return text
    try:
        return float(text)
    except ValueError:
        return text


def duration(text: str) -> Any:
    """A number of days as a duration.

    >>> duration("1.5")
    datetime.timedelta(days=1, seconds=43200)
    """
    days = number(text)
    if isinstance(days, str):
        return days
    try:
        return timedelta(milliseconds=_whole(days * _DAY))
    except (OverflowError, ValueError):
        return days


@lru_cache(1 << 14)
def moment(text: str) -> Any:
    """A number of days since 1900 as a date, as a time of day, or as both.

    >>> moment("45292"), moment("0.5"), moment("45292.75")
    (datetime.date(2024, 1, 1), datetime.time(12, 0), datetime.datetime(2024, 1, 1, 18, 0))
    """
    return _moment(text, 0)


@lru_cache(1 << 14)
def moment_from_1904(text: str) -> Any:
    """A number of days since 1904, as workbooks of old Macs count."""
    return _moment(text, _FROM_1904)


def _moment(text: str, more: int) -> Any:
    given = number(text)
    if isinstance(given, str):
        return given
    days = given + more
    # Excel believes in a 29th February 1900.
    days = days if days >= _FIRST_LEAP else days + 1
    try:
        since = _whole(days * _DAY)
        if given < 1:
            return (_EPOCH + timedelta(milliseconds=since % _DAY)).time()
        found = _EPOCH + timedelta(milliseconds=since)
    except (OverflowError, ValueError):
        return given
    return found.date() if given.is_integer() else found


def _whole(value: float) -> int:
    """The nearest whole number, of two the one farther from 0."""
    return int(value + 0.5) if value >= 0 else -int(0.5 - value)


def iso(text: str) -> Any:
    """A date or time that is written as such; a text where it is not.

    >>> iso("2024-05-01"), iso("soon")
    (datetime.date(2024, 5, 1), 'soon')
    """
    if not text or not _ISO.fullmatch(text):
        return text
    kind = datetime if "T" in text else time if ":" in text else date
    try:
        return kind.fromisoformat(text)
    except ValueError:
        return text
