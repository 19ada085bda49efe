"""The functions over events: what they keep of each event, and over which window."""

from __future__ import annotations

import math

import msgspec
from sqlglot import exp

from onefold.segment.bucket_query import ANY_EVENT
from onefold.segment.event_scope import EventScope, about_elements
from onefold.segment.metric import (
    KINDS,
    Aggregate,
    Column,
    Metric,
    Sequence,
    Type,
    make_metric,
    window_column,
)
from onefold.segment.syntax import Source, nearest, unparenthesized
from onefold.segment.this_session import VISITED
from onefold.segment.window import LENGTHS, Window
from onefold.segment.window_arguments import LONGEST, WINDOW_ARGUMENTS, WindowArguments
from onefold.segment.writing import NOUNS
from onefold.segment.zone import DAY

__all__ = ["EVENT_FUNCTIONS", "LONGEST", "MAX_EVENT_FUNCTIONS", "MAX_TEXT", "EventFunction"]

EVENT_FUNCTIONS: dict[str, Aggregate] = {
    "count_of": "count",
    "did": "count",
    "sum_of": "sum",
    "avg_of": "avg",
    "min_of": "min",
    "max_of": "max",
    "first_of": "first",
    "last_of": "last",
    "unique_of": "unique",
    "most_frequent_of": "frequent",
    "days_since": "days",
    "in_sequence": "sequence",
    "sessions": "sessions",
    "session_minutes": "session_minutes",
}
MAX_EVENT_FUNCTIONS = 50
MAX_STEPS = 10
MAX_TEXT = 1_000
"""Characters of a text that `first_of` and `last_of` keep."""
MAX_TALLIED_TEXT = 100
"""Characters of a text that `most_frequent_of` keeps."""

_ARGUMENTS = (*WINDOW_ARGUMENTS, "where")
_MORE_ARGUMENTS: dict[Aggregate, tuple[str, ...]] = {"sequence": ("within", "not_followed_by")}
_VALUELESS: dict[Aggregate, str] = {
    "count": "counts events, and takes no value",
    "days": "is about the last event, and takes no value",
    "sessions": "is about events of any kind or of one, and takes no value",
    "session_minutes": "is about events of any kind or of one, and takes no value",
}
_TIME = "CAST(time AS VARCHAR)"
_VISITS = make_metric(ANY_EVENT, "visits", value=_TIME, window=VISITED)
_OF = "for example: of => properties.revenue"
_STEP = "for example: in_sequence('Product Added', 'Order Completed', within => interval 3 day)"
_WHEN = "a step is a name, or event('Name', where => …)"


