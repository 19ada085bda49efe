"""Rules: one SQL expression over the traits and events of a profile."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import msgspec
from sqlglot import exp

from onefold.model.errors import Fault, InvalidInput
from onefold.segment.events import EVENT_FUNCTIONS, MAX_EVENT_FUNCTIONS, EventFunction
from onefold.segment.expression import FUNCTIONS, Translator
from onefold.segment.metric import (
    Column,
    Metric,
    Type,
    clock_column,
    merge_metrics,
    short_id,
    trait_column,
)
from onefold.segment.syntax import Source, nearest, parse_tree, path_of
from onefold.segment.writing import NOUNS

__all__ = ["InvalidInput", "Rule", "Scope", "parse_expression", "parse_rule"]

MAX_PATH = 10
MAX_HINTS = 10
PROFILE_FUNCTIONS = ("in_segment", "consent")
Reference = tuple[Literal["value", "segment"], str]
"""What a rule refers to another definition by: computed traits and tags share their names."""


class Rule(msgspec.Struct, frozen=True):
    """A checked rule, or an expression of another type.

    `expression` is SQL of `type` over the names of `columns`, and over the columns that the scope
    gives to other definitions; `metrics` is what must be kept of the events for the columns that
    are windows; `traits` are the paths of the traits that it reads, claimed or computed, and
    `segments` the names of the segments that it asks for. `turn_days` and `turn_moments` are SQL over the same
    columns: the least that is not NULL is the next local day (numbered from 1970-01-01), or the next
    moment (µs UTC), at which time alone may change the result, apart from windows. `warnings`
    are about names that nobody has seen.
    """

    text: str
    metrics: tuple[Metric, ...]
    traits: tuple[tuple[str, ...], ...]
    columns: tuple[Column, ...]
    expression: str
    type: Type = "boolean"
    segments: tuple[str, ...] = ()
    turn_days: tuple[str, ...] = ()
    turn_moments: tuple[str, ...] = ()
    warnings: tuple[Fault, ...] = ()


class Scope(msgspec.Struct, frozen=True):
    """What names mean in a rule.

    `traits` gives the types of the declared traits by dotted name; what lies inside one that is an
    object is known too. `values` are the computed traits and tags, `segments` the segments, that
    can be referred to: the column of each, in the relation that the rule's expression is evaluated
    over; where `segments` is None, they are not checked. `choices` are the values that a tag can
    have.

    `seen` and `events` are the names of the traits and events that sources have told of. A name that
    is neither declared nor seen is refused where `strict`; else the rule carries a warning, if
    anything of the kind is known at all.
    """

    traits: Mapping[str, Type] | None = None
    values: Mapping[str, tuple[str, Type]] = {}
    segments: Mapping[str, str] | None = None
    choices: Mapping[str, tuple[str, ...]] = {}
    seen: Collection[str] = ()
    events: Collection[str] = ()
    strict: bool = False

    def names(self) -> set[str]:
        """The names of all traits that are known."""
        return {*(self.traits or ()), *self.values, *self.seen}

    def known(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The longest beginning of a path that names a trait which is known."""
        for length in range(len(path), 0, -1):
            name = ".".join(path[:length])
            if name in self.values or name in (self.traits or ()) or name in self.seen:
                return path[:length]
        return ()

    def type_of(self, name: str) -> Type | None:
        """The type of a trait, if it is declared or computed."""
        if name in self.values:
            return self.values[name][1]
        return (self.traits or {}).get(name)


ANY = Scope()
"""Every trait is known, and is read as the type that the rule uses it as."""


def parse_rule(text: str, known: Scope = ANY) -> Rule:
    """Check a rule and compile it, or raise `InvalidInput` with every fault and its position.

    A declared trait is of its type: a number never compares as text. Any other is read as the type
    that the rule uses it as.

    >>> rule = parse_rule("country = 'CN' and count_of('Order Completed') >= 3")
    >>> rule.traits
    (('country',),)
    >>> [metric.event for metric in rule.metrics]
    ['Order Completed']
    """
    return compile_rule(text, known)


def parse_expression(text: str, known: Scope = ANY, wanted: Type | None = None) -> Rule:
    """Check an expression of any type, or of the one that is wanted, as for a computed trait.

    What is of no type by itself, such as the name of a trait that is not declared, is text.

    >>> parse_expression("round(spent / 100)").type
    'number'
    """
    return compile_rule(text, known, wanted, any_type=True)


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
    return Rule(
        text,
        merge_metrics(scope.metrics),
        tuple(scope.traits),
        tuple(scope.columns.values()),
        expression,
        of,
        tuple(scope.segments),
        tuple(scope.turn_days),
        tuple(scope.turn_moments),
        tuple(source.warnings),
    )


def names_in(tree: exp.Expr) -> Iterator[Reference]:
    """What a parsed rule may refer to: names that may be computed traits or tags, and segments."""
    for node in tree.walk(prune=lambda one: isinstance(one, exp.Dot)):
        if isinstance(node, (exp.Column, exp.Dot)) and (path := path_of(node)):
            yield "value", ".".join(path)
        function = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
        if function in PROFILE_FUNCTIONS and (name := _only_text(node)):
            yield ("segment", name) if function == "in_segment" else ("value", f"consent.{name}")


def _only_text(node: exp.Expr) -> str:
    given = node.expressions[0] if len(node.expressions) == 1 else None
    return given.name if isinstance(given, exp.Literal) and given.is_string else ""


