"""Functions of dates and times: days are counted from 1970-01-01, times in µs UTC.

Both are whole numbers in queries, so that nothing depends on how an engine knows time zones.
"""

from __future__ import annotations

from sqlglot import exp

from onefold.segment import turns
from onefold.segment.metric import Type
from onefold.segment.reading import DATE, MOMENT, read_time
from onefold.segment.syntax import nearest, unparenthesized
from onefold.segment.writing import Call, Translating, Writer, full_match
from onefold.segment.zone import DAY, UTC

NAMES = (
    "today", "now", "date", "year", "month", "day", "weekday", "date_diff", "age", "anniversary",
)  # fmt: skip
MOST_YEARS = 1_000
MOST_ANNIVERSARY = 365

_LENGTHS = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": DAY}
_LENGTHS["week"] = 7 * DAY
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS = (*_LENGTHS, *_MONTHS)
_SHORT = ("second", "minute", "hour")
# Added before an integer division, so that what lies before 1970 is rounded down in every engine.
_SHIFT_DAYS = 7 * 120_000
_LITERALS: dict[exp.DType, Type] = {
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "time",
    exp.DType.TIMESTAMPNTZ: "time",
    exp.DType.TIMESTAMPTZ: "time",
}


def literal_type(node: exp.Cast) -> Type | None:
    """Say which type `date '…'` and `timestamp '…'` have; no other casts are in the language."""
    literal = isinstance(node.this, exp.Literal) and node.this.is_string
    return _LITERALS.get(node.to.this) if literal else None


