"""Minutes of shared devices: what of a session is fixed, whatever else is known of it.

Where a session begins and ends depends on all its events, so it can name no node. A minute can: what
a device does within it is kept by its node, and sessions are made of these.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

MINUTE = 60_000_000
_DAY = 1_440
_OUT = "/out"
_FORM = "%Y-%m-%dT%H:%M"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Slot(NamedTuple):
    """A minute (since 1970, UTC) of a device; `out` for the signing out in it, which is apart."""

    device: str
    minute: int
    out: bool = False

    @property
    def value(self) -> str:
        """As the value of an identifier.

        >>> Slot("kiosk", 29_451_845, True).value
        'kiosk/2025-12-30T16:05/out'
        """
        return f"{self.device}/{_stamp(self.minute)}{_OUT if self.out else ''}"

    @property
    def day(self) -> int:
        """The day of the minute: no session goes on after midnight."""
        return self.minute // _DAY


@lru_cache(maxsize=4096)
def _stamp(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime(_FORM)


@lru_cache(maxsize=65_536)
def slot_of(value: str) -> Slot | None:
    """The minute that a value names, if any.

    >>> slot_of("kiosk/2025-12-30T16:05"), slot_of("kiosk")
    (Slot(device='kiosk', minute=29451845, out=False), None)
    """
    bare = value.removesuffix(_OUT)
    device, slash, stamp = bare.rpartition("/")
    try:
        at = datetime.strptime(stamp, _FORM).replace(tzinfo=UTC) if slash else None
    except ValueError:
        at = None
    if at is None:
        return None
    return Slot(device, int((at - _EPOCH).total_seconds()) // 60, bare != value)
