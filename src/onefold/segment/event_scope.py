"""What names mean inside an event function: the properties and the context of one event.

`properties.products[].price` is about the elements of a list. In a condition, all that is joined by
`and` holds for one and the same element. Where the value itself is taken from elements, the whole
condition is asked of each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from onefold.segment import turns
from onefold.segment.expression import Translator
from onefold.segment.fields import element_sql
from onefold.segment.metric import Field, Type, make_field
from onefold.segment.syntax import Source, nearest, operands, path_of, unparenthesized

ELEMENT = "element"
"""What an element of a list is called in SQL."""

_ROOTS = ("properties", "context")
_NO_DATE = "what an event holds is not read as a date or a time"
_EXAMPLE = "for example: where => properties.products[].category = 'Shoes'"


class EventScope(Translator):
    """Writes the conditions and values of one event function."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.fields: dict[str, Field] = {}
        self._list: Field | None = None

    def declared(self, path: tuple[str, ...]) -> Type | None:
        return "text" if path == ("name",) else None

    def reference(self, node: exp.Expr, path: tuple[str, ...], wanted: Type | None) -> str:
        if path == ("name",):
            return "name"
        keys = self._keys(node, path)
        if not keys:
            return "NULL"
        return self._use(make_field(path[0], keys, wanted or "text"))

    def alike(self, nodes: Sequence[exp.Expr], ordered: bool) -> list[str]:
        """Write values that are compared; an event's are never read as dates, so say so, once."""
        name = next((each for each in nodes if self.type_of(each) is None), None)
        if name is None or self.common_type(nodes) not in ("date", "time"):
            return super().alike(nodes, ordered)
        clock = next((each for each in nodes if turns.asks_clock(each)), None)
        if clock is not None:
            return [self.clock(clock, (), "date")] * len(nodes)
        return [self.refuse(name, _NO_DATE, _as_text(nodes))] * len(nodes)

    def clock(self, node: exp.Expr, path: tuple[str, ...], type: Type) -> str:
        """Refuse to ask the clock; what is only compared with it is not to blame."""
        if not isinstance(node, exp.Cast) and not turns.asks_clock(node):
            return "NULL"
        return super().clock(node, path, type)

    @property
    def asks_elements(self) -> bool:
        """Whether something that was written is about the elements of a list."""
        return self._list is not None

    def condition(self, node: exp.Expr) -> str:
        """Write a condition on an event; what it asks of elements, one of them must satisfy.

        `is not null` is one test, such as `<>` is: it asks whether some element has a value.
        """
        node = unparenthesized(node)
        if not about_elements(node):
            return self.boolean(node)
        if isinstance(node, exp.Or):
            return f"({' OR '.join(map(self.condition, operands(node)))})"
        if isinstance(node, exp.Not) and not isinstance(node.this, exp.Is):
            return f"(NOT {self.condition(node.this)})"
        parts = operands(node) if isinstance(node, exp.And) else [node]
        plain = [self.boolean(part) for part in parts if not about_elements(part)]
        self._list = None
        test = " AND ".join(self.boolean(part) for part in parts if about_elements(part))
        elements = "NULL" if self._list is None else self._list.name
        kept = f"list_filter({elements}, lambda {ELEMENT}: {test})"
        found = f"CASE WHEN {elements} IS NOT NULL THEN array_length({kept}) > 0 END"
        return f"({' AND '.join([*plain, f'({found})'])})"

    def elements(self, value: str, condition: exp.Expr | None) -> str:
        """Write the list of a value that is taken from elements, of those that satisfy a condition."""
        assert self._list is not None
        found = self._list.name
        if condition is not None:
            found = f"list_filter({found}, lambda {ELEMENT}: {self.boolean(condition)})"
        return f"list_transform({found}, lambda {ELEMENT}: {value})"

    def _write(self, node: exp.Expr, wanted: Type | None) -> str:
        if isinstance(node, (exp.Dot, exp.Bracket)) and node.find(exp.Bracket):
            return self._element(node, wanted)
        return super()._write(node, wanted)

    def _use(self, field: Field) -> str:
        self.fields[field.name] = field
        return field.name

    def _keys(self, node: exp.Expr, path: tuple[str, ...]) -> tuple[str, ...]:
        root, *keys = path
        if root not in _ROOTS or not keys:
            hint = nearest(root, _ROOTS) or f"write properties.{'.'.join(path)}"
            self.refuse(node, f"an event has no {'.'.join(path)}", hint)
        elif not all(map(_is_plain, keys)):
            self.refuse(node, "a property name has no quotes, backslashes or asterisks")
        else:
            return tuple(keys)
        return ()

    def _element(self, node: exp.Expr, wanted: Type | None) -> str:
        """Write a value of an element of a list."""
        inner: list[str] = []
        at: exp.Expr = node
        while isinstance(at, exp.Dot) and isinstance(at.expression, exp.Identifier):
            inner.append(at.expression.name)
            at = at.this
        outer = path_of(at.this) if isinstance(at, exp.Bracket) else ()
        if not outer or not is_each(at):
            return self.refuse(node, "a list is asked for all its elements, once", _EXAMPLE)
        keys = self._keys(node, outer)
        if not keys or not all(map(_is_plain, inner)):
            return "NULL" if not keys else self.refuse(node, "a property name has no quotes")
        elements = make_field(outer[0], keys, "objects" if inner else "list")
        if self._list not in (None, elements):
            hint = "use two conditions or two functions"
            return self.refuse(node, "one list at a time: its elements or what is in them", hint)
        self._list = elements
        self._use(elements)
        return element_sql(ELEMENT, tuple(reversed(inner)), wanted or "text")


def _as_text(nodes: Sequence[exp.Expr]) -> str:
    """How to write a comparison with a date as one of texts."""
    dates = (each for each in map(unparenthesized, nodes) if isinstance(each, exp.Cast))
    text = next((each.this.name for each in dates), "2026-01-31")
    return f"compare texts of one form: write just '{text}'"


def is_each(node: exp.Expr) -> bool:
    """Say whether a bracket stands for each element: `[]`."""
    return isinstance(node, exp.Bracket) and not node.expressions


def about_elements(node: exp.Expr) -> bool:
    """Say whether an expression is about the elements of a list."""
    return node.find(exp.Bracket) is not None


def _is_plain(key: str) -> bool:
    return bool(key) and not set(key) & set("\"\\*'")