def text_literal(t: Translating, node: exp.Expr, wanted: Type) -> str:
    """Write a date or time that is given as a text."""
    text = node.name
    if wanted == "date":
        known = read_time(text, UTC) if full_match(DATE, text) else None
        if known is None:
            return t.refuse(node, f"{text!r} is not a date", "for example: date '2026-01-31'")
        return str(known // DAY)
    known = read_time(text, UTC) if full_match(MOMENT, text) else None
    if known is None:
        hint = "for example: timestamp '2026-01-31 08:00:00', or with an offset at its end"
        return t.refuse(node, f"{text!r} is not a time", hint)
    if text.endswith("Z") or full_match(r".*[+-]\d\d:?\d\d", text[10:]):
        return str(known)
    return t.clock(node, ("local", text), "time")


def date_sql(day: str) -> str:
    """Write the date that a day's number is."""
    return f"(DATE '1970-01-01' + CAST({day} AS INTEGER))"


def day_sql(date: str) -> str:
    """Write the number of a date."""
    return f"date_diff('day', DATE '1970-01-01', CAST({date} AS DATE))"


def interval_unit(node: exp.Expr) -> str:
    """Read the unit of an interval, singular; it need not be one that is known."""
    return str(node.args.get("unit") or "").lower().removesuffix("s")


def _interval(t: Translating, node: exp.Interval) -> tuple[str, int] | None:
    """Read a checked interval, or note what is wrong with it."""
    unit, amount = interval_unit(node), unparenthesized(node.this)
    text = amount.name if isinstance(amount, exp.Literal) else ""
    if unit not in _UNITS:
        t.refuse(node, f"unknown unit {unit}", nearest(unit, _UNITS) or "for example: 3 day")
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        t.refuse(node, "an interval is a whole number of units", "for example: interval 3 day")
        return None
    days = int(text) * (_MONTHS[unit] * 30 if unit in _MONTHS else _LENGTHS[unit] / DAY)
    if days > MOST_YEARS * 366:
        t.refuse(node, f"an interval is at most {MOST_YEARS:,} years")
        return None
    return unit, int(text)


# Arithmetic.


def arithmetic_type(t: Translating, node: exp.Expr) -> Type | None:
    """Say which type a sum or difference of dates has; None when it is one of numbers."""
    if not isinstance(node, (exp.Add, exp.Sub)):
        return None
    left, right = unparenthesized(node.this), unparenthesized(node.expression)
    if isinstance(right, exp.Interval) or isinstance(left, exp.Interval):
        base, interval = (left, right) if isinstance(right, exp.Interval) else (right, left)
        short = interval_unit(interval) in _SHORT
        return t.type_of(base) or ("time" if short else "date")
    kinds = {t.type_of(left), t.type_of(right)}
    return "number" if kinds & {"date", "time"} else None


def arithmetic(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    """Write a date or time and an interval, or the days between two dates."""
    left, right = unparenthesized(node.this), unparenthesized(node.expression)
    if isinstance(left, exp.Interval) and isinstance(node, exp.Add):
        left, right = right, left
    if isinstance(right, exp.Interval):
        return _moved(t, node, left, right, wanted)
    hint = "add an interval: today() + interval 7 day"
    if not isinstance(node, exp.Sub):
        return t.refuse(node, "a date and this cannot be added", hint)
    if t.common_type([left, right]) == "time":
        return t.refuse(node, "times cannot be subtracted", "for example: date_diff('hour', a, b)")
    return f"CAST({t.value(left, 'date')} - {t.value(right, 'date')} AS DOUBLE)"


def _moved(
    t: Translating, node: exp.Expr, base: exp.Expr, by: exp.Interval, wanted: Type | None
) -> str:
    type, more = arithmetic_type(t, node), isinstance(node, exp.Add)
    found = _interval(t, by)
    if found is None:
        return "NULL"
    unit, n = found
    sign = "+" if more else "-"
    if type == "time":
        if wanted == "date":
            hint = "write date(…) for its day, and move that by days"
            return t.refuse(by, "a time that is moved is compared with a time", hint)
        if unit not in _LENGTHS:
            return t.refuse(by, "a time is moved by days or less", "write date(…) for its day")
        return f"({t.value(base, 'time')} {sign} {n * _LENGTHS[unit]})"
    if unit in _SHORT:
        return t.refuse(by, "a date is moved by whole days", "a time is moved by hours")
    start = t.value(base, "date")
    if unit in _MONTHS:
        return day_sql(f"{date_sql(start)} {sign} INTERVAL {n * _MONTHS[unit]} MONTH")
    return f"({start} {sign} {n * _LENGTHS[unit] // DAY})"


# What each node becomes.


def _today(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if node.args.get("this") is not None:
        return t.refuse(node, "today() takes nothing")
    return _this_day(t, node)


def _this_day(t: Translating, node: exp.Expr) -> str:
    today = t.clock(node, ("today",), "date")
    t.turn(f"({today} + 1)")
    return today


def _now(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    if node.expressions:
        return t.refuse(node, "now() takes nothing")
    if wanted == "date":
        return _this_day(t, node)
    if not t.quiet:
        hint = "for example: last_seen < now() - interval 2 hour"
        return t.refuse(node, "now() is compared with a time", hint)
    return t.clock(node, ("now",), "time")


def _literal(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    type_ = literal_type(node) if isinstance(node, exp.Cast) else None
    if type_ is None:
        return t.refuse(
            node, "cast is not part of the rule language", "a trait is read as it is used"
        )
    if wanted == "date" and type_ == "time":
        text_literal(t, node.this, "time")
        return t.clock(node, ("day", node.this.name), "date")
    return text_literal(t, node.this, type_)


def _date(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this"):
        return "NULL"
    return t.value(node.this, "date")


def _part(t: Translating, node: exp.Expr, _: Type | None) -> str:
    name = "day" if isinstance(node, (exp.Day, exp.DayOfMonth)) else node.key
    with turns.of_unit(t, name, [node.this]):
        day = t.value(node.this, "date")
    return f"CAST({name}({date_sql(day)}) AS DOUBLE)"


def _weekday(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if len(node.expressions) != 1:
        return t.refuse(node, "weekday takes one date")
    day = t.value(node.expressions[0], "date")
    return f"CAST(({day} + {3 + _SHIFT_DAYS}) % 7 + 1 AS DOUBLE)"


def _date_diff(t: Translating, node: exp.Expr, _: Type | None) -> str:
    unit = str(node.args.get("unit") or "").lower().removesuffix("s")
    if unit not in _UNITS:
        hint = nearest(unit, _UNITS) or f"known are {', '.join(_UNITS)}"
        return t.refuse(node, f"date_diff: unknown unit {unit}", hint)
    with turns.of_unit(t, unit, [node.this, node.expression]):
        wanted: Type = "time" if unit in _SHORT else "date"
        end, start = t.value(node.this, wanted), t.value(node.expression, wanted)
    if unit == "day":
        return f"CAST({end} - {start} AS DOUBLE)"
    return f"CAST({_count(end, unit)} - {_count(start, unit)} AS DOUBLE)"


def _count(value: str, unit: str) -> str:
    """How many units there are before a date or time."""
    if unit in _SHORT:
        return f"({value} + {_SHIFT_DAYS * DAY}) // {_LENGTHS[unit]}"
    if unit == "week":
        return f"({value} + {3 + _SHIFT_DAYS}) // 7"
    year = f"year({date_sql(value)})"
    if unit == "year":
        return year
    return f"({year} * {12 // _MONTHS[unit]} + {unit}({date_sql(value)}))"


def _age(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if len(node.expressions) != 1:
        return t.refuse(node, "age takes one date", "for example: age(birthday) >= 18")
    today, birth = t.clock(node, ("today",), "date"), t.value(node.expressions[0], "date")
    t.turn(turns.next_anniversary(today, birth, 0, 0))
    years = f"year({date_sql(today)}) - year({date_sql(birth)})"
    reached = f"{t.clock(node, ('closing', '0'), 'number')} >= {_month_and_day(birth)}"
    return f"CAST({years} - CASE WHEN {reached} THEN 0 ELSE 1 END AS DOUBLE)"


def _month_and_day(day: str) -> str:
    return f"(month({date_sql(day)}) * 100 + day({date_sql(day)}))"


def _anniversary(t: Translating, node: exp.Expr, _: Type | None) -> str:
    hint = "for example: anniversary(birthday, next => interval 7 day)"
    dates = [each for each in node.expressions if not isinstance(each, exp.Kwarg)]
    windows = [each for each in node.expressions if isinstance(each, exp.Kwarg)]
    if len(dates) != 1 or len(windows) > 1:
        return t.refuse(node, "anniversary takes a date, and next => or last =>", hint)
    first = last = 0
    for window in windows:
        name, days = window.this.name.lower(), _days(t, window.expression)
        if days is None or name not in ("next", "last"):
            most = f"1 to {MOST_ANNIVERSARY} days"
            return t.refuse(node, f"anniversary: next => or last => is an interval of {most}", hint)
        first, last = (0, days - 1) if name == "next" else (1 - days, 0)
    date, today = t.value(dates[0], "date"), t.clock(node, ("today",), "date")
    t.turn(turns.next_anniversary(today, date, first, last))
    opening = t.clock(node, ("opening", str(first)), "number")
    closing = t.clock(node, ("closing", str(last)), "number")
    found = _month_and_day(date)
    return (
        f"CASE WHEN {opening} <= {closing} THEN {found} BETWEEN {opening} AND {closing} "
        f"ELSE {found} >= {opening} OR {found} <= {closing} END"
    )


def _days(t: Translating, node: exp.Expr) -> int | None:
    found = _interval(t, node) if isinstance(node, exp.Interval) else None
    if found is None or found[0] not in ("day", "week"):
        return None
    days = found[1] * (7 if found[0] == "week" else 1)
    return days if 1 <= days <= MOST_ANNIVERSARY else None


WRITERS: dict[type[exp.Expr], Writer] = {
    exp.CurrentDate: _today,
    exp.Cast: _literal,
    exp.Date: _date,
    exp.Year: _part,
    exp.Month: _part,
    exp.Day: _part,
    exp.DateDiff: _date_diff,
}
TYPES: dict[type[exp.Expr], Type] = {
    exp.CurrentDate: "date",
    exp.Date: "date",
    **dict.fromkeys((exp.Year, exp.Month, exp.Day, exp.DateDiff), "number"),
}
CALLS: dict[str, Call] = {
    "now": Call("time", _now),
    "weekday": Call("number", _weekday),
    "age": Call("number", _age),
    "anniversary": Call("boolean", _anniversary),
}