class EventFunction:
    """One call of an event function, checked: the metrics it keeps and the column it reads."""

    def __init__(self, source: Source, node: exp.Anonymous) -> None:
        self.node = node
        self.name = str(node.this).lower()
        self.aggregate = EVENT_FUNCTIONS[self.name]
        self._source = source
        self._positional: list[exp.Expr] = []
        self._named: dict[str, exp.Expr] = {}
        more = _MORE_ARGUMENTS.get(self.aggregate, ("of",))
        self._sort_arguments((*_ARGUMENTS, *more))

    def type_of(self) -> Type | None:
        """Say which type the function has; the first and last value may be of any."""
        if self.name in ("did", "in_sequence"):
            return "boolean"
        if self.aggregate not in ("first", "last", "frequent"):
            return "number"
        value = self._value_node()
        return EventScope(Source("")).type_of(value) if value is not None else None

    def compile(self, wanted: Type | None) -> tuple[list[Metric], Column]:
        """Make the metrics and the column; what is wrong is noted in the source."""
        arguments = WindowArguments(self._source, self.node, self._named)
        window = arguments.window()
        if self.aggregate == "sequence":
            return self._sequence(arguments, window)
        metric = self._metric(window)
        turns = None
        if self.aggregate == "days":
            window, metric = self._days(window, metric)
            turns = turns_of(self.node)
        type_ = self.type_of() or wanted or "text"
        if self.aggregate in ("first", "last", "frequent") and type_ in (
            "list",
            "numbers",
            "object",
        ):
            hint = "for the elements of a list write properties.tags[]"
            self._fault(self.node, f"gives one value, not {NOUNS[type_]}", hint)
        column_type: Type = "number" if self.aggregate == "count" else type_
        metrics = [metric, *([_VISITS] if arguments.in_session else [])]
        session = _VISITS.id if arguments.in_session else ""
        column = window_column(
            metric.id, self.aggregate, window, column_type, turns, session=session
        )
        return metrics, column

    def _fault(self, at: exp.Expr, message: str, hint: str = "") -> None:
        self._source.fault(at, f"{self.name}: {message}", hint)

    def _sort_arguments(self, known: tuple[str, ...]) -> None:
        for argument in self.node.expressions:
            if isinstance(argument, exp.PropertyEQ):
                example = "for example: last => interval 30 day"
                self._fault(argument, "arguments are named with =>", example)
                continue
            if not isinstance(argument, exp.Kwarg):
                self._positional.append(argument)
                continue
            name = argument.this.name.lower()
            if name not in known:
                hint = nearest(name, known) or f"known are {', '.join(known)}"
                self._fault(argument.expression, f"unknown argument {name}", hint)
            elif name in self._named:
                self._fault(argument.expression, f"{name} is given twice")
            self._named[name] = argument.expression

    def _event(self) -> str:
        first = self._positional[0] if self._positional else None
        if first is None and KINDS[self.aggregate] == "visits":
            return ANY_EVENT
        if isinstance(first, exp.Literal) and first.is_string and first.name:
            return first.name
        hint = f"for example: {self.name}('Order Completed')"
        self._fault(first or self.node, "the first argument is the name of an event", hint)
        return ANY_EVENT

    def _value_node(self) -> exp.Expr | None:
        if len(self._positional) > 1:
            return self._positional[1]
        return self._named.get("of")

    def _metric(self, window: Window) -> Metric:
        """What is kept of the events that the function is about."""
        kind = KINDS[self.aggregate]
        scope = EventScope(self._source)
        condition, node = self._named.get("where"), self._value_node()
        event = self._event()
        many = node is not None and about_elements(node)
        value = self._value(scope, node)
        if many and value is not None and scope.asks_elements:
            # Elements that are no number, or have no value, are left out one by one.
            value, where = scope.elements(value, condition), None
        else:
            where = None if condition is None else scope.condition(condition)
            if kind == "visits":
                value = _TIME
        fields = tuple(scope.fields.values())
        return make_metric(
            event, kind, where=where, value=value, fields=fields, window=window, many=many
        )

    def _value(self, scope: EventScope, node: exp.Expr | None) -> str | None:
        if len(self._positional) > 2 or (len(self._positional) > 1 and "of" in self._named):
            self._fault(self._positional[-1], "one value argument is enough")
        if self.aggregate in _VALUELESS:
            if node is not None:
                self._fault(node, _VALUELESS[self.aggregate], "use where => instead")
            return None
        if node is None:
            self._fault(self.node, "needs a value", _OF)
            return None
        if KINDS[self.aggregate] == "number":
            return scope.value(node, "number")
        text = f"CAST({scope.value(node, None)} AS VARCHAR)"
        if self.aggregate == "unique":
            return text
        return f"left({text}, {MAX_TALLIED_TEXT if self.aggregate == 'frequent' else MAX_TEXT})"

    def _days(self, window: Window, metric: Metric) -> tuple[Window, Metric]:
        """Days are counted from buckets of days; without a window, the last one is enough."""
        if window.unit not in ("day", "ever"):
            hint = "for example: last => interval 90 day"
            self._fault(self.node, "counts days, and takes a window of days", hint)
        if window.unit != "ever":
            return window, metric
        window = Window("day")
        found = self._metric(window)
        return window, msgspec.structs.replace(found, retention=1, newest=True)

    def _sequence(self, arguments: WindowArguments, window: Window) -> tuple[list[Metric], Column]:
        if arguments.in_session:
            hint = "count each: did('Product Added', during => this_session)"
            self._fault(self._named["during"], "has no window of a session", hint)
        unless = self._named.get("not_followed_by")
        steps = [self._step(node, window) for node in self._positional]
        if not steps or (len(steps) == 1 and unless is None):
            self._fault(self.node, "needs two events, or one and not_followed_by", _STEP)
        if len(steps) > MAX_STEPS:
            self._fault(self._positional[MAX_STEPS], f"at most {MAX_STEPS} events in a row")
        within = 0
        if "within" in self._named:
            length = arguments.length("within", self._named["within"])
            within = _micros(*length) if length else 0
        metrics = list(steps)
        if unless is not None:
            metrics.append(self._step(unless, window.open_ended()))
        sequence = Sequence(
            tuple(metric.id for metric in steps), within, metrics[-1].id if unless else ""
        )
        first = steps[0].id if steps else ""
        column = window_column(first, "sequence", window, "boolean", sequence=sequence)
        return metrics, column

    def _step(self, node: exp.Expr, window: Window) -> Metric:
        """What is kept of one of the events in a row: when they happened."""
        conditions = [self._named["where"]] if "where" in self._named else []
        name = unparenthesized(node)
        if isinstance(name, exp.Anonymous) and str(name.this).lower() == "event":
            own = [one for one in name.expressions if isinstance(one, exp.Kwarg)]
            given = [one for one in name.expressions if not isinstance(one, exp.Kwarg)]
            if len(given) == 1 and all(one.this.name.lower() == "where" for one in own):
                conditions += [one.expression for one in own]
                name = given[0]
        if not (isinstance(name, exp.Literal) and name.is_string and name.name):
            self._fault(node, "expected the name of an event", _WHEN)
            return make_metric(ANY_EVENT, "moments", value=_TIME, window=window)
        scope = EventScope(self._source)
        where = " AND ".join(f"({scope.condition(one)})" for one in conditions) or None
        fields = tuple(scope.fields.values())
        return make_metric(
            name.name, "moments", where=where, value=_TIME, fields=fields, window=window
        )


