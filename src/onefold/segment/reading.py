"""How a JSON value is read as a type: what cannot be read as it is absent, never an error."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from onefold.segment.metric import Type
from onefold.segment.zone import DAY, Zone

Read: TypeAlias = str | float | int | bool | list[str] | list[float] | None

_DIGITS = r"[0-9]+(_[0-9]+)*"
_SPACE = r"[ \t\n\v\f\r]*"
NUMBER = rf"{_SPACE}[+-]?({_DIGITS}(\.({_DIGITS})?)?|\.{_DIGITS})([eE][+-]?{_DIGITS})?{_SPACE}"
"""The texts that engines take for a number."""
DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
CLOCK = r"([0-9]{2}):([0-9]{2})(:([0-9]{2})([.,]([0-9]{1,9}))?)?"
OFFSET = r"Z|([+-])([0-9]{2}):?([0-9]{2})"
MOMENT = f"{DATE}([T ]{CLOCK} ?({OFFSET})?)?"

_number = re.compile(NUMBER).fullmatch
_exponent = re.compile(r"[0-9]e").search
_moment = re.compile(MOMENT).fullmatch
_FIRST, _FIRST_MOMENT = date(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = _FIRST.toordinal()
_MINUTE, _SECOND = 60_000_000, 1_000_000


def convert(value: Any, wanted: Type, zone: Zone) -> Read:
    """Read a JSON value as a type; a day is one of the zone's, a text without one its local time."""
    return None if value is None else _CONVERSIONS[wanted](value, zone)


def follow(value: Any, path: Sequence[str]) -> Any:
    """Go into an object along a path; None where it leads nowhere."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def trait_value(traits: Mapping[str, Any], path: Sequence[str], type: Type, zone: Zone) -> Read:
    """Read a trait as a type; what is absent or cannot be read as it is None."""
    value = traits.get(path[0])
    return None if value is None else convert(follow(value, path[1:]), type, zone)


def told(value: Any, type: Type) -> Any:
    """Write a value of a query as JSON has it: a date as 2026-01-31, a time in UTC."""
    if value is None or type not in ("date", "time"):
        return value
    try:
        if type == "date":
            return (_FIRST + timedelta(days=value)).isoformat()
        moment = _FIRST_MOMENT + timedelta(microseconds=value)
    except OverflowError:
        return None
    return moment.isoformat().replace("+00:00", "Z")


def day_number(year: int, month: int, day: int) -> int | None:
    """Number a day from 1970-01-01; None where the calendar has no such day."""
    try:
        return date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None


def read_date(text: str, zone: Zone) -> int | None:
    """Read an ISO text as a day.

    A time with an offset is on a day of the zone; save midnight UTC, which is how many programs
    write a date.
    """
    parts = _moment(text)
    if parts is None:
        return None
    day = day_number(int(parts[1]), int(parts[2]), int(parts[3]))
    if day is None or parts[4] is None:
        return day
    clock = _clock(parts)
    if clock is None:
        return None
    if parts[11] is None or (clock == 0 and _offset(parts) == 0):
        return day
    return zone.day(day * DAY + clock - _offset(parts))


def read_time(text: str, zone: Zone) -> int | None:
    """Read an ISO text as a moment, in µs UTC; without an offset it is the zone's local time."""
    parts = _moment(text)
    if parts is None:
        return None
    day = day_number(int(parts[1]), int(parts[2]), int(parts[3]))
    if day is None:
        return None
    if parts[4] is None:
        return zone.day_start(day)
    clock = _clock(parts)
    if clock is None:
        return None
    local = day * DAY + clock
    return zone.moment(local) if parts[11] is None else local - _offset(parts)


def _clock(parts: re.Match[str]) -> int | None:
    hour, minute, second = int(parts[5]), int(parts[6]), int(parts[8] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ((hour * 60 + minute) * 60 + second) * _SECOND + int(f"{parts[10] or ''}000000"[:6])


def _offset(parts: re.Match[str]) -> int:
    if parts[12] is None:
        return 0
    minutes = (int(parts[13]) * 60 + int(parts[14])) * _MINUTE
    return -minutes if parts[12] == "-" else minutes


def _to_text(value: Any, _: Zone) -> str:
    if isinstance(value, str):
        return value
    text = msgspec.json.encode(value).decode()
    return msgspec.json.encode(_spelled(value)).decode() if _exponent(text) else text


def _spelled(value: Any) -> Any:
    """Write the numbers inside a value out where queries do so, that read them from JSON."""
    if isinstance(value, dict):
        return {name: _spelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    if isinstance(value, float) and (1e16 <= abs(value) < 1e21 or 1e-6 <= abs(value) < 1e-5):
        text = f"{Decimal(repr(value)):f}"
        return msgspec.Raw((text if "." in text else f"{text}.0").encode())
    return value


def _to_number(value: Any, _: Zone) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and _number(value) is None:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _to_boolean(value: Any, _: Zone) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _to_date(value: Any, zone: Zone) -> int | None:
    return read_date(value, zone) if isinstance(value, str) else None


def _to_time(value: Any, zone: Zone) -> int | None:
    return read_time(value, zone) if isinstance(value, str) else None


def _to_list(value: Any, zone: Zone) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [_to_text(each, zone) for each in value if each is not None]


def _to_numbers(value: Any, zone: Zone) -> list[float] | None:
    if not isinstance(value, list):
        return None
    read = [_to_number(each, zone) for each in value]
    return [each for each in read if each is not None]


def _to_object(value: Any, zone: Zone) -> str | None:
    return _to_text(value, zone) if isinstance(value, dict) else None


_CONVERSIONS: dict[Type, Callable[[Any, Zone], Read]] = {
    "text": _to_text,
    "number": _to_number,
    "boolean": _to_boolean,
    "date": _to_date,
    "time": _to_time,
    "list": _to_list,
    "numbers": _to_numbers,
    "object": _to_object,
}
