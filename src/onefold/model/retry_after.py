"""`Retry-After`, as others write it: when they want to be called again (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from onefold.model.moments import micros_of

_SECOND = 1_000_000
_SECONDS = re.compile(r"([0-9]+)(\.[0-9]+)?")
_MOST_DIGITS = 10


def asked_until(value: str, now: int, most: int) -> int:
    """The time (µs) that a header asks for, in seconds or as any of HTTP's three dates; 0 if it says nothing.

    What is past says nothing. At most `most` µs ahead: a slip on the other side must not silence anybody for
    ever.

    >>> asked_until("120", 5_000_000, 10**12), asked_until("soon", 5_000_000, 10**12)
    (125000000, 0)
    """
    asked = _asked(value.strip(), now)
    return min(asked, now + most) if asked > now else 0


def _asked(value: str, now: int) -> int:
    if seconds := _SECONDS.fullmatch(value):
        # Some ask for parts of a second, which the standard does not know.
        whole, part = seconds[1].lstrip("0"), float(seconds[2] or 0)
        return now + int(whole[:_MOST_DIGITS] or 0) * _SECOND + int(part * _SECOND)
    try:
        return micros_of(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0
