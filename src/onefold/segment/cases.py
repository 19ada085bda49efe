"""Outputs that depend on few cases: each case is asked of the engine once, and looked up from then on.

`count_of('Order Completed') >= 3 and country = 'CN'` has four cases for what is counted or absent and
for who it is. The engine answers a row for each; the answers become a tree, in which a column is
read only where it makes a difference. So there is no other meaning of a rule than the query's.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from onefold.segment.metric import Column
from onefold.segment.shapes import Marks, Single

_MOST_CASES = 512


class Choice(NamedTuple):
    """A column to read: by its value, what is to be read next, or the answer.

    `children` are for no value, and from each mark on; without marks, `named` are by the value itself.
    """

    name: str
    column: Column
    marks: tuple[float, ...] | None
    children: tuple[Any, ...]
    named: Mapping[Any, Any]

    def next(self, value: Any) -> Any:
        """The choice or the answer behind a value."""
        if self.marks is None:
            return self.named[value] if value in self.named else self.children[0]
        return self.children[0 if value is None else bisect_right(self.marks, value) + 1]


class Cases(NamedTuple):
    """The cases of an output: of each column, values that stand for all that make a difference."""

    columns: tuple[tuple[int, Column], ...]
    values: tuple[tuple[Any, ...], ...]
    marks: tuple[Marks, ...]

    def rows(self, single: Single) -> Iterator[list[Any]]:
        """A row of the output's query for each case."""
        for case in product(*self.values):
            row = list(single.row)
            for (at, _), value in zip(self.columns, case, strict=True):
                row[at] = value
            yield row

    def tree(self, answers: Sequence[Any], depth: int = 0) -> Any:
        """What the engine answered of each case, as the choices that make a difference."""
        if depth == len(self.columns):
            return answers[0]
        values, marks = self.values[depth], self.marks[depth]
        width = len(answers) // len(values)
        parts = [answers[start : start + width] for start in range(0, len(answers), width)]
        children = tuple(self.tree(part, depth + 1) for part in parts)
        if all(_same(child, children[0]) for child in children):
            return children[0]
        column = self.columns[depth][1]
        if marks is not None and column.type == "number":
            return Choice(column.name, column, marks, children, {})  # type: ignore[arg-type]
        # The first stands for any other value.
        named = dict(zip(values[1:], children[1:], strict=True))
        return Choice(column.name, column, None, children, named)


def cases_key(single: Single) -> tuple[Any, ...]:
    """Outputs with the same key have the same tree."""
    constants = tuple(value for value in single.row[1:] if value is not None)
    return single.shape, constants, tuple(column.name for _, column in single.columns)


def cases_of(single: Single) -> Cases | None:
    """The cases of an output; None if they cannot be told, or are too many."""
    if single.query is None or single.turns:
        return None
    # Traits first: they are read with less work, and most often say no.
    columns = sorted(single.columns, key=lambda one: one[1].kind != "trait")
    values = []
    for _, column in columns:
        found = _values(column, single.marks[column.name])
        if found is None:
            return None
        values.append(found)
    if math.prod(map(len, values)) > _MOST_CASES:
        return None
    marks = tuple(single.marks[column.name] for _, column in columns)
    return Cases(tuple(columns), tuple(values), marks)


def _values(column: Column, marks: Marks) -> tuple[Any, ...] | None:
    """Values that stand for all."""
    if column.kind == "clock":
        return None
    if column.type == "boolean":
        return (None, False, True)
    if marks is None:
        return None
    if column.type == "number":
        below = (math.nextafter(float(marks[0]), -math.inf),) if marks else (0.0,)
        return (None, *below, *marks)
    if column.type == "text":
        return ("".join(map(str, marks)) + "…", None, *marks)
    return None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other
