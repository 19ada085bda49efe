"""The arguments of an event function that say when: `last`, `between`, `during`, `since`, `until`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from sqlglot import exp

from onefold.segment import this_session
from onefold.segment.syntax import Source, nearest, offset_of, unparenthesized
from onefold.segment.window import EVER, Clock, Period, Window

WINDOW_ARGUMENTS = ("last", "between", "during", "since", "until")
LONGEST: dict[Clock, int] = {"second": 3_600, "minute": 1_440, "hour": 2_160, "day": 3_660}
FIRST_YEAR, LAST_YEAR = 1970, 2100

_UNITS: dict[str, tuple[Clock, int]] = {
    "second": ("second", 1),
    "minute": ("minute", 1),
    "hour": ("hour", 1),
    "day": ("day", 1),
    "week": ("day", 7),
}
PERIODS: dict[str, tuple[Period, int]] = {
    "today": ("day", 0),
    "yesterday": ("day", 1),
    "this_week": ("week", 0),
    "last_week": ("week", 1),
    "this_month": ("month", 0),
    "last_month": ("month", 1),
    "this_quarter": ("quarter", 0),
    "last_quarter": ("quarter", 1),
    "this_year": ("year", 0),
    "last_year": ("year", 1),
}
SESSION = "this_session"
_LAST = "for example: last => interval 30 day"
_BETWEEN = "for example: between => (interval 60 day, interval 30 day)"
_DATE = "for example: since => date '2026-01-01'"
_EPOCH = date(1970, 1, 1)


class WindowArguments:
    """Reads the window of one call; what is wrong is noted in the source."""

    def __init__(self, source: Source, call: exp.Expr, named: Mapping[str, exp.Expr]) -> None:
        self._source = source
        self._call = call
        self._named = {name: named[name] for name in WINDOW_ARGUMENTS if name in named}

    def window(self) -> Window:
        """The window; without any of the arguments, all events ever."""
        given = list(self._named)
        first = given[0] if given else ""
        allowed = ("since", "until") if first in ("since", "until") else (first,)
        for name in given:
            if name not in allowed:
                hint = "since and until go together, each other one stands alone"
                self._fault(self._named[name], f"{name} beside {first}: one window is enough", hint)
        if first in ("since", "until"):
            return self._dates()
        return {"last": self._last, "between": self._between, "during": self._during}.get(
            first, lambda: EVER
        )()

    @property
    def in_session(self) -> bool:
        """Is it about the session that somebody is in?"""
        return self._during_word() == SESSION

    def length(self, name: str, node: exp.Expr) -> tuple[Clock, int] | None:
        """Read an interval as a number of units; weeks are days."""
        node = unparenthesized(node)
        example = f"for example: {name} => interval 30 day"
        if not isinstance(node, exp.Interval):
            self._fault(node, f"{name} is an interval", example)
            return None
        unit = str(node.args.get("unit") or "").lower()
        known = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if known is None:
            self._fault(node, f"unknown unit {unit or 'of the interval'}", _unit_hint(unit))
            return None
        amount = unparenthesized(node.this)
        text = amount.name if isinstance(amount, exp.Literal) else ""
        if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
            self._fault(node, "an interval is a whole number of units, at least 1", example)
            return None
        clock, n = known[0], int(text[:9]) * known[1]
        if n > LONGEST[clock]:
            hint = "leave it out to count all events, or use a larger unit"
            self._fault(node, f"a window is at most {LONGEST[clock]:,} {clock}s", hint)
            return None
        return clock, n

    def _fault(self, at: exp.Expr, message: str, hint: str = "") -> None:
        self._source.fault(self._place(at), f"{str(self._call.this).lower()}: {message}", hint)

    def _place(self, at: exp.Expr) -> exp.Expr | int:
        """Where an argument is; an interval leaves no trace of its own in the syntax tree."""
        if any("start" in node.meta for node in at.walk()):
            return at
        name = next((name for name, node in self._named.items() if node is at), "")
        start = offset_of(self._call)
        found = re.compile(rf"\b{name}\s*=>\s*", re.IGNORECASE).search(self._source.text, start)
        return found.end() if name and found else at

    def _last(self) -> Window:
        found = self.length("last", self._named["last"])
        return EVER if found is None else Window(found[0], found[0], found[1] - 1)

    def _between(self) -> Window:
        node = self._named["between"]
        if not isinstance(node, exp.Tuple) or len(node.expressions) != 2:
            self._fault(node, "between is two intervals", _BETWEEN)
            return EVER
        far, near = (self.length("between", one) for one in node.expressions)
        if far is None or near is None:
            return EVER
        if far[0] != near[0]:
            self._fault(node, "both intervals have the same unit; weeks are days", _BETWEEN)
        elif far[1] <= near[1]:
            self._fault(node, "the longer interval comes first", _BETWEEN)
        else:
            return Window(far[0], far[0], far[1] - 1, near[1])
        return EVER

    def _during_word(self) -> str:
        node = self._named.get("during")
        return node.name.lower() if isinstance(node, exp.Column) and not node.table else ""

    def _during(self) -> Window:
        word = self._during_word()
        if word == SESSION:
            return this_session.COUNTED
        if word not in PERIODS:
            known = (*PERIODS, SESSION)
            hint = nearest(word, known) or f"known are {', '.join(known)}"
            self._fault(self._named["during"], f"unknown period {word}".rstrip(), hint)
            return EVER
        period, ago = PERIODS[word]
        return Window("day", period, ago, ago)

    def _dates(self) -> Window:
        since, until = (self._date(name) for name in ("since", "until"))
        if since is not None and until is not None and until < since:
            self._fault(self._named["until"], "until is before since")
        return Window("day", since=since, until=until)

    def _date(self, name: str) -> int | None:
        node = self._named.get(name)
        if node is None:
            return None
        if not (isinstance(node, exp.Cast) and node.to.this == exp.DType.DATE):
            self._fault(node, f"{name} is a date", _DATE.replace("since", name))
            return None
        text = node.this.name if isinstance(node.this, exp.Literal) else ""
        try:
            found = date.fromisoformat(text)
        except ValueError:
            self._fault(node, f"{text!r} is not a day of the calendar", "year-month-day")
            return None
        if not FIRST_YEAR <= found.year < LAST_YEAR:
            self._fault(node, f"a date is from {FIRST_YEAR} to {LAST_YEAR - 1}")
            return None
        return (found - _EPOCH).days


def _unit_hint(unit: str) -> str:
    if unit.removesuffix("s") in ("month", "quarter", "year"):
        return (
            "a month is 30 days, a year 365: say which you mean, in days, or during => this_month"
        )
    return nearest(unit, _UNITS) or f"known are {', '.join(_UNITS)}"
