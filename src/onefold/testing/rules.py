"""A slow interpreter of the rule language, obviously right: what the compiler is tested against.

It evaluates a rule directly over traits and events, one profile at a time, with SQL's three values
of truth. It shares no code with `onefold.segment`, and takes only rules that are valid there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from onefold.testing.rule_texts import text_of
from onefold.testing.rule_values import Each, asked_of, read_moment, value_of, value_type

LENGTHS = {"SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000}


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


def holds(text: str, moment: Moment) -> bool:
    """Say whether a rule holds for a profile."""
    return evaluate(parsed(text, moment.types), moment, "boolean") is True


def parsed(text: str, types: Mapping[str, str]) -> exp.Expr:
    """Read a rule; traits are of the declared types."""
    tree = sqlglot.parse_one(text, read="duckdb")
    for node in tree.find_all(exp.Column, exp.Dot):
        node.meta["declared"] = types.get(".".join(_names(node)))
    return tree


def evaluate(node: exp.Expr, scope: Moment | Happened | Each, wanted: str) -> Any:
    """Evaluate an expression as a type: text, number or boolean; None is SQL's NULL."""
    if isinstance(node, exp.Paren):
        return evaluate(node.this, scope, wanted)
    here, value = value_of(node, scope, wanted, evaluate)
    if here:
        return value
    if isinstance(node, exp.Literal) and wanted in ("date", "time"):
        return read_moment(node.name, wanted, asked_of(scope).timezone)
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else float(node.name)
    if isinstance(node, exp.Boolean):
        return node.this
    if isinstance(node, (exp.Column, exp.Dot)):
        value = _find(_names(node), scope)
        if wanted in ("date", "time"):
            zone = asked_of(scope).timezone
            return read_moment(value, wanted, zone) if isinstance(value, str) else None
        return read_as(value, wanted)
    if isinstance(node, exp.Anonymous):
        assert isinstance(scope, Moment)
        return _event_function(node, scope, wanted)
    if isinstance(node, exp.Coalesce):
        parts = [node.this, *node.expressions]
        values = (evaluate(part, scope, wanted) for part in parts)
        return next((value for value in values if value is not None), None)
    return _operator(node, scope)


def read_as(value: Any, wanted: str) -> Any:
    """Read a JSON value as a type, or None."""
    if value is None:
        return None
    if wanted == "boolean":
        return {"true": True, "false": False}.get(text_of(value).lower())
    if wanted == "text":
        return text_of(value)
    if wanted == "list":
        return [each for each in value if each is not None] if isinstance(value, list) else None
    if wanted == "object":
        return value if isinstance(value, dict) else None
    if isinstance(value, (bool, dict, list)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _names(node: exp.Expr) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*_names(node.this), node.expression.name]
    assert isinstance(node, exp.Column)
    return [part.name for part in node.parts]


def _find(names: list[str], scope: Moment | Happened | Each) -> Any:
    if isinstance(scope, Each):
        return scope.value if names == ["value"] else _find(names, scope.asked)
    if isinstance(scope, Moment):
        found: Any = scope.traits
    elif names == ["name"]:
        return scope.name
    else:
        found, names = getattr(scope, names[0]), names[1:]
    for name in names:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _type(node: exp.Expr) -> str | None:
    """Say which type an expression has by itself."""
    if isinstance(node, exp.Paren):
        return _type(node.this)
    if found := value_type(node, _type):
        return found
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, (exp.Lower, exp.Upper, exp.Trim)):
        return "text"
    if isinstance(node, (*_ARITHMETIC, exp.Neg, exp.Abs, exp.Round, exp.Length)):
        return "number"
    if isinstance(node, exp.Coalesce):
        return _common([node.this, *node.expressions])
    if isinstance(node, exp.Anonymous):
        name = node.this.lower()
        of = _arguments(node).get("of")
        if name in ("first_of", "last_of"):
            return None if of is None or isinstance(of, exp.Column) else _type(of)
        return "boolean" if name == "did" else "number"
    if isinstance(node, (exp.Column, exp.Dot)):
        return node.meta.get("declared")
    return "boolean"


def _common(nodes: list[exp.Expr]) -> str | None:
    found = [_type(node) for node in nodes]
    return next((one for one in ("date", "time", *found) if one and one in found), None)


# Operators.


def _like(text: str, pattern: str) -> bool:
    parts = {"%": ".*", "_": "."}
    regex = "".join(parts.get(character) or re.escape(character) for character in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None


_ARITHMETIC: dict[type[exp.Expr], Callable[[float, float], float | None]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
    exp.Div: lambda a, b: a / b if b else None,
    exp.Mod: lambda a, b: math.fmod(a, b) if b else None,
}
_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
}
_TEXT_TESTS: dict[type[exp.Expr], Callable[[str, str], bool]] = {
    exp.Like: _like,
    exp.ILike: lambda a, b: _like(a.lower(), b.lower()),
    exp.StartsWith: str.startswith,
    exp.EndsWith: str.endswith,
    exp.Contains: lambda a, b: b in a,
}
_ONE_TEXT: dict[type[exp.Expr], Callable[[str], Any]] = {
    exp.Lower: str.lower,
    exp.Upper: str.upper,
    exp.Trim: lambda a: a.strip(" "),
    exp.Length: lambda a: float(len(a)),
}


