"""The operators and functions of the rule language, with their types: a closed list.

A translator walks the syntax tree once and writes SQL of its own making: nothing of a rule's text
reaches an engine except literals, which sqlglot renders. Names are left to the two scopes: the
traits of a profile, and the properties of an event.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

from sqlglot import exp

from onefold.segment.metric import Type
from onefold.segment.syntax import MAX_DEPTH, Source, nearest

FUNCTIONS = (
    "lower", "upper", "trim", "length", "coalesce", "abs", "round", "starts_with", "contains",
)  # fmt: skip

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}
_TEXT_TO_TEXT: dict[type[exp.Expr], str] = {
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.Trim: "trim",
}
_TEXT_TESTS: dict[type[exp.Expr], str] = {
    exp.Like: "{0} LIKE {1}",
    exp.ILike: "{0} ILIKE {1}",
    exp.StartsWith: "starts_with({0}, {1})",
    exp.Contains: "contains({0}, {1})",
}
_BOOLEAN_NODES = (
    *_COMPARISONS,
    *_TEXT_TESTS,
    exp.And,
    exp.Or,
    exp.Not,
    exp.In,
    exp.Between,
    exp.Is,
)
_NUMBER_NODES = (*_ARITHMETIC, exp.Neg, exp.Abs, exp.Round, exp.Length)
_HINTS = {
    "alias": "is `and` or `or` missing?",
    "cast": "a trait is read as the type that it is used as",
    "case": "write it with and, or, not",
    "dpipe": "compare the parts instead",
    "escape": "use contains() or starts_with() for texts with % or _",
    "is": "`is` is followed by null, not null, true or false",
    "select": "a rule is one condition, such as country = 'CN'",
    "subquery": "a rule is one condition, such as country = 'CN'",
}
_NOUNS = {"text": "text", "number": "a number", "boolean": "true or false"}


def literal_sql(text: str) -> str:
    """Write a text as a SQL literal."""
    return exp.Literal.string(text).sql("duckdb")


def unparenthesized(node: exp.Expr) -> exp.Expr:
    """Take the parentheses off."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


