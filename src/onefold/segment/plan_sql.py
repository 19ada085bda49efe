"""The one query of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol


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
        last.append(_soonest("turn_day", (day for one in outputs for day in one.turn_days)))
        moments = (moment for one in outputs for moment in one.turn_moments)
        last.append(_soonest("turn_moment", moments))
    head = f"WITH {', '.join(steps)} " if steps else ""
    return f"{head}SELECT {', '.join(['profile', *last])} FROM {source}"


def _soonest(name: str, times: Iterable[str]) -> str:
    found = tuple(dict.fromkeys(times))
    least = f"least({', '.join(found)})" if found else "NULL"
    return f"CAST({least} AS BIGINT) AS {name}"