class ProfileScope(Translator):
    """Names in a rule are traits; its functions may also look at events and other segments."""

    names = (*FUNCTIONS, *EVENT_FUNCTIONS, *PROFILE_FUNCTIONS)
    reads_dates = True

    def __init__(self, source: Source, known: Scope) -> None:
        super().__init__(source)
        self.columns: dict[str, Column] = {}
        self.metrics: list[Metric] = []
        self.traits: dict[tuple[str, ...], None] = {}
        self.segments: dict[str, None] = {}
        self._event_functions = 0
        self._known = known
        self._told: set[str] = set()
        self._told_events: set[str] = set()
        self._names: set[str] = set()

    def declared(self, path: tuple[str, ...]) -> Type | None:
        return self._known.type_of(".".join(path))

    def choices(self, path: tuple[str, ...]) -> tuple[str, ...]:
        return self._known.choices.get(".".join(path), ())

    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        name = ".".join(path)
        if path[0] in ("properties", "context") and len(path) > 1:
            hint = f"inside an event function: where => {name} …"
            return self.refuse(node, f"{name} belongs to an event", hint)
        if len(path) > MAX_PATH:
            return self.refuse(node, f"a path has at most {MAX_PATH} names")
        self.traits[path] = None
        if name in self._known.values:
            return self._computed(node, name, wanted)
        found = self._known.known(path)
        if not found:
            self._unknown_trait(node, name)
        elif found != path:
            whole = ".".join(found)
            outer = self._known.type_of(whole)
            if outer not in (None, "object"):
                return self.refuse(node, f"{whole} is {NOUNS[outer]}, and has no parts")
        return self._use(trait_column(path, wanted or self.declared(path) or "text"))

    def _computed(self, node: exp.Expr, name: str, wanted: Type | None) -> str:
        """Write a computed trait or a tag: a column that already has its type."""
        column, found = self._known.values[name]
        if wanted in (None, found):
            return column
        hint = f"give {name} the type {wanted}" if (found, wanted) == ("time", "date") else ""
        return self.refuse(node, f"{name} is {NOUNS[found]}, not {NOUNS[wanted]}", hint)

    def _unknown_trait(self, node: exp.Expr, name: str) -> None:
        if name in self._told:
            return
        self._told.add(name)
        names = self._names = self._names or self._known.names()
        hint = nearest(name, names) if len(self._told) <= MAX_HINTS else ""
        hint = hint or "texts are written in single quotes"
        self._unknown_name(node, f"unknown trait {name}", hint, bool(names))

    def clock(self, node: exp.Expr, path: tuple[str, ...], type: Type) -> str:
        return self._use(clock_column(path, type))

    def call_type(self, node: exp.Anonymous) -> Type | None:
        name = str(node.this).lower()
        if name in PROFILE_FUNCTIONS:
            return "boolean"
        return EventFunction(Source(""), node).type_of() if name in EVENT_FUNCTIONS else None

    def call(self, node: exp.Anonymous, wanted: Type | None) -> str:
        name = str(node.this).lower()
        if name in PROFILE_FUNCTIONS:
            return self._in_segment(node) if name == "in_segment" else self._consent(node)
        if name not in EVENT_FUNCTIONS:
            return super().call(node, wanted)
        function = EventFunction(self.source, node)
        metrics, column = function.compile(wanted)
        self.metrics += metrics
        self._event_functions += 1
        if self._event_functions == MAX_EVENT_FUNCTIONS + 1:
            self.source.fault(node, f"more than {MAX_EVENT_FUNCTIONS} event functions", "split it")
        for metric in metrics:
            self._check_event(node, metric.event)
        used = self._use(column)
        return f"({used} > 0)" if function.name == "did" else used

    def _check_event(self, node: exp.Expr, name: str) -> None:
        if name and name not in self._known.events and name not in self._told_events:
            self._told_events.add(name)
            hint = nearest(name, self._known.events)
            message = f"no event {name!r} is known"
            self._unknown_name(node, message, hint, bool(self._known.events))

    def _in_segment(self, node: exp.Anonymous) -> str:
        name = _only_text(node)
        if not name:
            hint = "for example: in_segment('big-spenders')"
            return self.refuse(node, "in_segment takes the name of a segment, in quotes", hint)
        self.segments[name] = None
        if self._known.segments is None:
            return "o" + short_id("segment", name)
        if name not in self._known.segments:
            hint = nearest(name, self._known.segments) or "define it first"
            return self.refuse(node, f"there is no segment {name!r}", hint)
        return self._known.segments[name]

    def _consent(self, node: exp.Anonymous) -> str:
        purpose = _only_text(node)
        if not purpose:
            hint = "for example: consent('marketing')"
            return self.refuse(node, "consent takes the name of a purpose, in quotes", hint)
        path = ("consent", purpose)
        self.traits[path] = None
        name = ".".join(path)
        if name in self._known.values:
            return self._computed(node, name, "boolean")
        # Sources tell of one purpose, as `consent.marketing`, or of all in one object.
        one, within = trait_column((name,), "boolean"), trait_column(path, "boolean")
        return f"coalesce({self._use(one)}, {self._use(within)})"

    def _unknown_name(self, node: exp.Expr, message: str, hint: str, tell: bool) -> None:
        if self._known.strict:
            self.source.fault(node, message, hint)
        elif tell:
            self.source.warn(node, message, hint)

    def _use(self, column: Column) -> str:
        self.columns[column.name] = column
        return column.name
