"""Values of databases as JSON can say them, and cursors as positions keep them."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onefold.model.moments import micros_of, read_iso

_EXACT_DIGITS = 15
_LARGEST = 1 << 63
_DATE_LETTERS = len("2026-07-01")
_TIME_LETTERS = len("2026-07-01 12:00:00")


def plain(value: Any, zone: ZoneInfo) -> Any:
    """A value of a column as JSON says it; times without an offset are of `zone`.

    >>> plain(Decimal("19.90"), ZoneInfo("UTC")), plain(Decimal("7"), ZoneInfo("UTC"))
    (19.9, 7)
    >>> plain(datetime(2026, 7, 1, 12), ZoneInfo("Europe/Berlin"))
    '2026-07-01T12:00:00+02:00'
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {str(name): plain(inner, zone) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(inner, zone) for inner in value]
    return str(value)


def kept(value: Any) -> list[Any]:
    """A value of a cursor or key as a position keeps it, with its type.

    >>> back(kept(Decimal("1.50"))), back(kept(date(2026, 1, 31)))
    (Decimal('1.50'), datetime.date(2026, 1, 31))
    """
    for name, (kind, write, _) in _KEPT.items():
        if type(value) is kind:
            return [name, write(value)]
    return ["text", str(value)]


def back(told: list[Any]) -> Any:
    """The value that `kept` was given."""
    name, value = told
    return _KEPT[name][2](value)


def earlier(value: Any, seconds: float, numbers: int) -> Any:
    """A cursor so far back that what was committed late lies behind it; the same where it has no before.

    A time that is a text (SQLite has no other) stays one of the same form.

    >>> earlier(datetime(2026, 1, 1, 0, 10), 600, 0), earlier(1500, 600, 1000), earlier("x", 600, 1)
    (datetime.datetime(2026, 1, 1, 0, 0), 500, 'x')
    >>> earlier("2026-01-01T00:10:00.5Z", 600, 0), earlier("2026-01-01 00:10:00", 600, 0)
    ('2026-01-01T00:00:00', '2026-01-01 00:00:00')
    """
    if isinstance(value, str) and isinstance(read := moment(value), datetime):
        # Without what follows the seconds it stands in front of all that begin alike.
        before = read.replace(tzinfo=None) - timedelta(seconds=seconds)
        return before.isoformat(sep=value[_DATE_LETTERS], timespec="seconds")
    if isinstance(value, datetime):
        return value - timedelta(seconds=seconds)
    if isinstance(value, date):
        return value - timedelta(days=math.ceil(seconds / 86_400))
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value - numbers
    return value


def moment(value: Any) -> Any:
    """A text that is a time as one; anything else as it is.

    >>> moment("2026-07-01 12:00:00"), moment("yesterday")
    (datetime.datetime(2026, 7, 1, 12, 0), 'yesterday')
    """
    if not isinstance(value, str) or len(value) < _TIME_LETTERS or value[4] != "-":
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def micros(value: Any, zone: ZoneInfo) -> int | None:
    """The microseconds since epoch UTC of a time, also as text (SQLite has no other); None for what is none.

    >>> micros("2026-07-01 12:00:00", ZoneInfo("Europe/Berlin")), micros("20260701", ZoneInfo("UTC"))
    (1782900000000000, None)
    """
    if isinstance(value, str) and len(value) >= _TIME_LETTERS:
        return read_iso(value, zone)
    return micros_of(value, zone) if isinstance(value, datetime) else None


def _number(value: Decimal) -> Any:
    if not value.is_finite():
        return None
    if value == value.to_integral_value():
        whole = int(value)
        return whole if -_LARGEST <= whole < _LARGEST else str(whole)
    return float(value) if len(value.as_tuple().digits) <= _EXACT_DIGITS else str(value)


_KEPT: dict[str, tuple[type, Any, Any]] = {
    "none": (type(None), lambda value: None, lambda value: None),
    "integer": (int, str, int),
    "text": (str, str, str),
    "time": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "number": (float, float.hex, float.fromhex),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "uuid": (UUID, str, UUID),
    "boolean": (bool, bool, bool),
}
