"""CSV files of identifiers as people have them: of many encodings, with `,`, `;` or tabs between cells.

What a file is, is decided before anything is taken from it: an encoding that is guessed wrong, or a
column that holds something else, would quietly make another list.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, NoReturn

import msgspec

from onefold.collect.sources.files.encodings import decoded, marked
from onefold.model.errors import Fault, InvalidInput

_EXCEL = re.compile(r"sep=[^\w\s]|sep=\t", re.IGNORECASE)
_DELIMITERS = ",;\t"
_LONGEST_LINE, _LONGEST_CELL = 65_536, 131_072
_SHOWN = 60
_UTF8 = "utf-8-sig"


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for in a file: identifiers of a kind, and with `value` a value beside each.

    A `column` is named by its header, or by its number from 1; empty: the one whose header is the
    kind, else the first. The `encoding` is seen where it is UTF-8 or UTF-16.
    """

    kind: str
    column: str = ""
    encoding: str = ""
    value: str = ""


class Layout(msgspec.Struct, frozen=True):
    """How a file is read. `start` rows come before the first with an identifier."""

    encoding: str = _UTF8
    delimiter: str = ","
    column: int = 0
    value: int = 1
    start: int = 0


def look_at(path: Path, wanted: Wanted) -> Layout:
    """Find out how a file is to be read; `InvalidInput` says why it cannot be."""
    encoding = _encoding(path, wanted.encoding)
    with path.open(encoding=encoding, newline="") as file:
        numbered = ((n, line) for n, line in enumerate(_lines(file), 1) if line.strip())
        lines = list(islice(numbered, 2))
    if not lines:
        _refuse("it is empty", hint=f"a first row {wanted.kind} and no other would empty the list")
    start, delimiter = 0, ""
    if _EXCEL.fullmatch(lines[0][1].strip(" \r\n")):
        start, line = lines.pop(0)
        delimiter = line.strip(" \r\n")[-1]
    number, head = lines[0] if lines else (start, "")
    delimiter = delimiter or _delimiter(head, wanted)
    cells = [cell.strip().lower() for cell in next(csv.reader([head], delimiter=delimiter), [])]
    column, header = _column(cells, wanted)
    value = _value(cells, wanted, column) if header else int(column == 0)
    return Layout(encoding, delimiter, column, value, number if header else start)


def rows(path: Path, layout: Layout) -> Iterator[tuple[int, str, str]]:
    """The rows that say something, with their numbers: an identifier, and the value beside it."""
    with path.open(encoding=layout.encoding, newline="") as file:
        reader = csv.reader(_lines(file), delimiter=layout.delimiter)
        number = 0
        try:
            for number, row in enumerate(reader, 1):
                # How long a cell may be for the library, whoever reads other files in this process may change.
                if any(len(cell) > _LONGEST_CELL for cell in row):
                    _refuse_endless(number)
                if number > layout.start and any(cell.strip() for cell in row):
                    yield number, _cell(row, layout.column), _cell(row, layout.value)
        except csv.Error:
            _refuse_endless(number + 1)


def _cell(row: Sequence[str], number: int) -> str:
    return row[number] if number < len(row) else ""


def _refuse(message: str, where: str = "file", hint: str = "") -> NoReturn:
    raise InvalidInput("the file cannot be taken", [Fault(message, where, hint)])


def _refuse_endless(row: int) -> NoReturn:
    _refuse(f"a cell that begins in row {row} does not end", hint='look for a `"`')


def _encoding(path: Path, said: str) -> str:
    """The encoding that all of a file has."""
    with path.open("rb") as file:
        seen = marked(file.read(4))
    line = 1
    try:
        "".encode(said or _UTF8)  # what is no encoding of text is not found
        encoding = seen or (codecs.lookup(said).name if said else _UTF8)
        for text in decoded(path, encoding):
            if "\0" in text:
                _refuse("is no text", hint="save it as CSV in UTF-8")
            line += text.count("\n")
    except LookupError:
        _refuse(f"there is no encoding {said[:_SHOWN]!r}", "encoding", "such as gb18030 or windows-1252")  # fmt: skip
    except UnicodeError as error:
        line += bytes(getattr(error, "object", b""))[: getattr(error, "start", 0)].count(b"\n")
        name = encoding.removesuffix("-sig")
        hint = "say which encoding it has, such as gb18030 or windows-1252, or save it in UTF-8"
        _refuse(f"is no {name}: see line {line}", hint=hint)
    return encoding


def _delimiter(head: str, wanted: Wanted) -> str:
    """What stands between cells: as the header shows, or else what parts the first row most."""
    sought = {wanted.column.lower(), wanted.kind.lower()} - {""}
    found: dict[str, list[str]] = {one: next(csv.reader([head], delimiter=one), []) for one in _DELIMITERS}  # fmt: skip
    for one, cells in found.items():
        if len(cells) > 1 and sought & {cell.strip().lower() for cell in cells}:
            return one
    return max(_DELIMITERS, key=lambda one: len(found[one]))


def _column(cells: Sequence[str], wanted: Wanted) -> tuple[int, bool]:
    """Where the identifiers are, and whether the first row is a header."""
    sought = (wanted.column or wanted.kind).strip().lower()
    if cells.count(sought) > 1:
        _refuse(f"{cells.count(sought)} columns are called {sought!r}", hint="rename the others")
    if sought in cells:
        return cells.index(sought), True
    if not wanted.column:
        return 0, False
    if sought.isascii() and sought.isdigit() and 1 <= int(sought[:4]) <= len(cells):
        return int(sought) - 1, False
    shown = ", ".join(cell[:_SHOWN] or "(no name)" for cell in cells[:20])
    _refuse(f"there is no column {wanted.column[:_SHOWN]!r}", "column", f"its first row says: {shown}")  # fmt: skip


def _value(cells: Sequence[str], wanted: Wanted, column: int) -> int:
    """Where the values are: in the column that is called as what they are of, or the first other."""
    sought = wanted.value.lower()
    if sought and cells.count(sought) > 1:
        _refuse(f"{cells.count(sought)} columns are called {sought!r}", hint="rename the others")
    return cells.index(sought) if sought in cells else int(column == 0)


def _lines(file: IO[str]) -> Iterator[str]:
    """Lines, cut where one is longer than any that could name somebody."""
    while line := file.readline(_LONGEST_LINE):
        yield line
