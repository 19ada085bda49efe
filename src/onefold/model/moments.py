"""Times as programs write them, as what is kept: microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(moment: datetime, zone: tzinfo = UTC) -> int:
    """The microseconds of a time, exactly; one without an offset is of `zone`.

    >>> micros_of(datetime(1969, 12, 31, 23, 59, 59, 500_000))
    -500000
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def read_iso(text: str, zone: tzinfo = UTC) -> int | None:
    """The microseconds of an ISO 8601 text; None for what is none.

    >>> read_iso("2026-01-01T00:00:00+01:00"), read_iso("yesterday")
    (1767222000000000, None)
    """
    try:
        return micros_of(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        return None
