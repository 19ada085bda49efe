"""Windows of time: a window counts in its own unit, so buckets are enough.

`interval 30 day` are thirty calendar days in the workspace's time zone, today included; hours,
minutes and seconds are counted in UTC, the current one included. Weeks begin on Monday.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from onefold.segment.zone import Zone, load_zone

Unit = Literal["second", "minute", "hour", "day", "ever"]
Clock = Literal["second", "minute", "hour", "day"]
Period = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
LENGTHS = {"second": SECOND, "minute": MINUTE, "hour": HOUR}
MOST_DAYS: dict[Period, int] = {"week": 7, "month": 31, "quarter": 92, "year": 366}
ALWAYS = -(10**9)
"""A bucket before all others."""

_FIRST_MONDAY = -3
_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}


class Window(msgspec.Struct, frozen=True):
    """Which buckets count at a moment: all ever, a number of periods, or from a day to a day.

    With a `period`, those from `oldest` to `newest` periods before the current one; buckets of the
    future never count. Without, the days from `since` to `until`, both included, as far as they
    have come.
    """

    unit: Unit = "ever"
    period: Period | None = None
    oldest: int = 0
    newest: int = 0
    since: int | None = None
    until: int | None = None

    @property
    def retention(self) -> int:
        """How many buckets, the current one included, can matter; 0 when that is not limited."""
        if self.period is None:
            return 1 if self.since is not None else 0
        return (self.oldest + 1) * MOST_DAYS.get(self.period, 1)

    def span(self, now: int, zone: Zone) -> tuple[int, int]:
        """The lowest and the highest bucket inside at a moment; none when they are crossed."""
        current = bucket_in(self.unit, now, zone)
        if self.unit == "ever":
            return 0, 0
        if self.period is None:
            highest = current if self.until is None else min(current, self.until)
            return ALWAYS if self.since is None else self.since, highest
        period = period_of(self.period, current)
        lowest = period_start(self.period, period - self.oldest)
        if self.newest == 0:
            return lowest, current
        return lowest, period_start(self.period, period - self.newest + 1) - 1

    def bounds(self, now: int, zone: Zone) -> tuple[int | None, int | None]:
        """The same in time: from the first moment (µs UTC) on, and before the second."""
        if self.unit == "ever":
            return None, None
        lowest, highest = self.span(now, zone)
        since = None if lowest == ALWAYS else bucket_start(self.unit, lowest, zone)
        return since, bucket_start(self.unit, highest + 1, zone)

    def open_ended(self) -> Window:
        """The same window up to now."""
        return msgspec.structs.replace(self, newest=0, until=None)

    def leaves(self, bucket: int) -> int | None:
        """The bucket with which one that is inside drops out; None when it stays."""
        if self.period is None:
            return None
        return period_start(self.period, period_of(self.period, bucket) + self.oldest + 1)

    def enters(self, bucket: int) -> int | None:
        """The bucket with which one that is not yet inside comes in; None when it never does."""
        if self.period is None:
            late = self.until is not None and bucket > self.until
            return None if late or (self.since is not None and bucket < self.since) else bucket
        if self.newest == 0:
            return bucket
        return period_start(self.period, period_of(self.period, bucket) + self.newest)


EVER = Window()


def period_of(period: Period, bucket: int) -> int:
    """Say which period a bucket lies in: days for weeks and longer, else the bucket itself."""
    if period == "week":
        return (bucket - _FIRST_MONDAY) // 7
    if period in _MONTHS:
        return _month_of(bucket) // _MONTHS[period]
    return bucket


def period_start(period: Period, number: int) -> int:
    """Say which bucket is the first of a period."""
    if period == "week":
        return number * 7 + _FIRST_MONDAY
    if period in _MONTHS:
        return _first_of_month(number * _MONTHS[period])
    return number


def bucket_at(unit: Unit, time: int, timezone: str) -> int:
    """Say which bucket a time (µs UTC) falls into."""
    return bucket_in(unit, time, load_zone(timezone))


def bucket_in(unit: Unit, time: int, zone: Zone) -> int:
    """Say which bucket a time falls into, in a zone already loaded."""
    if unit == "ever":
        return 0
    if unit == "day":
        return zone.day(time)
    return time // LENGTHS[unit]


def bucket_start(unit: Unit, bucket: int, zone: Zone) -> int:
    """Say when a bucket begins, in µs UTC."""
    return zone.day_start(bucket) if unit == "day" else bucket * LENGTHS[unit]


# Months are numbered from January of the year 0. Years are made to begin with March, so that the
# leap day is their last; an era is 400 years. Python's dates end with the year 9999; events may not.


def _month_of(day: int) -> int:
    era, of_era = divmod(day + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return (era * 400 + year) * 12 + (5 * of_year + 2) // 153 + 2


def _first_of_month(month: int) -> int:
    year, of_year = divmod(month - 2, 12)
    era, of_era = divmod(year, 400)
    days = of_era * 365 + of_era // 4 - of_era // 100 + (153 * of_year + 2) // 5
    return era * 146_097 + days - 719_468
