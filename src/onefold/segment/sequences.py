"""Events in a row, twice and side by side: found in moments that were kept, and as SQL.

A match is one event of each step, each later than the one before, from the first to the last
within the time allowed; and no event of `unless` in the same time after the last, which is known
only when that time has passed. Without a time allowed, none at all so far.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from onefold.segment.kinds import MOST_MOMENTS


class Match(NamedTuple):
    """A match as it stands: when it began (µs UTC), and when it holds, unless something comes."""

    begun: int
    holds_from: int


RowState = Literal["holds", "waits", "broken", "too_long", "incomplete"]


class DecidingRow(NamedTuple):
    """The events in a row that a sequence stands or falls with: the moment of each step that came.

    One that `holds`; else that `waits` till `holds_from`; else the last that was `broken` at
    `broken_at`, or that took `too_long`; else the one that came furthest, and is `incomplete`.
    """

    state: RowState
    times: tuple[int, ...] = ()
    holds_from: int | None = None
    broken_at: int | None = None


_AT_ONCE = -(1 << 62)


def find_matches(
    steps: Sequence[Sequence[int]], within: int, unless: Sequence[int], *, wait: bool
) -> list[Match]:
    """Find for each event of the last step the match that began last, if nothing came after it.

    Moments are ascending (µs UTC). `wait` says that there is something that must not come.
    """
    found: list[Match] = []
    for end, begun in _chains(steps):
        if within and end - begun > within:
            continue
        if wait and _broken_at(end, within, unless) is not None:
            continue
        # Events that count at all count from the beginning of their bucket on.
        found.append(Match(begun, end + within if wait and within else _AT_ONCE))
    return found


def _broken_at(end: int, within: int, unless: Sequence[int]) -> int | None:
    """The first moment after the end at which came what must not follow, while it still counts."""
    after = bisect_right(unless, end)
    if after < len(unless) and (not within or unless[after] < end + within):
        return unless[after]
    return None


def deciding_row(
    steps: Sequence[Sequence[int]], within: int, unless: Sequence[int], now: int, *, wait: bool
) -> DecidingRow:
    """Find the row that says best why there is a match now (µs UTC), or why there is none.

    >>> deciding_row([[1], [2]], 0, [3], 9, wait=True)
    DecidingRow(state='broken', times=(1, 2), holds_from=None, broken_at=3)
    """
    ends = [end for end, _ in _chains(steps)]
    rows = [_row(_back_from(end, steps), within, unless, now, wait=wait) for end in ends]
    for state in ("holds", "waits", "broken", "too_long"):
        if of_it := [row for row in rows if row.state == state]:
            return of_it[0] if state == "waits" else of_it[-1]
    for length in range(len(steps) - 1, 0, -1):
        if begun := _chains(steps[:length]):
            return DecidingRow("incomplete", _back_from(begun[-1][0], steps[:length]))
    return DecidingRow("incomplete")


def _row(
    times: tuple[int, ...], within: int, unless: Sequence[int], now: int, *, wait: bool
) -> DecidingRow:
    end = times[-1]
    if within and end - times[0] > within:
        return DecidingRow("too_long", times)
    if not wait:
        return DecidingRow("holds", times)
    broken_at = _broken_at(end, within, unless)
    if broken_at is not None:
        return DecidingRow("broken", times, broken_at=broken_at)
    if within and end + within > now:
        return DecidingRow("waits", times, holds_from=end + within)
    return DecidingRow("holds", times)


def _back_from(end: int, steps: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The chain that ends then; of each step before the latest moment that leaves it the shortest."""
    times = [end]
    for step in reversed(steps[:-1]):
        times.append(step[bisect_left(step, times[-1]) - 1])
    return tuple(reversed(times))


def _chains(steps: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """For each moment of the last step that ends a chain: the latest moment at which one began."""
    chains = [(time, time) for time in steps[0]]
    for step in steps[1:]:
        ends = [end for end, _ in chains]
        following = []
        for time in step:
            before = bisect_left(ends, time)
            if before:
                following.append((time, chains[before - 1][1]))
        chains = following
    return chains


def sequence_query(
    steps: Sequence[str], within: int, unless: str, now: int, bucket: str, source: str
) -> str:
    """Write the profiles with a match that holds, as `(profile, value)`.

    `steps` and `unless` are the conditions of the events, `bucket` is the number of the bucket that
    the column `time` falls into: of each, only so many moments count as are kept.
    """
    events = " UNION ALL ".join(
        f"SELECT DISTINCT profile, time, {number} AS step FROM {source} WHERE {condition}"
        for number, condition in _numbered(steps, unless).items()
    )
    first = "CASE WHEN step = 1 THEN time END AS b1"
    chain = _kept_sql(first, events, bucket)
    before = (
        "OVER (PARTITION BY profile ORDER BY time "
        "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    for number in range(2, len(steps) + 1):
        begun = f"CASE WHEN step = {number} THEN max(b{number - 1}) {before} END"
        chain = f"SELECT *, {begun} AS b{number} FROM ({chain})"
    return _matches_sql(chain, f"b{len(steps)}", within, unless, now)


def moments_query(steps: Sequence[str], unless: str, bucket: str, source: str) -> str:
    """Write the moments that `sequence_query` looks at, as `(step, time, message_id)`.

    The steps count from 1; what must not follow is 0.
    """
    events = " UNION ALL ".join(
        f"SELECT profile, time, {number} AS step, max(message_id) AS message_id "
        f"FROM {source} WHERE {condition} GROUP BY profile, time"
        for number, condition in _numbered(steps, unless).items()
    )
    kept = _kept_sql("message_id", events, bucket)
    return f"SELECT step, time, message_id FROM ({kept}) ORDER BY step, time"


def _numbered(steps: Sequence[str], unless: str) -> Mapping[int, str]:
    conditions = dict(enumerate((unless, *steps)))
    if not unless:
        del conditions[0]
    return conditions


def _kept_sql(more: str, events: str, bucket: str) -> str:
    """Write the first and the last moments of each step in each bucket: those that are kept."""
    order = "OVER (PARTITION BY profile, step, bucket ORDER BY time"
    placed = (
        f"SELECT *, row_number() {order}) AS up, row_number() {order} DESC) AS down "
        f"FROM (SELECT *, {bucket} AS bucket FROM ({events}))"
    )
    return (
        f"SELECT profile, time, step, {more} FROM ({placed}) "
        f"WHERE up <= {MOST_MOMENTS} OR down <= {MOST_MOMENTS}"
    )


def _matches_sql(chain: str, begun: str, within: int, unless: str, now: int) -> str:
    tests = [f"{begun} IS NOT NULL"]
    if within:
        tests.append(f"time - {begun} <= {within}")
    if unless:
        after = (
            "OVER (PARTITION BY profile ORDER BY time "
            "RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
        )
        chain = f"SELECT *, min(CASE WHEN step = 0 THEN time END) {after} AS spoiled FROM ({chain})"
        if within:
            tests.append(f"(spoiled IS NULL OR spoiled >= time + {within})")
            tests.append(f"time + {within} <= {now}")
        else:
            tests.append("spoiled IS NULL")
    return f"SELECT DISTINCT profile, TRUE AS value FROM ({chain}) WHERE {' AND '.join(tests)}"
