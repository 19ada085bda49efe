"""The slow interpreter's dates, times, texts and lists: plain Python, nothing of the compiler.

A date is a `datetime.date`, a time is in µs UTC, a list is the list as it is in JSON. Every
function here takes a node, evaluates its parts by `Evaluate`, and gives a value or None.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlglot import exp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
LENGTHS = {"SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000}
LENGTHS |= {"DAY": 86_400_000_000, "WEEK": 7 * 86_400_000_000}
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)


class Asked(Protocol):
    """Whom a rule is asked about: what of them this module needs."""

    @property
    def now(self) -> int: ...
    @property
    def timezone(self) -> str: ...
    @property
    def segments(self) -> frozenset[str]: ...
    @property
    def traits(self) -> Mapping[str, Any]: ...


class Each(NamedTuple):
    """A value of a list, inside any_of."""

    value: Any
    asked: Any


Evaluate = Callable[[exp.Expr, Any, str], Any]
Function = Callable[[exp.Expr, Any, str, Evaluate], Any]


def local(micros: int, timezone: str) -> datetime:
    """The local time that a clock shows."""
    return (EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(timezone))


def read_moment(text: str, wanted: str, timezone: str) -> date | int | None:
    """Read an ISO text as a date or a time."""
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return None
    day, minutes, seconds, fraction, offset = parts.groups()
    try:
        found = datetime.combine(date.fromisoformat(day), time())
        if minutes:
            clock = time.fromisoformat(f"{minutes}:{seconds or '00'}")
            found = datetime.combine(found.date(), clock)
    except ValueError:
        return None
    found += timedelta(microseconds=int(f"{fraction or ''}000000"[:6]))
    if offset is None:
        if wanted == "date":
            return found.date()
        return (found.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC) - EPOCH) // MICRO
    digits = "" if offset == "Z" else offset[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2] or 0), minutes=int(digits[2:] or 0))
    ahead = -ahead if offset[0] == "-" else ahead
    micros = (found.replace(tzinfo=UTC) - ahead - EPOCH) // MICRO
    if wanted == "time":
        return micros
    if found.time() == time() and not ahead:
        return found.date()
    return local(micros, timezone).date()


def asked_of(scope: Any) -> Asked:
    """Whom a scope is about."""
    found: Asked = scope.asked if isinstance(scope, Each) else scope
    return found


def today(scope: Any) -> date:
    """The local day that it is."""
    asked = asked_of(scope)
    return local(asked.now, asked.timezone).date()


def moved(day: date, months: int) -> date:
    """The same day of another month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def value_type(node: exp.Expr, type_of: Callable[[exp.Expr], str | None]) -> str | None:
    """Say which type a node of this module has by itself."""
    if isinstance(node, exp.Cast):
        return "date" if node.to.this == exp.DType.DATE else "time"
    if isinstance(node, (exp.Add, exp.Sub)):
        if isinstance(node.expression, exp.Interval):
            short = str(node.expression.args["unit"]).rstrip("S") in ("SECOND", "MINUTE", "HOUR")
            return type_of(node.this) or ("time" if short else "date")
        return "number"
    if isinstance(node, exp.Case):
        branches = [each.args["true"] for each in node.args["ifs"]]
        found = [type_of(each) for each in (*branches, node.args.get("default")) if each]
        return next((one for one in ("date", "time", *found) if one in found and one), None)
    if isinstance(node, exp.Anonymous):
        return CALL_TYPES.get(str(node.this).lower())
    return TYPES.get(type(node))


# Dates and times.


