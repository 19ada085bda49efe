"""The functions over events, as the slow interpreter of rules evaluates them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlglot import exp

from onefold.testing.rule_texts import read_as, text_of
from onefold.testing.rule_values import Each, read_moment

LENGTHS = {"SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000}
DAY, SESSION_GAP = 86_400_000_000, 1_800_000_000
Evaluate = Callable[[exp.Expr, Any, str], Any]
TypeOf = Callable[[exp.Expr], str | None]


class Happened(NamedTuple):
    """An event of a profile."""

    name: str
    time: int
    message_id: str
    properties: Mapping[str, Any]
    context: Mapping[str, Any] = {}


class Moment(NamedTuple):
    """A profile as it is known at a time, in a time zone."""

    traits: Mapping[str, Any]
    events: Sequence[Happened]
    now: int
    timezone: str
    types: Mapping[str, str] = {}
    segments: frozenset[str] = frozenset()


def arguments(node: exp.Anonymous) -> dict[str, exp.Expr]:
    """The arguments by name; the second one without a name is the value."""
    named = {
        each.this.name: each.expression for each in node.expressions if type(each) is exp.Kwarg
    }
    if len(node.expressions) > 1 and not isinstance(node.expressions[1], exp.Kwarg):
        named["of"] = node.expressions[1]
    return named


def event_function(
    node: exp.Anonymous, moment: Moment, wanted: str, evaluate: Evaluate, type_of: TypeOf
) -> Any:
    """Evaluate one function over the events of a profile."""
    named, function = arguments(node), node.this.lower()
    if function == "in_sequence":
        return _in_sequence(node, named, moment, evaluate)
    given = node.expressions[0] if node.expressions else None
    name = None if given is None or isinstance(given, exp.Kwarg) else given.name
    of = named.get("of")
    elements = of is not None and of.find(exp.Bracket) is not None
    where = None if elements else named.get("where")
    events = _matching(name, where, _window(named), moment, evaluate)
    if function == "count_of":
        return float(len(events))
    if function == "did":
        return bool(events)
    if function == "days_since":
        return _days_since(events, moment)
    if function in ("sessions", "session_minutes"):
        return _sessions(function, sorted(event.time for event in events))
    assert of is not None
    kind = type_of(of) or "text"
    if function in ("sum_of", "avg_of", "min_of", "max_of"):
        kind = "number"
    found = []
    for event in events:
        scopes = _elements(of, named.get("where"), event, evaluate) if elements else [event]
        values = [evaluate(of, scope, kind) for scope in scopes]
        found += [(event.time, event.message_id, one) for one in values if one is not None]
    if wanted in ("date", "time"):
        text = _of_values(function, found, kind, "text")
        return None if text is None else read_moment(text, wanted, moment.timezone)
    return _of_values(function, found, kind, wanted)


def _of_values(function: str, found: list[tuple[int, str, Any]], kind: str, wanted: str) -> Any:
    if function == "unique_of":
        return float(len({value for _, _, value in found}))
    if function in ("sum_of", "avg_of", "min_of", "max_of"):
        return _total(function, [value for _, _, value in found if abs(value) < 1e18])
    texts = [(time, message, text_of(value)) for time, message, value in found]
    if not texts:
        return None
    if function == "most_frequent_of":
        counts = Counter(value[:100] for _, _, value in texts)
        best = max(counts.values())
        return read_as(min(value for value, n in counts.items() if n == best), wanted)
    return read_as((min(texts) if function == "first_of" else max(texts))[2], wanted)


def _matching(
    name: str | None,
    where: exp.Expr | None,
    window: Mapping[str, exp.Expr],
    moment: Moment,
    evaluate: Evaluate,
) -> list[Happened]:
    """The events of a name, or of any activity, in a window and under a condition."""
    return [
        event
        for event in moment.events
        if (
            event.name not in ("identify", "group", "alias") if name is None else event.name == name
        )
        and _inside(event.time, window, moment)
        and (where is None or _satisfies(where, event, evaluate) is True)
    ]


def _window(named: Mapping[str, exp.Expr]) -> dict[str, exp.Expr]:
    return {
        name: named[name]
        for name in ("last", "between", "during", "since", "until")
        if name in named
    }


# Elements of lists.


def element_value(node: exp.Expr, item: Any) -> Any:
    """Follow the names after the brackets into an element."""
    names = []
    while isinstance(node, exp.Dot):
        names.append(node.expression.name)
        node = node.this
    for name in reversed(names):
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _elements(
    about: exp.Expr, condition: exp.Expr | None, event: Happened, evaluate: Evaluate
) -> list[Each]:
    """The elements that an expression is about, of those that satisfy a condition."""
    found = _list_of(about, event)
    elements = [Each(item, event) for item in found or []]
    if condition is None:
        return elements
    return [each for each in elements if evaluate(condition, each, "boolean") is True]


def _list_of(about: exp.Expr, event: Happened) -> list[Any] | None:
    bracket = about.find(exp.Bracket)
    assert bracket is not None
    path = [part.name for part in bracket.this.find_all(exp.Identifier)]
    root, *keys = _column_path(bracket.this) or path
    found: Any = getattr(event, root)
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, list) else None


def _column_path(node: exp.Expr) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*_column_path(node.this), node.expression.name]
    assert isinstance(node, exp.Column)
    return [part.name for part in node.parts]


def _satisfies(node: exp.Expr, event: Happened, evaluate: Evaluate) -> bool | None:
    """Ask a condition of an event; what is joined by `and` holds for one and the same element."""
    while isinstance(node, exp.Paren):
        node = node.this
    if node.find(exp.Bracket) is None:
        found: bool | None = evaluate(node, event, "boolean")
        return found
    if isinstance(node, exp.Not) and not isinstance(node.this, exp.Is):
        inner = _satisfies(node.this, event, evaluate)
        return None if inner is None else not inner
    if isinstance(node, exp.Or):
        either = [_satisfies(part, event, evaluate) for part in (node.left, node.right)]
        return True if True in either else None if None in either else False
    parts = _conjunction(node)
    about = [part for part in parts if part.find(exp.Bracket) is not None]
    answers = [evaluate(part, event, "boolean") for part in parts if part not in about]
    items = _list_of(about[0], event)
    answers.append(
        None
        if items is None
        else any(
            all(evaluate(part, Each(item, event), "boolean") is True for part in about)
            for item in items
        )
    )
    return False if False in answers else None if None in answers else True


def _conjunction(node: exp.Expr) -> list[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        return [*_conjunction(node.left), *_conjunction(node.right)]
    return [node]


# Days, sessions, sequences.


def _days_since(events: list[Happened], moment: Moment) -> float | None:
    today = _local_date(moment.now, moment.timezone)
    days = [_local_date(event.time, moment.timezone) for event in events]
    days = [day for day in days if day <= today]
    return float((today - max(days)).days) if days else None


def _sessions(function: str, times: list[int]) -> float:
    gaps = [after - before for before, after in pairwise(times)]
    if function == "sessions":
        return float(bool(times) + sum(gap >= SESSION_GAP for gap in gaps))
    return sum(gap for gap in gaps if gap < SESSION_GAP) / 60e6


def _in_session(time: int, moment: Moment) -> bool:
    """Say whether a time is in the session that goes on, a day back at the most."""
    today, minute = _local_date(moment.now, moment.timezone), LENGTHS["MINUTE"]
    first = before = None
    for each in sorted(
        event.time
        for event in moment.events
        if event.name not in ("identify", "group", "alias")
        and today - timedelta(days=2) <= _local_date(event.time, moment.timezone) <= today
    ):
        if before is None or each - before >= SESSION_GAP:
            if before is not None and moment.now < before + SESSION_GAP:
                break  # this one is over, or goes on, before another begins
            first = each
        before = each
    if first is None or before is None or not first <= moment.now < before + SESSION_GAP:
        return False
    since = max(first // minute, moment.now // minute - 1_439)
    return since <= time // minute <= moment.now // minute


def _in_sequence(
    node: exp.Anonymous, named: Mapping[str, exp.Expr], moment: Moment, evaluate: Evaluate
) -> bool:
    """Try every choice of one event for each step."""
    window, within = _window(named), _micros(named.get("within"))
    common = named.get("where")

    def happened(step: exp.Expr, window: Mapping[str, exp.Expr]) -> list[int]:
        name, own = step, None
        if isinstance(step, exp.Anonymous):
            name, own = step.expressions[0], arguments(step).get("where")
        events = _matching(name.name, own, window, moment, evaluate)
        return [
            event.time
            for event in events
            if common is None or _satisfies(common, event, evaluate) is True
        ]

    def spoiled(end: int, after: list[int]) -> bool:
        if within is None:
            return any(time > end for time in after)
        return end + within > moment.now or any(end < time < end + within for time in after)

    unless = named.get("not_followed_by")
    after = happened(unless, _until_now(window, moment)) if unless is not None else []
    steps = [step for step in node.expressions if not isinstance(step, exp.Kwarg)]
    return any(
        all(one < other for one, other in pairwise(choice))
        and (within is None or choice[-1] - choice[0] <= within)
        and not (unless is not None and spoiled(choice[-1], after))
        for choice in product(*(happened(step, window) for step in steps))
    )


def _until_now(window: Mapping[str, exp.Expr], moment: Moment) -> Mapping[str, exp.Expr]:
    """What comes after the steps may also come after their window; up to the present unit of it."""
    if "between" in window:
        return {"last": window["between"].expressions[0]}
    if "last" in window or not window:
        return window
    return {"until": exp.cast(exp.Literal.string("9999-12-31"), "date")}


def _micros(interval: exp.Expr | None) -> int | None:
    if interval is None:
        return None
    unit, n = str(interval.args["unit"]).upper().removesuffix("S"), int(interval.this.name)
    return n * ({"DAY": DAY, "WEEK": 7 * DAY} | LENGTHS)[unit]


# Windows.


def _inside(time: int, named: Mapping[str, exp.Expr], moment: Moment) -> bool:
    """Say whether a time lies in the window that the arguments describe."""
    if "last" in named:
        return _within(time, named["last"], moment)
    if "between" in named:
        far, near = named["between"].expressions
        return _within(time, far, moment) and not _within(time, near, moment, future=True)
    day, today = (_local_date(each, moment.timezone) for each in (time, moment.now))
    if "during" in named and named["during"].name.lower() == "this_session":
        return _in_session(time, moment)
    if "during" in named:
        begins, following = _PERIODS[named["during"].name.lower()](today)
        return begins <= day < following and day <= today
    if "since" in named and day < date.fromisoformat(named["since"].this.name):
        return False
    if "until" in named and day > date.fromisoformat(named["until"].this.name):
        return False
    return day <= today if {"since", "until"} & set(named) else True


def _within(time: int, interval: exp.Expr, moment: Moment, *, future: bool = False) -> bool:
    """Say whether a time is in the last so many units; or else in one that is still to come."""
    unit, n = str(interval.args["unit"]).upper().removesuffix("S"), int(interval.this.name)
    if unit in LENGTHS:
        current = moment.now // LENGTHS[unit]
        its = time // LENGTHS[unit]
        return current - n < its and (future or its <= current)
    days = timedelta(days=n * 7 if unit == "WEEK" else n)
    today, day = (_local_date(each, moment.timezone) for each in (moment.now, time))
    return today - days < day and (future or day <= today)


def _week(today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=7)


def _months(today: date, each: int) -> tuple[date, date]:
    """The first day of so many months that today lies in, and the first day after."""
    first = date(today.year, (today.month - 1) // each * each + 1, 1)
    following = first + timedelta(days=31 * each)
    return first, following.replace(day=1)


_Days = Callable[[date], tuple[date, date]]


def _before(period: _Days) -> _Days:
    return lambda today: period(period(today)[0] - timedelta(days=1))


_THIS: dict[str, _Days] = {
    "week": _week,
    "month": lambda today: _months(today, 1),
    "quarter": lambda today: _months(today, 3),
    "year": lambda today: (date(today.year, 1, 1), date(today.year + 1, 1, 1)),
}
_PERIODS: dict[str, _Days] = {
    "today": lambda today: (today, today + timedelta(days=1)),
    "yesterday": lambda today: (today - timedelta(days=1), today),
    **{f"this_{name}": period for name, period in _THIS.items()},
    **{f"last_{name}": _before(period) for name, period in _THIS.items()},
}


def _local_date(time: int, timezone: str) -> date:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
    return moment.astimezone(ZoneInfo(timezone)).date()


# Totals.


def _total(aggregate: str, values: list[float]) -> float | None:
    if not values:
        return None
    if aggregate == "min_of":
        return min(values)
    if aggregate == "max_of":
        return max(values)
    total = sum(_millionths(value) for value in values) / 1_000_000
    return total / len(values) if aggregate == "avg_of" else total


def _millionths(value: float) -> int:
    scaled = abs(value * 1e6)
    whole = math.floor(scaled) + (scaled - math.floor(scaled) >= 0.5)
    return int(math.copysign(whole, value))
