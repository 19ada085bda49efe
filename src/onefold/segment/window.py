"""Windows of time: a window counts in its own unit, so buckets are enough.

`interval 30 day` are thirty calendar days in the workspace's time zone, today included; hours,
minutes and seconds are counted in UTC, the current one included.
"""

from __future__ import annotations

from typing import Literal

from onefold.segment.zone import Zone, load_zone

Unit = Literal["second", "minute", "hour", "day", "ever"]

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
LENGTHS = {"second": SECOND, "minute": MINUTE, "hour": HOUR}


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


def window_start(unit: Unit, n: int, now: int, timezone: str) -> int:
    """Say which bucket is the lowest inside the window of `n` units that ends now."""
    return 0 if unit == "ever" else bucket_at(unit, now, timezone) - n + 1


def bucket_start(unit: Unit, bucket: int, zone: Zone) -> int:
    """Say when a bucket begins, in µs UTC."""
    return zone.day_start(bucket) if unit == "day" else bucket * LENGTHS[unit]


def next_change(oldest: int, unit: Unit, n: int, timezone: str) -> int:
    """Say when the bucket `oldest` leaves the window of `n` units: µs UTC, the exact moment."""
    return bucket_start(unit, oldest + n, load_zone(timezone))
