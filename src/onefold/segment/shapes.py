"""The outputs of a plan one by one, as rows of a query: those that are written alike share it.

Rules differ in what they compare, and with what, more than in how they are made: a thousand are of
a few dozen shapes. A shape is an expression with places in it instead of columns and of the numbers
and texts that columns are compared with. So a few rows, of any outputs and profiles, are computed by
one short query. It is the text of the plan's own expressions, of which nothing but these is replaced.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from onefold.segment.compared import COMPARISON, constant
from onefold.segment.metric import Column, Type
from onefold.segment.parts import upward
from onefold.segment.plan import Key, Output, Plan
from onefold.segment.plan_sql import NEVER, soonest

Marks = tuple[float, ...] | tuple[str, ...] | None
"""What a column is compared with. Numbers, ascending: something can change by reaching each. Texts:
by being or not being it. None: by any other value."""

_SLOTS: dict[Type, str] = {
    "number": "n", "text": "s", "boolean": "b", "date": "d", "time": "d", "list": "l",
    "numbers": "m", "object": "s",
}  # fmt: skip
SLOT_TYPES: dict[str, Type] = {
    "n": "number", "s": "text", "b": "boolean", "d": "time", "l": "list", "m": "numbers",
}  # fmt: skip
_Texts = tuple[str, str, str]
_LONGEST = 20_000
_TOGETHER = 60


class Single(NamedTuple):
    """An output as a row of a query: `row` with what it is compared with, to be filled with `columns`.

    What is too long for that has no query, and only the whole plan says what it is. `marks` says of each
    column what it is compared with.
    """

    output: Output
    query: int | None
    row: tuple[Any, ...]
    columns: tuple[tuple[int, Column], ...]
    marks: Mapping[str, Marks]
    shape: tuple[str, ...] = ()

    @property
    def turns(self) -> bool:
        """Does it say when time alone changes it?"""
        return any(text != NEVER for text in self.shape[1:])

    @property
    def is_text(self) -> bool:
        """Is it nothing but a text that is read?"""
        return self.shape == ("s0", NEVER, NEVER) and self.output.type == "text"


class ShapeQuery(NamedTuple):
    """The query of some shapes over the relation `asked(shape INTEGER, …)` with a column for each slot.

    Its rows are `(value, turn_day, turn_moment)`, in the order of what is asked.
    """

    sql: str
    type: Type
    slots: tuple[tuple[str, Type], ...]


class Singles(NamedTuple):
    """All outputs of a plan, in its order, and the queries that they are rows of."""

    singles: tuple[Single, ...]
    queries: tuple[ShapeQuery, ...]


class _Shape:
    """The expression of an output, taken apart."""

    def __init__(self, output: Output, texts: _Texts, columns: Mapping[str, Column]) -> None:
        self.output = output
        self.columns: dict[str, tuple[str, Column]] = {}
        self.constants: dict[str, float | str] = {}
        self.marks: dict[str, Marks] = {}
        self._known = columns
        self._used: dict[str, int] = {}
        value, day, moment = (COMPARISON.sub(self._replaced, text) for text in texts)
        self.texts: _Texts = value, day, moment

    @property
    def slots(self) -> set[str]:
        return {slot for slot, _ in self.columns.values()} | self.constants.keys()

    def single(self, query: int, number: int, slots: Sequence[str]) -> Single:
        """The output as a row of a query with these slots, of the shape of a number."""
        columns = tuple((slots.index(slot) + 1, column) for slot, column in self.columns.values())
        row = (number, *(self.constants.get(slot) for slot in slots))
        return Single(self.output, query, row, columns, self.marks, self.texts)

    def _replaced(self, found: re.Match[str]) -> str:
        compared, name = found["left"], found["name"]
        if compared in self._known:
            column, by, literal = self._known[compared], found["by"], found["right"]
            if column.type in ("number", "text"):
                value = constant(literal, column.type)
                if value is not None:
                    self._mark(column, by, value)
                    slot = self._slot(column.type)
                    self.constants[slot] = value
                    return f"({self._column(column)} {by} {slot})"
            self.marks[column.name] = None
            return f"({self._column(column)} {by} {literal})"
        if found["null"] in self._known:
            column = self._known[found["null"]]
            self.marks.setdefault(column.name, ())
            return f"({self._column(column)} IS NULL)"
        if name in self._known:
            self.marks[name] = None
            return self._column(self._known[name])
        return found[0]

    def _column(self, column: Column) -> str:
        known = self.columns.get(column.name)
        if known is None:
            known = self.columns[column.name] = self._slot(column.type), column
        return known[0]

    def _slot(self, of: Type) -> str:
        letter = _SLOTS[of]
        number = self._used.get(letter, 0)
        self._used[letter] = number + 1
        return f"{letter}{number}"

    def _mark(self, column: Column, by: str, value: float | str) -> None:
        marks: list[Any] | None = None
        before = self.marks.get(column.name, ())
        if before is not None and isinstance(value, float):
            above = math.nextafter(value, math.inf)
            at = {">=": (value,), "<": (value,), ">": (above,), "<=": (above,)}
            marks = sorted({*before, *at.get(by, (value, above))})
        elif before is not None and by in ("=", "<>"):
            marks = list(dict.fromkeys((*before, value)))
        self.marks[column.name] = None if marks is None else tuple(marks)


def singles_of(plan: Plan) -> Singles:
    """Take the outputs of a plan apart."""
    singles: list[Single] = []
    shapes: dict[int, _Shape] = {}
    alike: dict[Type, dict[_Texts, list[int]]] = {}
    for place, (output, (texts, columns)) in enumerate(
        zip(plan.outputs, _drafts(plan), strict=True)
    ):
        read = tuple((0, column) for column in columns.values())
        singles.append(Single(output, None, (), read, dict.fromkeys(columns)))
        if texts is not None:
            shape = shapes[place] = _Shape(output, texts, columns)
            alike.setdefault(output.type, {}).setdefault(shape.texts, []).append(place)
    queries: list[ShapeQuery] = []
    for of, by_texts in alike.items():
        listed = list(by_texts)
        for start in range(0, len(listed), _TOGETHER):
            some = listed[start : start + _TOGETHER]
            members = [(number, at) for number, one in enumerate(some) for at in by_texts[one]]
            slots = sorted({slot for _, place in members for slot in shapes[place].slots})
            for number, place in members:
                singles[place] = shapes[place].single(len(queries), number, slots)
            typed = tuple((slot, SLOT_TYPES[slot[0]]) for slot in slots)
            queries.append(ShapeQuery(_sql(some), of, typed))
    return Singles(tuple(singles), tuple(queries))


def _drafts(plan: Plan) -> list[tuple[_Texts | None, dict[str, Column]]]:
    """Each output with what it refers to written out, in the order of the plan; None where too long."""
    names = {one.key: one.column for one in plan.outputs}
    written: dict[Key, tuple[_Texts | None, dict[str, Column]]] = {}
    for one in upward(plan.outputs):
        columns = {column.name: column for column in one.columns}
        uses: dict[str, str] = {}
        for key in one.uses:
            texts, more = written[key]
            columns |= more
            if texts is not None:
                uses[names[key]] = texts[0] if texts[0].isidentifier() else f"({texts[0]})"
        own = one.expression, soonest(one.turn_days), soonest(one.turn_moments)
        value, day, moment = (_written_out(text, uses) for text in own)
        short = len(value) + len(day) + len(moment) <= _LONGEST and len(uses) == len(one.uses)
        written[one.key] = (value, day, moment) if short else None, columns
    return [written[one.key] for one in plan.outputs]


def _written_out(text: str, uses: Mapping[str, str]) -> str:
    """The same with the expressions of outputs instead of their columns."""
    if not uses:
        return text

    def replaced(found: re.Match[str]) -> str:
        if found["name"] in uses:
            return uses[found["name"]]
        if found["left"] in uses:
            return f"({uses[found['left']]} {found['by']} {found['right']})"
        return found[0]

    return COMPARISON.sub(replaced, text)


def _sql(shapes: Iterable[_Texts]) -> str:
    parts = [
        " ".join(f"WHEN {number} THEN {text}" for number, text in enumerate(texts) if text != NEVER)
        for texts in zip(*shapes, strict=True)
    ]
    value, *turns = (f"CASE shape {part} END" if part else NEVER for part in parts)
    day, moment = (f"CAST({part} AS BIGINT)" for part in turns)
    return f"SELECT {value} AS value, {day} AS turn_day, {moment} AS turn_moment FROM asked"
