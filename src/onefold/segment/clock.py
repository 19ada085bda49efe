"""What a rule may ask the clock: each is one number for all profiles, told by who runs the query.

- `today`: the local day; `now`: the moment, in µs UTC;
- `year`, `month`, `day`, `next year`, `next month`, `next week`: parts of today, and first days;
- `date in N`: the month and day of the day N days ahead, as 100 × month + day;
- `local TEXT`: the moment that a local date and time is, in µs UTC; `day TEXT`: its local day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from onefold.segment.reading import day_number, read_date, read_time
from onefold.segment.zone import Zone

_EPOCH = date(1970, 1, 1)


def clock_value(path: tuple[str, ...], now: int, zone: Zone) -> int | None:
    """Answer the question of a clock column at a moment (µs UTC)."""
    what, *rest = path
    if what == "now":
        return now
    if what == "local":
        return read_time(rest[0], zone)
    if what == "day":
        return read_date(rest[0], zone)
    today = zone.day(now)
    if what == "today":
        return today
    return _PARTS[what](_EPOCH + timedelta(days=today), *map(int, rest))


def month_and_day(day: date, *, closing: bool = False) -> int:
    """Write a day of the year as 100 × month + day.

    Where it closes a stretch of days, 28 February of a common year takes the 29th in.
    """
    leap = day_number(day.year, 2, 29) is not None
    if closing and not leap and (day.month, day.day) == (2, 28):
        return 229
    return day.month * 100 + day.day


def _number(day: date) -> int:
    return (day - _EPOCH).days


def _next_month(today: date) -> int:
    return _number((today.replace(day=1) + timedelta(days=32)).replace(day=1))


_PARTS: dict[str, Callable[..., int]] = {
    "next year": lambda today: _number(date(today.year + 1, 1, 1)),
    "next month": _next_month,
    "next week": lambda today: _number(today + timedelta(days=7 - today.weekday())),
    "opening": lambda today, days: month_and_day(today + timedelta(days=days)),
    "closing": lambda today, days: month_and_day(today + timedelta(days=days), closing=True),
}
