"""The functions over events: what they keep of each event, and over which window."""

from __future__ import annotations

from sqlglot import exp

from onefold.segment.expression import Translator
from onefold.segment.metric import (
    KINDS,
    Aggregate,
    Column,
    Field,
    Metric,
    Type,
    make_field,
    make_metric,
    window_column,
)
from onefold.segment.syntax import Source, nearest
from onefold.segment.window_arguments import WINDOW_ARGUMENTS, WindowArguments

EVENT_FUNCTIONS: dict[str, Aggregate] = {
    "count_of": "count",
    "did": "count",
    "sum_of": "sum",
    "avg_of": "avg",
    "min_of": "min",
    "max_of": "max",
    "first_of": "first",
    "last_of": "last",
}
MAX_EVENT_FUNCTIONS = 50
MAX_TEXT = 1_000
"""Characters of a text that `first_of` and `last_of` keep."""

_ARGUMENTS = (*WINDOW_ARGUMENTS, "where", "of")
_EXAMPLE = "for example: last => interval 30 day"
_ROOTS = ("properties", "context")


class EventScope(Translator):
    """Names inside `where =>` and `of =>`: properties and context of one event."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.fields: dict[str, Field] = {}

    def declared(self, path: tuple[str, ...]) -> Type | None:
        return "text" if path == ("name",) else None

    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        if path == ("name",):
            return "name"
        root, *keys = path
        if root not in _ROOTS or not keys:
            hint = nearest(root, _ROOTS) or f"write properties.{'.'.join(path)}"
            return self.refuse(node, f"an event has no {'.'.join(path)}", hint)
        if not all(map(_is_plain, keys)):
            return self.refuse(node, "a property name has no quotes, backslashes or asterisks")
        field = make_field(root, tuple(keys), wanted or "text")
        self.fields[field.name] = field
        return field.name


class EventFunction:
    """One call of an event function, checked: the metric it keeps and the column it reads."""

    def __init__(self, source: Source, node: exp.Anonymous) -> None:
        self.node = node
        self.name = str(node.this).lower()
        self.aggregate = EVENT_FUNCTIONS[self.name]
        self._source = source
        self._positional: list[exp.Expr] = []
        self._named: dict[str, exp.Expr] = {}
        self._sort_arguments()

    def type_of(self) -> Type | None:
        """Say which type the function has; the first and last value may be of any."""
        if self.name == "did":
            return "boolean"
        if self.aggregate not in ("first", "last"):
            return "number"
        value = self._value_node()
        return EventScope(Source("")).type_of(value) if value is not None else None

    def compile(self, wanted: Type | None) -> tuple[Metric, Column]:
        """Make the metric and the column; what is wrong is noted in the source."""
        window = WindowArguments(self._source, self.node, self._named).window()
        kind = KINDS[self.aggregate]
        scope = EventScope(self._source)
        condition = self._named.get("where")
        where = None if condition is None else scope.boolean(condition)
        value = self._value(scope)
        fields = tuple(scope.fields.values())
        metric = make_metric(
            self._event(), kind, where=where, value=value, fields=fields, window=window
        )
        type_ = self.type_of() or wanted or "text"
        column_type: Type = "number" if self.aggregate == "count" else type_
        return metric, window_column(metric.id, self.aggregate, window, column_type)

    def _fault(self, at: exp.Expr, message: str, hint: str = "") -> None:
        self._source.fault(at, f"{self.name}: {message}", hint)

    def _sort_arguments(self) -> None:
        for argument in self.node.expressions:
            if isinstance(argument, exp.PropertyEQ):
                self._fault(argument, "arguments are named with =>", _EXAMPLE)
                continue
            if not isinstance(argument, exp.Kwarg):
                self._positional.append(argument)
                continue
            name = argument.this.name.lower()
            if name not in _ARGUMENTS:
                hint = nearest(name, _ARGUMENTS) or f"known are {', '.join(_ARGUMENTS)}"
                self._fault(argument.expression, f"unknown argument {name}", hint)
            elif name in self._named:
                self._fault(argument.expression, f"{name} is given twice")
            self._named[name] = argument.expression

    def _event(self) -> str:
        first = self._positional[0] if self._positional else None
        if isinstance(first, exp.Literal) and first.is_string and first.name:
            return first.name
        hint = f"for example: {self.name}('Order Completed')"
        self._fault(first or self.node, "the first argument is the name of an event", hint)
        return ""

    def _value_node(self) -> exp.Expr | None:
        if len(self._positional) > 1:
            return self._positional[1]
        return self._named.get("of")

    def _value(self, scope: EventScope) -> str | None:
        node = self._value_node()
        if len(self._positional) > 2 or (len(self._positional) > 1 and "of" in self._named):
            self._fault(self._positional[-1], "one value argument is enough")
        if self.aggregate == "count":
            if node is not None:
                self._fault(node, "counts events, and takes no value", "use where => instead")
            return None
        if node is None:
            self._fault(self.node, "needs a value", "for example: of => properties.revenue")
            return None
        if KINDS[self.aggregate] == "number":
            return scope.value(node, "number")
        return f"left(CAST({scope.value(node, None)} AS VARCHAR), {MAX_TEXT})"


def _is_plain(key: str) -> bool:
    return bool(key) and not set(key) & set("\"\\*'")
