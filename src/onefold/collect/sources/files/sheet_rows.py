"""The rows of a sheet in Office Open XML: each cell in its column, as the value that was last stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from onefold.collect.sources.files.sheet_values import Value, iso, number
from onefold.collect.sources.files.sheet_xml import (
    NotPlain,
    compiled,
    joined,
    shown,
    text_of,
    unescaped,
)
from onefold.collect.sources.files.xml_text import local
from onefold.model.errors import Fault, InvalidInput

Row = list[Any]
Numbered = tuple[int, Row]
"""A row with its number from 0, and its values from the first column on; `""` where there is none."""
_MOST_COLUMNS = 1 << 14
_MOST_KNOWN = 1 << 16
_ABOUT_ROW = re.compile(r'(?:\s(?:r="(\d+)"|[\w:]+="[^"]*"))*\s*/?')
_CELL = (
    r'<c(?: r="([A-Za-z]{1,3})(\d+)")?(?: s="(\d+)")?(?: t="(\w+)")?(?: (?:cm|vm|ph)="\w*")*\s*'
    r"(?:/>|>(?:<f[^>]*(?:(?<=/)>|>[^<]*</f>))?"
    r'(?:<v(?: xml:space="\w+")?>([^<]*)</v>|<v/>'
    r"|<is>([^<]*(?:<(?!/is>|/?c[ />])[^<]*)*)</is>|<is/>)?</c>)"
)
_BLANK = r'(?:<c r="[A-Z]+\d+"(?: s="\d+")?/>)+(?=<c r="|</row>)'
_IN_ITSELF = ("str", "inlineStr")
_UNKNOWN: tuple[int, Value, str | None] = (0, str, None)
Cell = tuple[str, str, str, str, str]
"""The letters of its column, the number of its row, its format, its type, and what it holds."""


class _Patterns(NamedTuple):
    """What finds cells in XML that is written plainly."""

    cell: re.Pattern[str]
    blank: re.Pattern[str]


class Rows:
    """Each row with its number, if it is told, and its values; none where it has no cell with a value.

    `told` gives a shared text by its number, and `formats` what makes values of numbers, by format.
    """

    within, name = "sheetData", "row"

    def __init__(self, told: Value, formats: Mapping[str, Value]) -> None:
        self._formats = formats
        self._made = {"s": told, "b": _is_true, "e": _nothing, "d": iso} | dict.fromkeys(
            _IN_ITSELF, str
        )
        self._known: dict[str, tuple[int, Value, str | None]] = {}

    def scanned(self, text: str, prefix: str) -> list[tuple[str, Row]]:
        """The rows of a text."""
        ends = f"</{prefix}c>"
        rows: list[tuple[str, Row]] = []
        for part in text.split(f"<{prefix}row")[1:]:
            about, _, inner = part.partition(">")
            if not (told := _ABOUT_ROW.fullmatch(about)):
                raise NotPlain
            row: Row = []
            at, column = told[1] or "", -1
            place = f'{at}"'
            known = {} if "&" in inner else self._known
            if "/>" in inner:
                inner = _patterns(prefix).blank.sub("", inner)
            *some, last = inner.split(ends)
            for one in some:
                front, _, after = one.partition("</")
                head, _, written = front.rpartition(">")
                # The cells of a column are nearly always written alike but for the number of the row.
                key = head.replace(place, '"', 1)
                found = known.get(key, _UNKNOWN)
                if found[2] == after and written:
                    column, make, _ = found
                    if column == len(row):
                        row.append(make(written))
                    else:
                        _put(row, column, make(written))
                else:
                    cells = _searched(one + ends, prefix)
                    column = self._add(row, column, cells)
                    at = at or (cells[0][1] if cells else "")
                    if len(cells) == 1 and cells[0][0] and cells[0][1] == told[1]:
                        self._know(key, after, prefix, (column, cells[0]))
            cells = _searched(last, prefix)
            self._add(row, column, cells)
            rows.append((at or (cells[0][1] if cells else ""), row))
        return rows

    def whole(self, element: Any) -> tuple[str, Row]:
        """A row."""
        row: Row = []
        cells = [_cell(one) for one in element if local(one.tag) == "c"]
        self._add(row, -1, cells)
        return element.get("r") or (cells[0][1] if cells else ""), row

    def _add(self, row: Row, column: int, cells: list[Cell]) -> int:
        """Put the values of cells into a row; those that say no column stand beside the one before."""
        for letters, _, style, kind, written in cells:
            column = column_of(letters) if letters else column + 1
            if written or kind in _IN_ITSELF:
                _put(row, column, self._make(style, kind)(written))
        return column

    def _make(self, style: str, kind: str) -> Value:
        if kind in ("", "n"):
            return self._formats.get(style, number)
        if kind not in self._made:
            raise InvalidInput("the workbook cannot be read", [Fault("is no type of cells", kind)])
        return self._made[kind]

    def _know(self, key: str, after: str, prefix: str, cell: tuple[int, Cell]) -> None:
        """Keep how cells that begin and end so are read, if they hold nothing but their value."""
        column, (_, _, style, kind, _) = cell
        own = key.count(">") == 2 and key.endswith(f"><{prefix}is><{prefix}t")
        if not own and not (key.count(">") == 1 and key.endswith(f"><{prefix}v")):
            return
        if own == (kind == "inlineStr"):
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = column, shown if own else self._make(style, kind), after


def _searched(text: str, prefix: str) -> list[Cell]:
    """The cells in a text; what stands in a cell itself is of the type `inlineStr`, as is a text without a type."""
    if f"<{prefix}c" not in text:
        return []
    found = _patterns(prefix).cell.findall(text)
    if len(found) != text.count(f"<{prefix}c"):
        raise NotPlain
    return [
        _held((letters, at, style, kind, unescaped(written)), joined(own, prefix) if own else "")
        for letters, at, style, kind, written, own in found
    ]


def _held(cell: Cell, own: str) -> Cell:
    letters, at, style, kind, written = cell
    if own:
        return letters, at, style, "inlineStr", own
    return letters, at, style, kind, "" if kind == "inlineStr" else written


def _cell(element: Any) -> Cell:
    place = element.get("r", "")
    letters = place.rstrip("0123456789")
    value = own = ""
    for one in element:
        if local(one.tag) == "v":
            value = "".join(one.itertext())
        elif local(one.tag) == "is":
            own = text_of(one)
    style, kind = element.get("s", ""), element.get("t", "")
    return _held((letters, place[len(letters) :], style, kind, value), own)


def _put(row: Row, column: int, value: Any) -> None:
    row += [""] * (column + 1 - len(row))
    row[column] = value


@cache
def _patterns(prefix: str) -> _Patterns:
    return _Patterns(compiled(_CELL, prefix), compiled(_BLANK, prefix))


@cache
def column_of(letters: str) -> int:
    """The number of a column, from 0.

    >>> column_of("A"), column_of("XFD")
    (0, 16383)
    """
    found = 0
    for one in letters.upper():
        found = found * 26 + ord(one) - ord("A") + 1
    if not letters.isalpha() or not letters.isascii() or found > _MOST_COLUMNS:
        raise InvalidInput(
            "the workbook cannot be read", [Fault("there is no such column", letters)]
        )
    return found - 1


def _is_true(written: str) -> bool:
    return written != "0"


def _nothing(_: str) -> str:
    return ""
