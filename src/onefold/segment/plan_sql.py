"""The one query of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

NEVER = "NULL"


class Placed(Protocol):
    """An output of a plan, with the level at which it is computed."""

    @property
    def column(self) -> str: ...
    @property
    def expression(self) -> str: ...
    @property
    def level(self) -> int: ...
    @property
    def turn_days(self) -> tuple[str, ...]: ...
    @property
    def turn_moments(self) -> tuple[str, ...]: ...


def plan_sql(outputs: Sequence[Placed], *, turns: bool = False) -> str:
    """One SELECT; where outputs refer to outputs, one CTE for each level but the last."""
    levels = max((one.level for one in outputs), default=0)
    steps = []
    source = "profiles"
    for level in range(levels):
        parts = [f"{one.expression} AS {one.column}" for one in outputs if one.level == level]
        steps.append(f"l{level} AS (SELECT {', '.join(['*', *parts])} FROM {source})")
        source = f"l{level}"
    last = [
        f"{one.expression} AS {one.column}" if one.level == levels else one.column
        for one in outputs
    ]
    if turns:
        day = soonest(day for one in outputs for day in one.turn_days)
        moment = soonest(moment for one in outputs for moment in one.turn_moments)
        last += [f"CAST({day} AS BIGINT) AS turn_day", f"CAST({moment} AS BIGINT) AS turn_moment"]
    head = f"WITH {', '.join(steps)} " if steps else ""
    return f"{head}SELECT {', '.join(['profile', *last])} FROM {source}"


def soonest(times: Iterable[str]) -> str:
    """Write the first of some times."""
    found = tuple(dict.fromkeys(times))
    return f"least({', '.join(found)})" if found else NEVER
