"""Rules: one SQL boolean expression over the traits and events of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
from sqlglot import exp

from onefold.model.errors import InvalidInput
from onefold.segment.events import EVENT_FUNCTIONS, MAX_EVENT_FUNCTIONS, EventFunction
from onefold.segment.expression import FUNCTIONS, Translator, literal_sql, path_of
from onefold.segment.metric import Column, Metric, Type, merge_metrics, trait_column
from onefold.segment.syntax import Source, nearest, parse_tree

__all__ = ["InvalidInput", "Rule", "parse_rule"]

MAX_PATH = 10


class Rule(msgspec.Struct, frozen=True):
    """A checked rule.

    `expression` is SQL over the names of `columns`; `metrics` is what must be kept of the events
    for the columns that are windows; `traits` are the paths of the traits it reads.
    """

    text: str
    metrics: tuple[Metric, ...]
    traits: tuple[tuple[str, ...], ...]
    columns: tuple[Column, ...]
    expression: str
    type: Type = "boolean"


class Scope(msgspec.Struct, frozen=True):
    """What names mean in a rule.

    `traits` gives the types of the declared traits by dotted name. `values` are the computed
    traits and tags, `segments` the segments, that can be referred to: the column of each, in
    the relation that the rule's expression is evaluated over.
    """

    traits: Mapping[str, Type] | None = None
    values: Mapping[str, tuple[str, Type]] = {}
    segments: Mapping[str, str] = {}

    def literal(self, text: str) -> str:
        """A text as SQL."""
        return literal_sql(text)


def parse_rule(text: str, traits: Mapping[str, Type] | None = None) -> Rule:
    """Check a rule and compile it, or raise `InvalidInput` with every fault and its position.

    `traits` gives the types of the declared traits by dotted name; then only these are known, and
    a declared number never compares as text. Without it every trait is known, and is read as
    the type that the rule uses it as.

    >>> rule = parse_rule("country = 'CN' and count_of('Order Completed') >= 3")
    >>> rule.traits
    (('country',),)
    >>> [metric.event for metric in rule.metrics]
    ['Order Completed']
    """
    return compile_rule(text, Scope(traits))


def compile_rule(
    text: str, known: Scope, wanted: Type | None = None, *, any_type: bool = False
) -> Rule:
    """Compile a condition, or with `any_type` an expression: of the `wanted` type, or its own."""
    source = Source(text)
    tree = parse_tree(source)
    scope = ProfileScope(source, known)
    of = (wanted or scope.type_of(tree) or "text") if any_type else "boolean"
    expression = scope.value(tree, of)
    source.refuse()
    columns = tuple(scope.columns.values())
    paths = dict.fromkeys(column.path for column in columns if column.kind == "trait")
    return Rule(text, merge_metrics(scope.metrics), tuple(paths), columns, expression, of)


def names_in(tree: exp.Expr) -> Iterator[tuple[Literal["value", "segment"], str]]:
    """What a parsed rule may refer to: names that may be computed traits or tags, and segments."""
    for node in tree.walk(prune=lambda one: isinstance(one, exp.Dot)):
        if isinstance(node, (exp.Column, exp.Dot)) and (path := path_of(node)):
            yield "value", ".".join(path)


class ProfileScope(Translator):
    """Names in a rule are traits; its functions may also look at events."""

    names = (*FUNCTIONS, *EVENT_FUNCTIONS)

    def __init__(self, source: Source, known: Scope) -> None:
        super().__init__(source)
        self.columns: dict[str, Column] = {}
        self.metrics: list[Metric] = []
        self._known = known
        self._traits = known.traits

    def declared(self, path: tuple[str, ...]) -> Type | None:
        name = ".".join(path)
        if name in self._known.values:
            return self._known.values[name][1]
        return None if self._traits is None else self._traits.get(name)

    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        name = ".".join(path)
        if path[0] in ("properties", "context") and len(path) > 1:
            hint = f"inside an event function: where => {name} …"
            return self.refuse(node, f"{name} belongs to an event", hint)
        if name in self._known.values:
            column, found = self._known.values[name]
            if wanted and wanted != found:
                return self.refuse(node, f"{name} is {found}, not {wanted}")
            return column
        if self._traits is not None and name not in self._traits:
            hint = nearest(name, self._traits) or "texts are written in single quotes"
            return self.refuse(node, f"unknown trait {name}", hint)
        if len(path) > MAX_PATH:
            return self.refuse(node, f"a path has at most {MAX_PATH} names")
        return self._use(trait_column(path, wanted or "text"))

    def call_type(self, node: exp.Anonymous) -> Type | None:
        if str(node.this).lower() not in EVENT_FUNCTIONS:
            return None
        return EventFunction(Source(""), node).type_of()

    def call(self, node: exp.Anonymous, wanted: Type | None) -> str:
        if str(node.this).lower() not in EVENT_FUNCTIONS:
            return super().call(node, wanted)
        function = EventFunction(self.source, node)
        metric, column = function.compile(wanted)
        self.metrics.append(metric)
        if len(self.metrics) == MAX_EVENT_FUNCTIONS + 1:
            self.source.fault(node, f"more than {MAX_EVENT_FUNCTIONS} event functions", "split it")
        used = self._use(column)
        return f"({used} > 0)" if function.name == "did" else used

    def _use(self, column: Column) -> str:
        self.columns[column.name] = column
        return column.name
