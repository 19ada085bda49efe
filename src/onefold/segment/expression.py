"""The operators and functions of the rule language, with their types: a closed list.

A translator walks the syntax tree once and writes SQL of its own making: nothing of a rule's text
reaches an engine except literals, which sqlglot renders. Names are left to the two scopes: the
traits of a profile, and the properties of an event. Functions of numbers, texts, dates and lists are in
modules of their own; here are logic, comparison and choice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlglot import exp

from onefold.model.sql import literal_sql
from onefold.segment import dates, lists, numbers, texts, turns
from onefold.segment.metric import Type
from onefold.segment.syntax import (
    MAX_DEPTH,
    Source,
    joined,
    nearest,
    operands,
    path_of,
    unparenthesized,
)
from onefold.segment.writing import NOUNS, Call, Element, Translating, Writer

FUNCTIONS = ("coalesce", *numbers.NAMES, *texts.NAMES, *lists.NAMES, *dates.NAMES)

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_HINTS = {
    "array": "name the values one by one",
    "cast": "a trait is read as the type that it is used as",
    "interval": "add it to a date, or give it to last =>",
    "is": "`is` is followed by null, not null, true or false",
    "regexplike": "write a pattern with like: engines differ in regular expressions",
    "select": "a rule is one condition, such as country = 'CN'",
    "subquery": "a rule is one condition, such as country = 'CN'",
}
_WRITTEN = {"nullsafeeq": "is not distinct from", "nullsafeneq": "is distinct from", "dot": "'.'"}
_EXPECTED = {
    "date": "write a date as date '2026-01-31'",
    "time": "write a time as timestamp '2026-01-31 08:00:00'",
    "object": "name a value inside it, such as address.city",
    "list": "ask contains(…, 'value') or any_of(…, value = 'x')",
}


class Translator(ABC):
    """Writes a checked expression as SQL; the scope says what names mean."""

    names: tuple[str, ...] = FUNCTIONS
    reads_dates = False
    """Whether names can be read as dates and times: that takes a time zone."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.turn_days: dict[str, None] = {}
        self.turn_moments: dict[str, None] = {}
        self._depth = 0
        self._types: dict[int, tuple[exp.Expr, Type | None]] = {}
        self.element: Element | None = None
        self.quiet = False

    @abstractmethod
    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        """Write a name as SQL of the wanted type."""

    @abstractmethod
    def declared(self, path: tuple[str, ...]) -> Type | None:
        """Say which type a name is declared as, if it is."""

    def choices(self, path: tuple[str, ...]) -> Sequence[str]:
        """List the values that a name can have, if that is a closed list."""
        return ()

    def call(self, node: exp.Anonymous, wanted: Type | None) -> str:
        """Write a function that is not in the closed list; a scope may have more of them."""
        return self._unknown_function(node, str(node.this).lower())

    def call_type(self, node: exp.Anonymous) -> Type | None:
        """Say which type such a function has."""
        return None

    def clock(self, node: exp.Expr, path: tuple[str, ...], type: Type) -> str:
        """Write a fact about the clock."""
        hint = "an event is counted once, when it comes; limit its time with last =>"
        return self.refuse(node, "the clock cannot be asked here", hint)

    def boolean(self, node: exp.Expr) -> str:
        """Write a condition."""
        return self.value(node, "boolean")

    def value(self, node: exp.Expr, wanted: Type | None) -> str:
        """Write an expression; what is of another type than wanted is a fault."""
        node = unparenthesized(node)
        found = self.type_of(node)
        if wanted and found and wanted != found and not _readable(node, found, wanted):
            message = f"expected {NOUNS[wanted]}, found {NOUNS[found]}"
            hint = _EXPECTED.get(wanted) or _EXPECTED.get(found, "")
            return self.refuse(node, message, hint)
        if found is None and wanted in ("date", "time") and not self.reads_dates:
            hint = "texts of one form compare well: properties.until >= '2026-01-31'"
            return self.refuse(node, "what an event holds is not read as a date or a time", hint)
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                return self.refuse(node, f"nested deeper than {MAX_DEPTH}", "split the rule")
            return self._write(node, wanted)
        finally:
            self._depth -= 1

    def type_of(self, node: exp.Expr) -> Type | None:
        """Say which type an expression has by itself; a name alone may be of any."""
        node = unparenthesized(node)
        known = self._types.get(id(node))
        if known is None:
            known = self._types[id(node)] = node, self._find_type(node)
        return known[1]

    def common_type(self, nodes: Sequence[exp.Expr]) -> Type | None:
        """Say as which type values are compared with each other; dates win over times and texts."""
        found = [each for each in map(self.type_of, nodes) if each]
        for wide in ("date", "time"):
            if wide in found:
                return "date" if wide == "date" else "time"
        return found[0] if found else None

    def alike(self, nodes: Sequence[exp.Expr], ordered: bool) -> list[str]:
        """Write values that are compared with each other, as one type."""
        common = self.common_type(nodes)
        if common is None and ordered:
            hint = "add 0 to compare as numbers, or use lower() to compare as text"
            self.refuse(nodes[0], "cannot tell whether these are numbers or text", hint)
        if common in ("list", "numbers", "object"):
            hint = _EXPECTED["object" if common == "object" else "list"]
            return [self.refuse(nodes[0], f"{NOUNS[common]} cannot be compared", hint)] * len(nodes)
        self._check_choices(nodes)
        return [self.value(each, common or "text") for each in nodes]

    def refuse(self, node: exp.Expr, message: str, hint: str = "") -> str:
        self.source.fault(node, message, hint)
        return "NULL"

    def only(self, node: exp.Expr, *allowed: str) -> bool:
        """Refuse the variants of an operator that the language does not have."""
        for name, value in node.args.items():
            if value and name not in allowed:
                self.refuse(node, f"this form of {node.key} is not part of the rule language")
                return False
        return True

    def turn(self, sql: str, *, moment: bool = False) -> None:
        """Note when time alone can next change the result: SQL of a day, or of a moment.

        It is absent when that is never. It may come too early, but not too late.
        """
        if not self.quiet:
            (self.turn_moments if moment else self.turn_days)[sql] = None

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Write what asks the clock without noting turns: who writes it knows better."""
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before

    def _find_type(self, node: exp.Expr) -> Type | None:
        if isinstance(node, exp.Literal):
            return "text" if node.is_string else "number"
        if isinstance(node, (exp.Coalesce, exp.Case)):
            return self.common_type(_branches(node))
        if isinstance(node, exp.Anonymous):
            known = _CALLS.get(str(node.this).lower())
            return known.type if known else self.call_type(node)
        if isinstance(node, (exp.Add, exp.Sub)):
            return dates.arithmetic_type(self, node) or "number"
        if isinstance(node, exp.Cast):
            return dates.literal_type(node)
        if found := _TYPES.get(type(node)):
            return found
        path = path_of(node)
        if self.element is not None and path == (lists.ELEMENT,):
            return self.element.type
        return self.declared(path) if path else None

    def _check_choices(self, nodes: Sequence[exp.Expr]) -> None:
        """Refuse to compare a tag with what it never is."""
        for node in nodes:
            choices = self.choices(path_of(unparenthesized(node)))
            if not choices:
                continue
            for other in map(unparenthesized, nodes):
                wrong = isinstance(other, exp.Literal) and other.name not in choices
                if wrong and other.is_string:
                    message = f"{'.'.join(path_of(unparenthesized(node)))} is never {other.name!r}"
                    hint = nearest(other.name, choices) or f"it is {_listed(choices)}"
                    self.refuse(other, message, hint)

    def _write(self, node: exp.Expr, wanted: Type | None) -> str:
        writer = _WRITERS.get(type(node))
        if writer is not None:
            return writer(self, node, wanted)
        if isinstance(node, exp.Anonymous):
            known = _CALLS.get(str(node.this).lower())
            return known.write(self, node, wanted) if known else self.call(node, wanted)
        path = path_of(node)
        if self.element is not None and path == (lists.ELEMENT,):
            return lists.element(self, node, wanted)
        if path:
            return self.reference(node, path, wanted)
        return self._unknown(node)

    def _unknown(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Null):
            return self.refuse(node, "null is not a value", "ask with `is null` or `is not null`")
        if isinstance(node, exp.RegexpLike):
            return self.refuse(node, "no regular expressions", _HINTS["regexplike"])
        if isinstance(node, exp.Func) and self.source.calls(node):
            return self._unknown_function(node, node.sql_name().lower())
        if isinstance(node, exp.Alias):
            at = node.args["alias"]
            return self.refuse(at, f"{at.name!r} is not expected here", joined(at.name))
        hint = _HINTS.get(node.key, "")
        name = _WRITTEN.get(node.key, node.key)
        return self.refuse(node, f"{name} is not part of the rule language", hint)

    def _unknown_function(self, node: exp.Expr, name: str) -> str:
        if self.source.full:
            return "NULL"
        hint = nearest(name, self.names) or f"known are {', '.join(self.names)}"
        return self.refuse(node, f"unknown function {name}", hint)


def _readable(node: exp.Expr, found: Type, wanted: Type) -> bool:
    """Whether something of one type can be written as another."""
    if wanted in ("date", "time") and found == "text":
        return isinstance(node, exp.Literal)
    return (found, wanted) in (("time", "date"), ("list", "numbers"))


def _listed(choices: Sequence[str]) -> str:
    return ", ".join(choices[:10]) + (", …" if len(choices) > 10 else "")


def _branches(node: exp.Expr) -> list[exp.Expr]:
    """The values that an expression chooses from."""
    if isinstance(node, exp.Coalesce):
        return [node.this, *node.expressions]
    found = [each.args["true"] for each in node.args["ifs"]]
    otherwise = node.args.get("default")
    return found if otherwise is None else [*found, otherwise]


# What each node becomes.


def _chain(t: Translating, node: exp.Expr, _: Type | None) -> str:
    word = " AND " if isinstance(node, exp.And) else " OR "
    return _balanced([t.boolean(part) for part in operands(node)], word)


def _balanced(parts: list[str], word: str) -> str:
    """Join conditions as a balanced tree: engines limit how deep an expression may be."""
    if len(parts) <= 8:
        return f"({word.join(parts)})"
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle], word)}{word}{_balanced(parts[middle:], word)})"


def _not(t: Translating, node: exp.Expr, _: Type | None) -> str:
    return f"(NOT {t.boolean(node.this)})"


def _compare(t: Translating, node: exp.Expr, _: Type | None) -> str:
    operator = _COMPARISONS[type(node)]
    return _compared(t, node.this, operator, node.expression)


def _compared(t: Translating, one: exp.Expr, operator: str, other: exp.Expr) -> str:
    left, right = turns.compared(t, one, operator, other)
    return f"({left} {operator} {right})"


def _between(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this", "low", "high"):
        return "NULL"
    low, high = node.args["low"], node.args["high"]
    if t.source.asks_clock and turns.asks_clock(node):
        least, most = _compared(t, node.this, ">=", low), _compared(t, node.this, "<=", high)
        return f"({least} AND {most})"
    value, least, most = t.alike([node.this, low, high], ordered=True)
    return f"({value} BETWEEN {least} AND {most})"


def _in(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if node.args.get("field"):
        return lists.contains(t, node, node.args["field"], node.this)
    if not t.only(node, "this", "expressions"):
        return "NULL"
    if not node.expressions:
        return t.refuse(node, "in () has no values", "for example: in ('CN', 'DE')")
    if t.source.asks_clock and turns.asks_clock(node):
        return _balanced([_compared(t, node.this, "=", each) for each in node.expressions], " OR ")
    value, *choices = t.alike([node.this, *node.expressions], ordered=False)
    return f"({value} IN ({', '.join(choices)}))"


def _is(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if isinstance(node.expression, exp.Null):
        wanted = t.type_of(node.this) or "text"
        return f"({t.value(node.this, wanted)} IS NULL)"
    if isinstance(node.expression, exp.Boolean):
        return f"({t.boolean(node.this)} IS {_truth(t, node.expression, None)})"
    return t.refuse(node, "this form of is is not part of the rule language", _HINTS["is"])


def _truth(t: Translating, node: exp.Expr, _: Type | None) -> str:
    return "TRUE" if node.this else "FALSE"


def _coalesce(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    if not t.only(node, "this", "expressions"):
        return "NULL"
    parts = _branches(node)
    common = wanted or t.common_type(parts) or "text"
    return f"coalesce({', '.join(t.value(part, common) for part in parts)})"


def _case(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    common = wanted or t.common_type(_branches(node)) or "text"
    chosen = node.args.get("this")
    written = []
    for each in node.args["ifs"]:
        test = t.boolean(each.this) if chosen is None else _compared(t, chosen, "=", each.this)
        written.append(f"WHEN {test} THEN {t.value(each.args['true'], common)}")
    if otherwise := node.args.get("default"):
        written.append(f"ELSE {t.value(otherwise, common)}")
    return f"CASE {' '.join(written)} END"


def _literal(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    if not node.is_string:
        return numbers.literal_sql(t, node)
    return (
        dates.text_literal(t, node, wanted)
        if wanted in ("date", "time")
        else literal_sql(node.name)
    )


_WRITERS: dict[type[exp.Expr], Writer] = {
    exp.And: _chain,
    exp.Or: _chain,
    exp.Not: _not,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Boolean: _truth,
    exp.Literal: _literal,
    exp.Coalesce: _coalesce,
    exp.Case: _case,
    **dict.fromkeys(_COMPARISONS, _compare),
    **numbers.WRITERS,
    **texts.WRITERS,
    **lists.WRITERS,
    **dates.WRITERS,
}
_LOGIC = (*_COMPARISONS, exp.And, exp.Or, exp.Not, exp.In, exp.Between, exp.Is, exp.Boolean)
_TYPES: dict[type[exp.Expr], Type] = {
    **dict.fromkeys(_LOGIC, "boolean"),
    **numbers.TYPES,
    **texts.TYPES,
    **lists.TYPES,
    **dates.TYPES,
}
_CALLS: dict[str, Call] = {**lists.CALLS, **dates.CALLS}
