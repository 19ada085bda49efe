"""When what needs everybody is computed anew: `every 6 hours`, `daily at 03:00` …"""

from __future__ import annotations

import re
from datetime import date

import msgspec

from onefold.model.errors import Fault, InvalidInput
from onefold.segment.zone import DAY, Zone

DEFAULT = "daily at 03:00"
_HINT = "for example: daily at 03:00, every 6 hours, weekly on monday at 03:00"
_EVERY = re.compile(r"every (\d{1,4} )?(minute|hour|day)s?")
_AT = re.compile(r"(?:daily|weekly on ([a-z]+)|monthly on (\d{1,2})) at (\d{1,2}):(\d{2})")
_LASTS = re.compile(r"(\d{1,4}) (minute|hour|day|week)s?")
_LENGTHS = {"minute": 60_000_000, "hour": 3_600_000_000, "day": DAY, "week": 7 * DAY}
_EPOCH = date(1970, 1, 1).toordinal()
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Schedule(msgspec.Struct, frozen=True):
    """`every` so many µs, or at a time of day (µs), each day, one day of the week or of the month."""

    every: int = 0
    at: int = 0
    weekday: int | None = None
    monthday: int | None = None

    def after(self, last: int, zone: Zone) -> int:
        """When it is due next, after it was done at a moment (µs UTC)."""
        if self.every:
            return last + self.every
        day = zone.day(last)
        while True:
            moment = zone.moment(day * DAY + self.at)
            if moment > last and self._is_on(day):
                return moment
            day += 1

    def _is_on(self, day: int) -> bool:
        if self.weekday is not None:
            return (day + 3) % 7 == self.weekday
        return self.monthday is None or _day_of_month(day) == self.monthday


def parse_schedule(text: str) -> Schedule:
    """Read a schedule, or raise `InvalidInput`.

    >>> parse_schedule("every 6 hours").every // 3_600_000_000
    6
    """
    written = " ".join(text.lower().split())
    if found := _EVERY.fullmatch(written):
        length = int(found[1] or 1) * _LENGTHS[found[2]]
        if length >= _LENGTHS["minute"] * 10:
            return Schedule(every=length)
        raise _refused(text, "at most every 10 minutes")
    if found := _AT.fullmatch(written):
        hour, minute = int(found[3]), int(found[4])
        weekday = _WEEKDAYS.index(found[1]) if found[1] in _WEEKDAYS else None
        monthday = int(found[2]) if found[2] else None
        if (
            hour < 24
            and minute < 60
            and (weekday is not None or not found[1])
            and (monthday is None or 1 <= monthday <= 28)
        ):
            return Schedule(0, (hour * 60 + minute) * 60_000_000, weekday, monthday)
    raise _refused(text, _HINT)


def parse_duration(text: str) -> int:
    """Read how long a value lasts, as µs.

    >>> parse_duration("30 days") // 86_400_000_000
    30
    """
    found = _LASTS.fullmatch(" ".join(text.lower().split()))
    if found is None or not int(found[1]):
        hint = "for example: 30 days, 12 hours"
        raise InvalidInput("it cannot be used", [Fault(f"{text!r} is no duration", hint=hint)])
    return int(found[1]) * _LENGTHS[found[2]]


def _refused(text: str, hint: str) -> InvalidInput:
    return InvalidInput("it cannot be used", [Fault(f"{text!r} is no schedule", hint=hint)])


def _day_of_month(day: int) -> int:
    return date.fromordinal(_EPOCH + day).day
