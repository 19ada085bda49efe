"""Functions of lists: what a list contains, how long it is, whether any of its values is so."""

from __future__ import annotations

from sqlglot import exp

from onefold.segment.metric import Type
from onefold.segment.writing import NOUNS, Call, Element, Translating, Writer

NAMES = ("list_contains", "list_length", "any_of")
ELEMENT = "value"
"""What a value of a list is called inside `any_of`."""

_LISTS: dict[Type, Type] = {"text": "list", "number": "numbers"}


def element(t: Translating, node: exp.Expr, wanted: Type | None) -> str:
    """Write the value that `any_of` looks at, as SQL of the wanted type."""
    assert t.element is not None
    found = t.element.type = t.element.type or wanted or "text"
    if wanted not in (None, found):
        return t.refuse(node, f"value is used as {NOUNS[found]} and as {NOUNS[wanted]}")
    if found not in _LISTS:
        return t.refuse(node, f"a value of a list is text or a number, not {NOUNS[found]}")
    return ELEMENT


def contains(t: Translating, node: exp.Expr, many: exp.Expr, one: exp.Expr) -> str:
    """Write whether a list contains a value; absent where either is."""
    wanted: Type = "number" if t.type_of(one) == "number" else "text"
    value = t.value(one, wanted)
    found = t.value(many, _LISTS[wanted])
    return f"list_contains({found}, {value})"


def length(t: Translating, node: exp.Expr, _: Type | None) -> str:
    """Write how many values a list has, those that are null left out."""
    found = t.value(node.this, "list")
    return f"CASE WHEN {found} IS NOT NULL THEN CAST(array_length({found}) AS DOUBLE) END"


def _contains(t: Translating, node: exp.Expr, _: Type | None) -> str:
    return contains(t, node, node.this, node.expression)


def _any_of(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if len(node.expressions) != 2:
        hint = "for example: any_of(interests, value like 'sport%')"
        return t.refuse(node, "any_of needs a list and a condition", hint)
    if t.element is not None:
        return t.refuse(node, "any_of cannot be inside any_of")
    many, condition = node.expressions
    t.element = held = Element()
    try:
        test = t.boolean(condition)
    finally:
        t.element = None
    found = t.value(many, _LISTS.get(held.type or "text", "list"))
    kept = f"list_filter({found}, lambda {ELEMENT}: {test})"
    return f"CASE WHEN {found} IS NOT NULL THEN array_length({kept}) > 0 END"


WRITERS: dict[type[exp.Expr], Writer] = {exp.ArrayContains: _contains, exp.ArraySize: length}
TYPES: dict[type[exp.Expr], Type] = {exp.ArrayContains: "boolean", exp.ArraySize: "number"}


def _list_length(t: Translating, node: exp.Expr, _: Type | None) -> str:
    if len(node.expressions) != 1:
        return t.refuse(node, "list_length needs one list")
    return length(t, exp.ArraySize(this=node.expressions[0]), None)


CALLS: dict[str, Call] = {
    "any_of": Call("boolean", _any_of),
    "list_length": Call("number", _list_length),
}
