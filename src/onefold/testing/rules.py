"""A slow interpreter of the rule language, obviously right: what the compiler is tested against.

It evaluates a rule directly over traits and events, one profile at a time, with SQL's three values
of truth. It shares no code with `onefold.segment`, and takes only rules that are valid there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel

from onefold.testing.rule_events import (
    Happened,
    Moment,
    arguments,
    element_value,
    event_function,
)
from onefold.testing.rule_texts import read_as
from onefold.testing.rule_values import Each, asked_of, read_moment, value_of, value_type

__all__ = ["Happened", "Moment", "evaluate", "holds", "read_as"]


def holds(text: str, moment: Moment) -> bool:
    """Say whether a rule holds for a profile."""
    return evaluate(parsed(text, moment.types), moment, "boolean") is True


def parsed(text: str, types: Mapping[str, str]) -> exp.Expr:
    """Read a rule; traits are of the declared types."""
    tree = sqlglot.parse_one(text, read="duckdb", error_level=ErrorLevel.IGNORE)
    for node in tree.find_all(exp.Column, exp.Dot):
        if not node.find(exp.Bracket):
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
    if isinstance(node, (exp.Dot, exp.Bracket)) and node.find(exp.Bracket):
        assert isinstance(scope, Each)
        return read_as(element_value(node, scope.value), wanted)
    if isinstance(node, (exp.Column, exp.Dot)):
        value = _find(_names(node), scope)
        if wanted in ("date", "time"):
            zone = asked_of(scope).timezone
            return read_moment(value, wanted, zone) if isinstance(value, str) else None
        return read_as(value, wanted)
    if isinstance(node, exp.Anonymous):
        assert isinstance(scope, Moment)
        return event_function(node, scope, wanted, evaluate, _type)
    if isinstance(node, exp.Coalesce):
        parts = [node.this, *node.expressions]
        values = (evaluate(part, scope, wanted) for part in parts)
        return next((value for value in values if value is not None), None)
    return _operator(node, scope)


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
    if isinstance(node, exp.Case):
        return None  # as its branches
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
        of = arguments(node).get("of")
        if name in ("first_of", "last_of", "most_frequent_of"):
            return None if of is None or isinstance(of, exp.Column) else _type(of)
        return "boolean" if name in ("did", "in_sequence") else "number"
    if isinstance(node, (exp.Column, exp.Dot, exp.Bracket)):
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
