"""Calendar days of a time zone: the same numbers in Python and in SQL.

A day is numbered from 1970-01-01. The zone is turned into a table of offsets once, and both the
windows and the queries are made from that table, so they can't disagree about when a day begins.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC as UTC_INFO
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onefold.model.errors import Fault, InvalidInput

DAY = 86_400_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
# Added before an integer division, so that times before 1970 are rounded down in every engine.
_SHIFT_DAYS = 800_000


class Zone:
    """The local calendar of an IANA time zone, such as `Asia/Shanghai`."""

    def __init__(self, name: str, starts: tuple[int, ...], offsets: tuple[int, ...]) -> None:
        self.name = name
        self._starts = starts
        self._offsets = offsets
        changes = zip(starts, offsets, offsets[1:], strict=False)
        self._turns = tuple(start + max(before, after) for start, before, after in changes)

    def day(self, time: int) -> int:
        """Say which local day a time (µs UTC) lies on."""
        return (time + self._offsets[bisect_right(self._starts, time)]) // DAY

    def day_start(self, day: int) -> int:
        """Say when a local day begins, in µs UTC; where midnight is skipped, the first moment."""
        local = day * DAY
        for index in range(bisect_right(self._starts, local - 2 * DAY), len(self._starts)):
            start = self._starts[index]
            begin = local - self._offsets[index]
            if begin < start:
                return begin
            if local <= start + self._offsets[index + 1]:
                return start
        return local - self._offsets[-1]

    def moment(self, local: int) -> int:
        """Say when a local time is, in µs UTC: what a clock shows twice, first; what it skips, later."""
        return local - self._offsets[bisect_right(self._turns, local)]

    def day_sql(self, since: int | None = None, until: int | None = None, of: str = "time") -> str:
        """Write the SQL for the local day of a column.

        `since` and `until` bound the times that will occur: the expression is shorter then.
        """
        low = 0 if since is None else bisect_right(self._starts, since)
        high = len(self._starts) if until is None else bisect_right(self._starts, until)
        offset = _offset_sql(of, self._starts, self._offsets, low, high)
        return f"({of} + {_SHIFT_DAYS * DAY} + {offset}) // {DAY} - {_SHIFT_DAYS}"

    def offset_at_local_sql(self, of: str) -> str:
        """Write the SQL for the offset at the local time that a column is."""
        return _offset_sql(of, self._turns, self._offsets, 0, len(self._turns))


def _offset_sql(
    of: str, starts: tuple[int, ...], offsets: tuple[int, ...], low: int, high: int
) -> str:
    """A balanced tree of CASEs: eight comparisons find one of 260 offsets."""
    if low >= high:
        return f"({offsets[low]})"
    middle = (low + high) // 2
    before = _offset_sql(of, starts, offsets, low, middle)
    after = _offset_sql(of, starts, offsets, middle + 1, high)
    return f"(CASE WHEN {of} < {starts[middle]} THEN {before} ELSE {after} END)"


UTC = Zone("UTC", (), (0,))


@lru_cache(maxsize=64)
def load_zone(name: str) -> Zone:
    """Find a time zone by its IANA name."""
    try:
        info = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        fault = Fault(f"no time zone {name!r}", "timezone", "an IANA name, such as Asia/Shanghai")
        raise InvalidInput("unknown time zone", [fault]) from error
    return Zone(name, *_offset_table(info))


def _offset_table(info: ZoneInfo) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """When the offset changes, and the offsets before, between and after the changes."""
    day = timedelta(days=1)
    moment = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC_INFO)
    end = datetime(_LAST_YEAR, 1, 1, tzinfo=UTC_INFO)
    starts: list[int] = []
    offsets = [_offset(info, moment)]
    while moment < end:
        following = moment + day
        offset = _offset(info, following)
        if offset != offsets[-1]:
            starts.append(_first_with(info, offset, moment, following))
            offsets.append(offset)
        moment = following
    return tuple(starts), tuple(offsets)


def _offset(info: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(info).utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * 1_000_000


def _first_with(info: ZoneInfo, offset: int, low: datetime, high: datetime) -> int:
    """The second at which the offset begins, between two moments."""
    before, after = round(low.timestamp()), round(high.timestamp())
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(info, datetime.fromtimestamp(middle, UTC_INFO)) == offset:
            after = middle
        else:
            before = middle
    return after * 1_000_000
