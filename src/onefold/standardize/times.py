"""When something happened: the client's clock, corrected by ours."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from onefold.model.moments import micros_of
from onefold.standardize.faults import explain

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
LAST = 4_133_980_800 * SECOND  # 2101-01-01
_parse = datetime.fromisoformat


def event_time(
    given: Any, sent_at: Any, received_at: int, where: str, faults: list[str]
) -> tuple[int, int]:
    """The corrected time of an event, and the client's own minute (0 where it gave no time).

    `received_at - (sent_at - given)` takes the error of the client's clock out. A time without
    `sent_at` is a historical import and is kept.
    """
    if given is None or given == "":
        return received_at, 0
    client = micros(given)
    if client is None:
        faults.append(_not_a_time(where))
        return received_at, 0
    time = client
    if sent_at is not None and sent_at != "":
        sent = _sent(sent_at) if type(sent_at) is str else micros(sent_at)
        if sent is None:
            faults.append(_not_a_time("sentAt"))
        else:
            time = received_at - sent + client
    return placed_time(time, client, received_at, where, faults)


def placed_time(
    time: int, client: int, received_at: int, where: str, faults: list[str]
) -> tuple[int, int]:
    """A time as it is kept, and the client's minute."""
    if not 0 <= time < LAST:
        faults.append(explain(where, "lies outside the years 1970 to 2100", "correct the time"))
    elif time > received_at + DAY:  # nobody's future counts as having happened
        time = received_at
    return time, client // MINUTE


def micros(value: Any) -> int | None:
    """Microseconds since 1970 of an ISO 8601 text or an epoch number, or None if it is neither.

    >>> micros("1970-01-01T08:00:01+08:00")
    1000000
    >>> micros(1_700_000_000) == micros(1_700_000_000_000) == micros("1700000000")
    True
    """
    if type(value) is not str:
        return _from_number(value)
    try:
        moment = _parse(value)
    except ValueError:
        return _from_untidy(value)
    return micros_of(moment)


_sent = lru_cache(maxsize=64)(micros)  # a hundred events were sent at once


def _from_untidy(text: str) -> int | None:
    tidy = text.strip()
    if tidy != text:
        return micros(tidy)
    digits = tidy.removeprefix("-").replace(".", "", 1)
    if 9 <= len(digits) <= 30 and digits.isascii() and digits.isdigit():
        return _from_number(float(tidy))
    return None


def _from_number(value: Any) -> int | None:
    """Epoch seconds, milli-, micro- or nanoseconds, told apart by their size."""
    if type(value) is not int and type(value) is not float:
        return None
    size = abs(value)
    if size < 1e11:
        return round(value * SECOND)
    if size < 1e14:
        return round(value * 1000)
    if size < 1e17:
        return round(value)
    return round(value / 1000) if size < 1e20 else None


def _not_a_time(where: str) -> str:
    return explain(where, "is not a time", "send ISO 8601, such as 2026-01-31T09:30:00Z")
