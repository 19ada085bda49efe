"""Rules: one SQL boolean expression over the traits and events of a profile."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlglot import exp

from onefold.model.errors import InvalidInput
from onefold.segment.events import EVENT_FUNCTIONS, MAX_EVENT_FUNCTIONS, EventFunction
from onefold.segment.expression import FUNCTIONS, Translator
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
    source = Source(text)
    tree = parse_tree(source)
    scope = ProfileScope(source, traits)
    expression = scope.boolean(tree)
    source.refuse()
    columns = tuple(scope.columns.values())
    paths = dict.fromkeys(column.path for column in columns if column.kind == "trait")
    return Rule(text, merge_metrics(scope.metrics), tuple(paths), columns, expression)


class ProfileScope(Translator):
    """Names in a rule are traits; its functions may also look at events."""

    names = (*FUNCTIONS, *EVENT_FUNCTIONS)

    def __init__(self, source: Source, traits: Mapping[str, Type] | None) -> None:
        super().__init__(source)
        self.columns: dict[str, Column] = {}
        self.metrics: list[Metric] = []
        self._traits = traits

    def declared(self, path: tuple[str, ...]) -> Type | None:
        return None if self._traits is None else self._traits.get(".".join(path))

    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        name = ".".join(path)
        if path[0] in ("properties", "context") and len(path) > 1:
            hint = f"inside an event function: where => {name} …"
            return self.refuse(node, f"{name} belongs to an event", hint)
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