def _cast(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    assert isinstance(node, exp.Cast)
    kind = "date" if wanted == "date" or node.to.this == exp.DType.DATE else "time"
    return read_moment(node.this.name, kind, asked_of(scope).timezone)


def _now(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    return today(scope) if wanted == "date" else asked_of(scope).now


def _sum(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    by = node.expression
    base = evaluate(node.this, scope, wanted)
    if base is None:
        return None
    unit, n = str(by.args["unit"]).removesuffix("S"), int(by.this.name)
    n = n if isinstance(node, exp.Add) else -n
    if wanted == "time":
        return base + n * LENGTHS[unit]
    if unit in MONTHS:
        return moved(base, n * MONTHS[unit])
    return base + n * timedelta(days=7 if unit == "WEEK" else 1)


def _date(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    return evaluate(node.this, scope, "date")


def _part(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    day = evaluate(node.this, scope, "date")
    return None if day is None else float(getattr(day, node.key))


def _weekday(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    day = evaluate(node.expressions[0], scope, "date")
    return None if day is None else float(day.isoweekday())


def _date_diff(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    unit = str(node.args["unit"])
    kind = "time" if unit in ("SECOND", "MINUTE", "HOUR") else "date"
    end, start = (evaluate(each, scope, kind) for each in (node.this, node.expression))
    if end is None or start is None:
        return None
    return float(_turns(end, unit) - _turns(start, unit))


def _turns(value: Any, unit: str) -> int:
    """How many units have begun before."""
    if unit in ("SECOND", "MINUTE", "HOUR"):
        return int(value // LENGTHS[unit])
    if unit == "DAY":
        return int(value.toordinal())
    if unit == "WEEK":
        return int((value.toordinal() - 1) // 7)
    return int((value.year * 12 + value.month - 1) // MONTHS[unit])


def _age(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    birth, day = evaluate(node.expressions[0], scope, "date"), today(scope)
    if birth is None:
        return None
    years = day.year - birth.year
    return float(years if moved(birth, 12 * years) <= day else years - 1)


def _anniversary(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    that = evaluate(node.expressions[0], scope, "date")
    if that is None:
        return None
    days = [today(scope)]
    for window in node.expressions[1:]:
        by = window.expression
        n = int(by.this.name) * (7 if str(by.args["unit"]).startswith("WEEK") else 1)
        sign = 1 if window.this.name == "next" else -1
        days = [days[0] + timedelta(days=sign * ahead) for ahead in range(n)]
    return any(moved(that, 12 * (day.year - that.year)) == day for day in days)


def _kind(node: exp.Expr) -> str | None:
    """Say which type a date has by itself, or a name is declared to have."""
    found = node.unnest()
    return value_type(found, _kind) or found.meta.get("declared")


def _days(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    later, earlier = (evaluate(each, scope, "date") for each in (node.this, node.expression))
    return None if None in (later, earlier) else float((later - earlier).days)


# Texts, choice, lists, other definitions.


def _escaped(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    like, escape = node.this, node.expression.name
    text, characters = evaluate(like.this, scope, "text"), iter(like.expression.name)
    if text is None:
        return None
    regex = ""
    for each in characters:
        plain = re.escape(next(characters) if each == escape else each)
        regex += plain if each == escape else {"%": ".*", "_": "."}.get(each, plain)
    flags = re.DOTALL | (re.IGNORECASE if isinstance(like, exp.ILike) else 0)
    found = re.fullmatch(regex, text, flags) is not None
    return not found if like.args.get("negate") else found


def _joined(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    parts = [node.this, node.expression] if isinstance(node, exp.DPipe) else node.expressions
    values = [evaluate(part, scope, "text") for part in parts]
    return None if None in values else "".join(values)


def _cut(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    text = evaluate(node.this, scope, "text")
    if text is None:
        return None
    if isinstance(node, exp.Left):
        return text[: int(node.expression.name)]
    if isinstance(node, exp.Right):
        return text[max(0, len(text) - int(node.expression.name)) :]
    if isinstance(node, exp.Replace):
        other = evaluate(node.args["replacement"], scope, "text")
        return None if other is None else text.replace(node.expression.name, other)
    start = int(node.args["start"].name) - 1
    length = node.args.get("length")
    return text[start:] if length is None else text[start : start + int(length.name)]


def _case(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    for each in node.args["ifs"]:
        test = each.this
        if node.args.get("this") is not None:
            test = exp.EQ(this=node.this.copy(), expression=test.copy())
        if evaluate(test, scope, "boolean") is True:
            return evaluate(each.args["true"], scope, wanted)
    otherwise = node.args.get("default")
    return None if otherwise is None else evaluate(otherwise, scope, wanted)


def _any_of(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    many, condition = node.expressions
    found = evaluate(many, scope, "list")
    if found is None:
        return None
    return any(evaluate(condition, Each(each, scope), "boolean") is True for each in found)


def _contains(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    many, one = node.this, node.expression
    if isinstance(node, exp.In):
        many, one = node.args["field"], node.this
    kind = "number" if isinstance(one, exp.Literal) and not one.is_string else "text"
    found, value = evaluate(many, scope, "list"), evaluate(one, scope, kind)
    if found is None or value is None:
        return None
    column = exp.column("value")
    return any(evaluate(column, Each(each, scope), kind) == value for each in found)


def _list_length(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    found = evaluate(node.expressions[0], scope, "list")
    return None if found is None else float(len(found))


def _in_segment(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    return node.expressions[0].name in asked_of(scope).segments


def _consent(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> Any:
    purpose, within = node.expressions[0].name, exp.column("consent")
    one = evaluate(exp.column(f"consent.{purpose}", quoted=True), scope, "boolean")
    path = exp.Dot(this=within, expression=exp.to_identifier(purpose, quoted=True))
    return evaluate(path, scope, "boolean") if one is None else one


VALUES: dict[type[exp.Expr], Function] = {
    exp.Cast: _cast,
    exp.CurrentDate: _now,
    exp.Date: _date,
    exp.Year: _part,
    exp.Month: _part,
    exp.Day: _part,
    exp.DateDiff: _date_diff,
    exp.DPipe: _joined,
    exp.Concat: _joined,
    exp.Left: _cut,
    exp.Right: _cut,
    exp.Replace: _cut,
    exp.Substring: _cut,
    exp.Case: _case,
    exp.Escape: _escaped,
    exp.ArrayContains: _contains,
}
CALLS: dict[str, Function] = {
    "now": _now,
    "weekday": _weekday,
    "age": _age,
    "anniversary": _anniversary,
    "any_of": _any_of,
    "list_length": _list_length,
    "in_segment": _in_segment,
    "consent": _consent,
}
TYPES: dict[type[exp.Expr], str] = {
    exp.CurrentDate: "date",
    exp.Date: "date",
    **dict.fromkeys((exp.Year, exp.Month, exp.Day, exp.DateDiff), "number"),
    **dict.fromkeys(
        (exp.DPipe, exp.Concat, exp.Left, exp.Right, exp.Replace, exp.Substring), "text"
    ),
    exp.ArrayContains: "boolean",
}
CALL_TYPES = {
    "now": "time",
    "weekday": "number",
    "age": "number",
    "anniversary": "boolean",
    "any_of": "boolean",
    "list_length": "number",
    "in_segment": "boolean",
    "consent": "boolean",
}


def value_of(node: exp.Expr, scope: Any, wanted: str, evaluate: Evaluate) -> tuple[bool, Any]:
    """Evaluate a node, if it is one of this module."""
    function = VALUES.get(type(node))
    if isinstance(node, exp.Anonymous):
        function = CALLS.get(str(node.this).lower())
    if isinstance(node, (exp.Add, exp.Sub)) and isinstance(node.expression, exp.Interval):
        function = _sum
    if isinstance(node, exp.Sub) and "date" in {_kind(node.this), _kind(node.expression)}:
        function = function or _days
    if isinstance(node, exp.In) and node.args.get("field"):
        function = _contains
    if isinstance(node, exp.Contains) and _kind(node.this) == "list":
        function = _contains
    return (False, None) if function is None else (True, function(node, scope, wanted, evaluate))
