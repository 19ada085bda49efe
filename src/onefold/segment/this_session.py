"""The session that somebody is in at a moment, twice and side by side: in buckets, and as SQL.

It is the row of activity that began in the past and of which the last event is not yet so long ago
that the next one would begin another. What is counted in it are the minutes since the one in which it
began: before it there were so many without any activity that nothing else falls into the first.
"""

from __future__ import annotations

from typing import NamedTuple

from onefold.segment.bucket_query import clock_sql
from onefold.segment.kinds import SESSION_GAP, Bucket, Visits
from onefold.segment.window import MINUTE, Window

MOST_MINUTES = 1_440
"""So far back a session is looked at; it may last longer."""
COUNTED = Window("minute", "minute", MOST_MINUTES - 1)
"""What is counted at the most."""
VISITED = Window("day", "day", 2)
"""The days that tell when it began: whatever the turn of a clock, more than are counted."""


class Session(NamedTuple):
    """The first minute of the session somebody is in, if in any, and when time ends or begins one."""

    minute: int | None
    turns: int | None


def session_at(visits: Bucket | None, now: int) -> Session:
    """Find the session of a moment (µs UTC) among those of the days around it."""
    ends = visits.ends if isinstance(visits, Visits) else []
    turns = None
    for begin, end in zip(ends[::2], ends[1::2], strict=True):
        if begin <= now < end + SESSION_GAP:
            return Session(begin // MINUTE, end + SESSION_GAP)
        if begin > now:
            turns = begin if turns is None else min(begin, turns)
    return Session(None, turns)


def session_sql(activity: str, now: int, source: str) -> str:
    """Write the rows of a relation of events that lie in the session of their profile.

    `activity` is the condition of the events that make sessions.
    """
    gaps = (
        "SELECT profile, time, time - lag(time) OVER (PARTITION BY profile ORDER BY time) AS gap "
        f"FROM {source} WHERE {activity}"
    )
    numbered = (
        f"SELECT profile, time, sum(CASE WHEN gap < {SESSION_GAP} THEN 0 ELSE 1 END) "
        f"OVER (PARTITION BY profile ORDER BY time) AS session FROM ({gaps})"
    )
    begun = (
        f"SELECT profile AS who, min(time) AS time FROM ({numbered}) GROUP BY profile, session "
        f"HAVING min(time) <= {now} AND max(time) > {now - SESSION_GAP}"
    )
    first = f"SELECT who, {clock_sql('minute')} AS minute FROM ({begun})"
    return f"(SELECT * FROM {source} JOIN ({first}) ON profile = who WHERE {clock_sql('minute')} >= minute)"