class Translator(ABC):
    """Writes a checked expression as SQL; the scope says what names mean."""

    names: tuple[str, ...] = FUNCTIONS

    def __init__(self, source: Source) -> None:
        self.source = source
        self._depth = 0

    @abstractmethod
    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        """Write a name as SQL of the wanted type."""

    @abstractmethod
    def declared(self, path: tuple[str, ...]) -> Type | None:
        """Say which type a name is declared as, if it is."""

    def call(self, node: exp.Anonymous, wanted: Type | None) -> str:
        """Write a function that is not in the closed list; a scope may have more of them."""
        return self._unknown_function(node, str(node.this).lower())

    def call_type(self, node: exp.Anonymous) -> Type | None:
        """Say which type such a function has."""
        return None

    def boolean(self, node: exp.Expr) -> str:
        """Write a condition."""
        return self.value(node, "boolean")

    def value(self, node: exp.Expr, wanted: Type | None) -> str:
        """Write an expression; what is of another type than wanted is a fault."""
        node = unparenthesized(node)
        found = self.type_of(node)
        if wanted and found and wanted != found:
            message = f"expected {_NOUNS[wanted]}, found {_NOUNS[found]}"
            return self.refuse(node, message)
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
        if isinstance(node, exp.Literal):
            return "text" if node.is_string else "number"
        if isinstance(node, (*_BOOLEAN_NODES, exp.Boolean)):
            return "boolean"
        if isinstance(node, _NUMBER_NODES):
            return "number"
        if type(node) in _TEXT_TO_TEXT:
            return "text"
        if isinstance(node, exp.Coalesce):
            return self._common_type([node.this, *node.expressions])
        if isinstance(node, exp.Anonymous):
            return self.call_type(node)
        path = path_of(node)
        return self.declared(path) if path else None

    def refuse(self, node: exp.Expr, message: str, hint: str = "") -> str:
        self.source.fault(node, message, hint)
        return "NULL"

    def _write(self, node: exp.Expr, wanted: Type | None) -> str:
        writer = _WRITERS.get(type(node))
        if writer is not None:
            return writer(self, node)
        if isinstance(node, exp.Anonymous):
            return self.call(node, wanted)
        if isinstance(node, exp.Coalesce):
            return self._coalesce(node, wanted)
        if path := path_of(node):
            return self.reference(node, path, wanted)
        return self._unknown(node)

    def _unknown(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Null):
            return self.refuse(node, "null is not a value", "ask with `is null` or `is not null`")
        if isinstance(node, exp.Func) and self.source.calls(node):
            return self._unknown_function(node, node.sql_name().lower())
        hint = _HINTS.get(node.key, "")
        return self.refuse(node, f"{node.key} is not part of the rule language", hint)

    def _unknown_function(self, node: exp.Expr, name: str) -> str:
        hint = nearest(name, self.names) or f"known are {', '.join(self.names)}"
        return self.refuse(node, f"unknown function {name}", hint)

    def _common_type(self, nodes: list[exp.Expr]) -> Type | None:
        return next((found for found in map(self.type_of, nodes) if found), None)

    def _only(self, node: exp.Expr, *allowed: str) -> bool:
        """Refuse the variants of an operator that the language does not have."""
        for name, value in node.args.items():
            if value and name not in allowed:
                self.refuse(node, f"this form of {node.key} is not part of the rule language")
                return False
        return True

    # What each node becomes.

    def _chain(self, node: exp.Expr) -> str:
        word = " AND " if isinstance(node, exp.And) else " OR "
        return _balanced([self.boolean(part) for part in _operands(node)], word)

    def _not(self, node: exp.Expr) -> str:
        return f"(NOT {self.boolean(node.this)})"

    def _compare(self, node: exp.Expr) -> str:
        operator = _COMPARISONS[type(node)]
        ordered = operator not in ("=", "<>")
        left, right = self._alike([node.this, node.expression], ordered)
        return f"({left} {operator} {right})"

    def _between(self, node: exp.Expr) -> str:
        if not self._only(node, "this", "low", "high"):
            return "NULL"
        parts = [node.this, node.args["low"], node.args["high"]]
        value, low, high = self._alike(parts, ordered=True)
        return f"({value} BETWEEN {low} AND {high})"

    def _in(self, node: exp.Expr) -> str:
        if not self._only(node, "this", "expressions"):
            return "NULL"
        if not node.expressions:
            return self.refuse(node, "in () has no values", "for example: in ('CN', 'DE')")
        value, *choices = self._alike([node.this, *node.expressions], ordered=False)
        return f"({value} IN ({', '.join(choices)}))"

    def _alike(self, nodes: list[exp.Expr], ordered: bool) -> list[str]:
        """Write values that are compared with each other, as one type."""
        common = self._common_type(nodes)
        if common is None and ordered:
            hint = "add 0 to compare as numbers, or use lower() to compare as text"
            self.refuse(nodes[0], "cannot tell whether these are numbers or text", hint)
        return [self.value(each, common or "text") for each in nodes]

    def _is(self, node: exp.Expr) -> str:
        if isinstance(node.expression, exp.Null):
            wanted = self.type_of(node.this) or "text"
            return f"({self.value(node.this, wanted)} IS NULL)"
        if isinstance(node.expression, exp.Boolean):
            return f"({self.boolean(node.this)} IS {self._truth(node.expression)})"
        return self.refuse(node, "this form of is is not part of the rule language", _HINTS["is"])

    def _truth(self, node: exp.Expr) -> str:
        return "TRUE" if node.this else "FALSE"

    def _text_test(self, node: exp.Expr) -> str:
        if not self._only(node, "this", "expression", "negate"):
            return "NULL"
        parts = self.value(node.this, "text"), self.value(node.expression, "text")
        test = f"({_TEXT_TESTS[type(node)].format(*parts)})"
        return f"(NOT {test})" if node.args.get("negate") else test

    def _text_function(self, node: exp.Expr) -> str:
        if not self._only(node, "this"):
            return "NULL"
        return f"{_TEXT_TO_TEXT[type(node)]}({self.value(node.this, 'text')})"

    def _arithmetic(self, node: exp.Expr) -> str:
        operator = _ARITHMETIC[type(node)]
        left, right = self.value(node.this, "number"), self.value(node.expression, "number")
        if operator in "/%":
            right = f"nullif({right}, 0e0)"
        return f"({left} {operator} {right})"

    def _negative(self, node: exp.Expr) -> str:
        return f"(-{self.value(node.this, 'number')})"

    def _absolute(self, node: exp.Expr) -> str:
        return f"abs({self.value(node.this, 'number')})"

    def _length(self, node: exp.Expr) -> str:
        if not self._only(node, "this"):
            return "NULL"
        return f"CAST(length({self.value(node.this, 'text')}) AS DOUBLE)"

    def _round(self, node: exp.Expr) -> str:
        if not self._only(node, "this", "decimals"):
            return "NULL"
        number, digits = self.value(node.this, "number"), node.args.get("decimals")
        if digits is None:
            return f"round({number}, 0)"
        if not (isinstance(digits, exp.Literal) and digits.name in "0123456789"):
            return self.refuse(digits, "round takes a number of digits from 0 to 9")
        return f"round({number}, {digits.name})"

    def _coalesce(self, node: exp.Coalesce, wanted: Type | None) -> str:
        if not self._only(node, "this", "expressions"):
            return "NULL"
        parts = [node.this, *node.expressions]
        common = wanted or self._common_type(parts) or "text"
        return f"coalesce({', '.join(self.value(part, common) for part in parts)})"

    def _literal(self, node: exp.Expr) -> str:
        if node.is_string:
            return literal_sql(node.name)
        try:
            number = float(node.name)
        except ValueError:
            return self.refuse(node, f"{node.name} is not a number")
        if not math.isfinite(number):
            return self.refuse(node, f"{node.name} is too large a number")
        return f"{number!r}" if "e" in repr(number) else f"{number!r}e0"