def _operator(node: exp.Expr, scope: Any) -> Any:
    kind = type(node)
    if kind in _COMPARISONS:
        return _compared(_COMPARISONS[kind], [node.this, node.expression], scope)
    if kind in _ARITHMETIC:
        return _apply(_ARITHMETIC[kind], [node.this, node.expression], scope, "number")
    if kind in _TEXT_TESTS:
        found = _apply(_TEXT_TESTS[kind], [node.this, node.expression], scope, "text")
        return not found if node.args.get("negate") and found is not None else found
    if kind in _ONE_TEXT:
        return _apply(_ONE_TEXT[kind], [node.this], scope, "text")
    if kind is exp.Neg:
        return _apply(lambda a: -a, [node.this], scope, "number")
    if kind is exp.Abs:
        return _apply(abs, [node.this], scope, "number")
    if kind is exp.Round:
        digits = int(node.args["decimals"].name) if node.args.get("decimals") else 0
        return _apply(lambda a: _round(a, digits), [node.this], scope, "number")
    return _logic(node, scope)


def _logic(node: exp.Expr, scope: Any) -> bool | None:
    if isinstance(node, exp.Not):
        value = evaluate(node.this, scope, "boolean")
        return None if value is None else not value
    if isinstance(node, exp.And):
        return _all([evaluate(part, scope, "boolean") for part in (node.left, node.right)])
    if isinstance(node, exp.Or):
        return _any([evaluate(part, scope, "boolean") for part in (node.left, node.right)])
    if isinstance(node, exp.In):
        equal = _COMPARISONS[exp.EQ]
        wanted = _common([node.this, *node.expressions]) or "text"
        value = evaluate(node.this, scope, wanted)
        choices = [evaluate(choice, scope, wanted) for choice in node.expressions]
        return _any([_lifted(equal, [value, choice]) for choice in choices])
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        wanted = _common([node.this, low, high]) or "text"
        value, least, most = (evaluate(part, scope, wanted) for part in (node.this, low, high))
        at_least = _lifted(_COMPARISONS[exp.GTE], [value, least])
        return _all([at_least, _lifted(_COMPARISONS[exp.LTE], [value, most])])
    assert isinstance(node, exp.Is)
    if isinstance(node.expression, exp.Null):
        return evaluate(node.this, scope, _type(node.this) or "text") is None
    return evaluate(node.this, scope, "boolean") is node.expression.this


def _compared(test: Callable[[Any, Any], Any], nodes: list[exp.Expr], scope: Any) -> Any:
    return _apply(test, nodes, scope, _common(nodes) or "text")


def _apply(function: Callable[..., Any], nodes: list[exp.Expr], scope: Any, wanted: str) -> Any:
    return _lifted(function, [evaluate(node, scope, wanted) for node in nodes])


def _lifted(function: Callable[..., Any], values: list[Any]) -> Any:
    """Absence in, absence out."""
    return None if None in values else function(*values)


def _all(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _any(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _round(number: float, digits: int) -> float:
    scaled = abs(number) * 10**digits
    whole = math.floor(scaled) + (scaled - math.floor(scaled) >= 0.5)
    return math.copysign(whole / 10**digits, number)


# Events.


def _arguments(node: exp.Anonymous) -> dict[str, exp.Expr]:
    named = {
        each.this.name: each.expression for each in node.expressions if type(each) is exp.Kwarg
    }
    if len(node.expressions) > 1 and not isinstance(node.expressions[1], exp.Kwarg):
        named["of"] = node.expressions[1]
    return named


def _event_function(node: exp.Anonymous, moment: Moment, wanted: str) -> Any:
    named, aggregate = _arguments(node), node.this.lower()
    events = [
        event
        for event in moment.events
        if event.name == node.expressions[0].name
        and _inside(event.time, named, moment)
        and ("where" not in named or evaluate(named["where"], event, "boolean") is True)
    ]
    if aggregate == "count_of":
        return float(len(events))
    if aggregate == "did":
        return bool(events)
    if aggregate in ("first_of", "last_of"):
        return read_as(_edge(aggregate, named["of"], events), wanted)
    values = [evaluate(named["of"], event, "number") for event in events]
    return _total(aggregate, [value for value in values if value is not None and abs(value) < 1e18])


def _inside(time: int, named: Mapping[str, exp.Expr], moment: Moment) -> bool:
    """Say whether a time lies in the window that the arguments describe."""
    if "last" in named:
        return _within(time, named["last"], moment)
    if "between" in named:
        far, near = named["between"].expressions
        return _within(time, far, moment) and not _within(time, near, moment, future=True)
    day, today = (_local_date(each, moment.timezone) for each in (time, moment.now))
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


def _edge(aggregate: str, of: exp.Expr, events: list[Happened]) -> str | None:
    kind = _type(of) or "text"
    found = [
        (event.time, event.message_id, text_of(value))
        for event in events
        if (value := evaluate(of, event, kind)) is not None
    ]
    if not found:
        return None
    return (min(found) if aggregate == "first_of" else max(found))[2]


def _total(aggregate: str, values: list[float]) -> float | None:
    if not values:
        return None
    if aggregate == "min_of":
        return min(values)
    if aggregate == "max_of":
        return max(values)
    total = sum(int(_round(value * 1e6, 0)) for value in values) / 1_000_000
    return total / len(values) if aggregate == "avg_of" else total
