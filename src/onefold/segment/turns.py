"""When time alone changes what a rule says: the day or the moment at which a comparison turns.

Most uses of the clock compare something that grows with it, such as `today() - interval 30 day`,
with something that stands still. The gap between the two tells exactly when that turns, so nobody
is looked at again before. Other uses turn with the day, the week, the month or the year. These
expressions are run by the live engine only, beside the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

from sqlglot import exp

from onefold.segment.syntax import unparenthesized
from onefold.segment.writing import Translating

_ASKING = ("now", "age", "anniversary")
_SHORT = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000}
_NEXT = {"year": "next year", "quarter": "next month", "month": "next month", "week": "next week"}
_FAR = 4_000_000
"""No day is farther away."""
_CLAMPED = 4
"""By how many days a date that is moved by months can be off."""


class Growth(NamedTuple):
    """How a value grows with the clock: by `slope` a day, or a microsecond, up to `slack` days."""

    clock: Literal["today", "now"] | None
    slope: int
    slack: int = 0


_STILL = Growth(None, 0)


def asks_clock(node: exp.Expr) -> bool:
    """Say whether the clock is asked anywhere inside."""
    return any(
        isinstance(each, exp.CurrentDate)
        or (isinstance(each, exp.Anonymous) and str(each.this).lower() in _ASKING)
        for each in node.walk()
    )


def compared(t: Translating, one: exp.Expr, operator: str, other: exp.Expr) -> tuple[str, str]:
    """Write the two sides of a comparison, and note when it turns."""
    ordered = operator not in ("=", "<>")
    if not t.source.asks_clock:
        a, b = t.alike([one, other], ordered)
        return a, b
    left, right = growth(one), growth(other)
    total = _difference(left, right) if left and right else None
    if total is None or abs(total.slope) > 1:
        a, b = t.alike([one, other], ordered)
        return a, b
    with t.quietly():
        a, b = t.alike([one, other], ordered)
    if total.slope and total.clock:
        whole = t.common_type([one, other]) in ("date", "time")
        clock_type: Literal["date", "time"] = "date" if total.clock == "today" else "time"
        if total.clock == "now" and t.common_type([one, other]) == "date":
            total, clock_type = total._replace(clock="today"), "date"
        now = t.clock(one, (str(total.clock),), clock_type)
        mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
        grows, stays = (a, b) if total.slope > 0 else (b, a)
        operator = operator if total.slope > 0 else mirrored.get(operator, operator)
        gap = f"({stays} - {grows})"
        ahead = _ahead(gap, operator, total.slack, whole=whole)
        t.turn(f"({now} + {ahead})", moment=total.clock == "now")
    return a, b


def _ahead(gap: str, operator: str, slack: int, *, whole: bool) -> str:
    """How far ahead a growing value meets, or has passed, one that stands still."""
    if not whole:
        gap = f"least(greatest({gap}, -{_FAR}), {_FAR})"
    meets = gap if whole else f"CAST(ceil({gap}) AS BIGINT)"
    if slack:
        return f"CASE WHEN {gap} > -{slack} THEN greatest({meets} - {slack}, 1) END"
    passes = f"{gap} + 1" if whole else f"CAST(floor({gap}) AS BIGINT) + 1"
    if operator in ("<", ">="):
        return f"CASE WHEN {gap} > 0 THEN {meets} END"
    if operator in (">", "<="):
        return f"CASE WHEN {gap} >= 0 THEN {passes} END"
    return f"CASE WHEN {gap} > 0 THEN {meets} WHEN {gap} = 0 THEN {passes} END"


def growth(node: exp.Expr) -> Growth | None:
    """Say how an expression grows with the clock; None where that is not so simple."""
    node = unparenthesized(node)
    if isinstance(node, exp.CurrentDate):
        return Growth("today", 1)
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "now":
        return Growth("now", 1)
    if isinstance(node, exp.DateDiff):
        if str(node.args.get("unit")).lower().removesuffix("s") == "day":
            return _combined(node.this, node.expression)
    elif isinstance(node, (exp.Add, exp.Sub)):
        if isinstance(node.expression, exp.Interval):
            base = growth(node.this)
            months = str(node.expression.args.get("unit")).lower().removesuffix("s")
            if base and base.slope and months in ("month", "quarter", "year"):
                return base._replace(slack=base.slack + _CLAMPED)
            return base
        if isinstance(node, exp.Sub):
            return _combined(node.this, node.expression)
    return None if asks_clock(node) else _STILL


def _combined(one: exp.Expr, other: exp.Expr) -> Growth | None:
    """How the difference of two values, counted in days, grows."""
    left, right = growth(one), growth(other)
    if left is None or right is None:
        return None
    left, right = (each._replace(clock=each.clock and "today") for each in (left, right))
    return _difference(left, right)


def _difference(one: Growth, other: Growth) -> Growth | None:
    if one.clock and other.clock and one.clock != other.clock:
        return None
    slope = one.slope - other.slope
    return Growth(one.clock or other.clock, slope, one.slack + other.slack)


@contextmanager
def of_unit(t: Translating, unit: str, nodes: Sequence[exp.Expr]) -> Iterator[None]:
    """Where the clock itself is read in a unit, that turns with the unit."""
    asking = [unparenthesized(node) for node in nodes if asks_clock(node)]
    plain = all(
        isinstance(node, exp.CurrentDate)
        or (isinstance(node, exp.Anonymous) and str(node.this).lower() == "now")
        for node in asking
    )
    if not asking or not plain or unit not in (*_NEXT, *_SHORT):
        yield
        return
    with t.quietly():
        yield
    if unit in _NEXT:
        t.turn(t.clock(nodes[0], (_NEXT[unit],), "date"))
    else:
        now = t.clock(nodes[0], ("now",), "time")
        t.turn(f"(({now} // {_SHORT[unit]} + 1) * {_SHORT[unit]})", moment=True)


def next_anniversary(today: str, date: str, first: int, last: int) -> str:
    """The next day on which an anniversary comes into a stretch of days around today, or leaves."""
    then, now = (f"(DATE '1970-01-01' + CAST({each} AS INTEGER))" for each in (date, today))
    days = []
    for year in (-1, 0, 1):
        years = f"to_years(CAST(year({now}) - year({then}) + {year} AS INTEGER))"
        day = f"date_diff('day', DATE '1970-01-01', CAST({then} + {years} AS DATE))"
        days += [f"{day} - {last}", f"{day} + {1 - first}"]
    ahead = ", ".join(days)
    return f"list_min(list_filter([{ahead}], lambda d: d > {today}))"
