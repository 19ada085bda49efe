"""Arithmetic: all numbers are doubles, and a division by zero is absent."""

from __future__ import annotations

import math

from sqlglot import exp

from onefold.segment import dates
from onefold.segment.compared import number_sql
from onefold.segment.metric import Type
from onefold.segment.writing import Translating, Writer

NAMES = ("abs", "round")

_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


def literal_sql(t: Translating, node: exp.Expr) -> str:
    """Write a number that is given."""
    try:
        number = float(node.name)
    except ValueError:
        return t.refuse(node, f"{node.name} is not a number")
    if not math.isfinite(number):
        return t.refuse(node, f"{node.name} is too large a number")
    return number_sql(number)


def _arithmetic(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    if dates.arithmetic_type(t, node):
        return dates.arithmetic(t, node, wanted)
    operator = _ARITHMETIC[type(node)]
    left, right = t.value(node.this, "number"), t.value(node.expression, "number")
    if operator in "/%":
        right = f"nullif({right}, 0e0)"
    return f"({left} {operator} {right})"


def _negative(t: Translating, node: exp.Expr, _: Type | None) -> str:
    return f"(-{t.value(node.this, 'number')})"


def _absolute(t: Translating, node: exp.Expr, _: Type | None) -> str:
    return f"abs({t.value(node.this, 'number')})"


def _round(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if not t.only(node, "this", "decimals"):
        return "NULL"
    number, digits = t.value(node.this, "number"), node.args.get("decimals")
    if digits is None:
        return f"round({number}, 0)"
    if not (isinstance(digits, exp.Literal) and digits.name in "0123456789"):
        return t.refuse(digits, "round takes a number of digits from 0 to 9")
    return f"round({number}, {digits.name})"


WRITERS: dict[type[exp.Expr], Writer] = {
    exp.Neg: _negative,
    exp.Abs: _absolute,
    exp.Round: _round,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
}
TYPES: dict[type[exp.Expr], Type] = {
    **dict.fromkeys((*_ARITHMETIC, exp.Neg, exp.Abs, exp.Round), "number"),
}
