"""Events in a row, twice and side by side: found in moments that were kept, and as SQL.

A match is one event of each step, each later than the one before, from the first to the last
within the time allowed; and no event of `unless` in the same time after the last, which is known
only when that time has passed. Without a time allowed, none at all so far.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from onefold.segment.kinds import MOST_MOMENTS


class Match(NamedTuple):
    """A match as it stands: when it began (µs UTC), and when it holds, unless something comes."""

    begun: int
    holds_from: int


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
        if wait:
            after = bisect_right(unless, end)
            if after < len(unless) and (not within or unless[after] < end + within):
                continue
        # Events that count at all count from the beginning of their bucket on.
        found.append(Match(begun, end + within if wait and within else _AT_ONCE))
    return found


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
    conditions = dict(enumerate((unless, *steps)))
    if not unless:
        del conditions[0]
    events = " UNION ALL ".join(
        f"SELECT DISTINCT profile, time, {number} AS step FROM {source} WHERE {condition}"
        for number, condition in conditions.items()
    )
    bucketed = f"SELECT profile, time, step, {bucket} AS bucket FROM ({events})"
    order = "OVER (PARTITION BY profile, step, bucket ORDER BY time"
    placed = (
        f"SELECT profile, time, step, row_number() {order}) AS up, "
        f"row_number() {order} DESC) AS down FROM ({bucketed})"
    )
    chain = (
        f"SELECT profile, time, step, CASE WHEN step = 1 THEN time END AS b1 FROM ({placed}) "
        f"WHERE up <= {MOST_MOMENTS} OR down <= {MOST_MOMENTS}"
    )
    before = (
        "OVER (PARTITION BY profile ORDER BY time "
        "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    for number in range(2, len(steps) + 1):
        begun = f"CASE WHEN step = {number} THEN max(b{number - 1}) {before} END"
        chain = f"SELECT *, {begun} AS b{number} FROM ({chain})"
    return _matches_sql(chain, f"b{len(steps)}", within, unless, now)


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