_Writer = Callable[[Translator, exp.Expr], str]
_WRITERS: dict[type[exp.Expr], _Writer] = {
    exp.And: Translator._chain,
    exp.Or: Translator._chain,
    exp.Not: Translator._not,
    exp.Between: Translator._between,
    exp.In: Translator._in,
    exp.Is: Translator._is,
    exp.Boolean: Translator._truth,
    exp.Literal: Translator._literal,
    exp.Neg: Translator._negative,
    exp.Abs: Translator._absolute,
    exp.Length: Translator._length,
    exp.Round: Translator._round,
    **dict.fromkeys(_COMPARISONS, Translator._compare),
    **dict.fromkeys(_ARITHMETIC, Translator._arithmetic),
    **dict.fromkeys(_TEXT_TESTS, Translator._text_test),
    **dict.fromkeys(_TEXT_TO_TEXT, Translator._text_function),
}


def path_of(node: exp.Expr) -> tuple[str, ...]:
    """Read `a.b.c` as a path; empty where the node is no name."""
    names: list[str] = []
    while isinstance(node, exp.Dot):
        if not isinstance(node.expression, exp.Identifier):
            return ()
        names.append(node.expression.name)
        node = node.this
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return ()
    parts = [part.name for part in node.parts]
    return (*parts, *reversed(names))


def _operands(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a chain of ANDs or ORs, without recursion: a chain may be long."""
    found: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        part = unparenthesized(waiting.pop())
        if type(part) is type(node):
            waiting.extend((part.expression, part.this))
        else:
            found.append(part)
    return found


def _balanced(parts: list[str], word: str) -> str:
    """Join conditions as a balanced tree: engines limit how deep an expression may be."""
    if len(parts) <= 8:
        return f"({word.join(parts)})"
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle], word)}{word}{_balanced(parts[middle:], word)})"