def turns_of(node: exp.Expr) -> tuple[int, ...] | None:
    """The numbers of days at which what is made of a number of days can change; None: at each.

    Time matters little where it is compared with numbers that are written there, and not at all
    where it is only asked whether there is one.
    """
    parent = node.parent
    while isinstance(parent, (exp.Paren, exp.Coalesce)):
        if None in _numbers_beside(node, parent):
            return None
        node, parent = parent, parent.parent
    if isinstance(parent, exp.Is) and isinstance(parent.expression, exp.Null):
        return ()
    if not isinstance(parent, (*_ORDERED, exp.EQ, exp.NEQ, exp.Between, exp.In)):
        return None
    numbers = _numbers_beside(node, parent)
    if isinstance(parent, (exp.Between, exp.In)) and parent.this is not node:
        return None
    turns: set[int] = set()
    for number in numbers:
        if number is None:
            return None
        at, above = math.ceil(number), math.floor(number) + 1
        if isinstance(parent, _ORDERED):
            from_it = isinstance(parent, (exp.GTE, exp.LT)) == (parent.this is node)
            turns.add(at if from_it else above)
        else:
            turns |= {at, above}
    return tuple(sorted(turn for turn in turns if turn > 0))


_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE)


def _numbers_beside(node: exp.Expr, parent: exp.Expr) -> list[float | None]:
    return [_number(one) for one in parent.iter_expressions() if one is not node]


def _number(node: exp.Expr) -> float | None:
    """A number that is written as such, and not too large to be days."""
    node = unparenthesized(node)
    sign = 1
    if isinstance(node, exp.Neg):
        node, sign = unparenthesized(node.this), -1
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    try:
        number = float(node.name)
    except ValueError:
        return None
    return sign * number if number < 10**6 else 10.0**6 * sign


def _micros(unit: str, n: int) -> int:
    return n * (DAY if unit == "day" else LENGTHS[unit])
