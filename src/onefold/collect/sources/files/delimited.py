"""CSV and its kin. Every row of the file becomes a record, or is given as unreadable with the reason."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from onefold.collect.sources.files.csv_shape import CsvSettings, Shape, shape_of
from onefold.collect.sources.files.layout import IS_TOTAL, is_total
from onefold.collect.sources.files.lines import LONGEST, Lines, Place, is_broken, raw
from onefold.model.pulled import Batch, Position, Record, Unreadable

ROWS, CELLS = 5_000, 200_000
_MOST_LINES, _FEW_LINES, _PATIENCE = 2_000, 50, 100


def read(file: Path, settings: CsvSettings, position: Position | None) -> Iterator[Batch]:
    """The rows of a file."""
    shape = shape_of(file, settings)
    rows = _Rows(file, shape, settings, position)
    columns, stream = shape.columns, file.name
    most = max(1, min(ROWS, CELLS // len(columns)))
    records: list[Record] = []
    unreadable: list[Unreadable] = [] if position else list(shape.unsure)
    while True:
        before = rows.position() if rows.between and (records or unreadable) else {}
        if block := rows.block():
            if before:
                yield Batch(records, before, tuple(unreadable))
                records, unreadable = [], []
            first = rows.number - len(block) + 1
            yield Batch(Block(columns, stream, block, first), rows.position())
            continue
        if (found := rows.next()) is None:
            break
        if found[1]:
            reasons = (found[1],)
            unreadable.append(Unreadable(rows.raw(), stream, f"row {rows.number}", reasons))
        else:
            fields = dict(zip(columns, found[0], strict=True))
            records.append(Record(fields, stream, f"row {rows.number}"))
        if len(records) + len(unreadable) >= most:
            yield Batch(records, rows.position(), tuple(unreadable))
            records, unreadable = [], []
    yield Batch(records, rows.position(), tuple(unreadable))


class Block(Sequence[Record]):
    """Whole rows in a row, from the `first` on; each is a record only once it is looked at."""

    def __init__(
        self, columns: Sequence[str], stream: str, rows: Sequence[list[str]], first: int
    ) -> None:
        self._columns = columns
        self._stream = stream
        self._rows = rows
        self._first = first

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self[:])

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> list[Record]: ...

    def __getitem__(self, at: int | slice) -> Record | list[Record]:
        if isinstance(at, int):
            return self[at : at + 1 or None][0]
        numbers = range(self._first, self._first + len(self._rows))[at]
        columns, stream = self._columns, self._stream
        return [
            Record(dict(zip(columns, row, strict=True)), stream, f"row {number}")
            for row, number in zip(self._rows[at], numbers, strict=True)
        ]


class _TooLong(Exception):
    """A row of more lines than rows have."""


class _Rows:
    """The rows of a file, each with what is wrong with it; knows where each stood.

    `between` two pieces of the file there may be a `block`.
    """

    def __init__(
        self, file: Path, shape: Shape, settings: CsvSettings, position: Position | None
    ) -> None:
        self._shape = shape
        self._width = len(shape.columns)
        self._dialect = shape.dialect
        self._take_short = settings.short_rows == "take"
        self.number = position["row"] if position else 0
        start = Place(*position["place"]) if position else Place(0, shape.above)
        self._last = Place(start.byte, start.line - 1)
        self._lines = Lines(file, shape.encoding, start)
        self._again: deque[tuple[Place, str]] = deque()
        self._taken: list[tuple[Place, str]] = []
        self._failed = 0
        self._cut = False
        self.between = True
        self._reader = self._new_reader()

    def block(self) -> list[list[str]]:
        """The rows of what is left of a piece of the file, if each of its lines is a whole one."""
        if not self.between or self._cut:
            return []
        self.between = False
        found = self._lines.plain(self._dialect.quote or self._dialect.escape)
        if not found:
            return []
        delimiter, width = self._dialect.delimiter, self._width
        rows = [line.rstrip("\r\n").split(delimiter) for line in found]
        if set(map(len, rows)) != {width} or (width == 1 and [""] in rows):
            return []
        if any(map(is_total, rows)):
            return []
        self._last = self._lines.taken()
        self._taken.clear()
        self.between = True
        self.number += len(rows)
        return rows

    def next(self) -> tuple[list[str], str] | None:
        """The next row with what is wrong with it, None at the end."""
        taken = self._taken
        while True:
            if taken:
                self._last = taken[-1][0]
                taken.clear()
            problem = ""
            try:
                row = next(self._reader)
            except StopIteration:
                return None
            except (csv.Error, _TooLong) as error:
                row, problem = self._alone(str(error))
                self._reader = self._new_reader()
            self.between = taken[-1][0].byte != self._last.byte and not self._again
            if row or problem:
                self.number += 1
                return self._judged(row, problem)

    def position(self) -> Position:
        """Where the row after the last one begins."""
        if self._again:
            place = self._again[0][0]
        else:
            last = self._taken[-1][0] if self._taken else self._last
            place = Place(last.byte, last.line + 1)
        return {"place": [place.byte, place.line], "row": self.number}

    def raw(self) -> bytes:
        """The bytes of the row."""
        return raw("".join(text for _, text in self._taken), self._shape.encoding)

    def _new_reader(self) -> Iterator[list[str]]:
        return self._dialect.reader(self._feed(), strict=True)

    def _feed(self) -> Iterator[str]:
        most = _MOST_LINES if self._failed < _PATIENCE else _FEW_LINES
        taken, again = self._taken, self._again
        while True:
            if again:
                line = again.popleft()
            elif (line := next(self._lines, None)) is None:  # type: ignore[assignment]
                return
            taken.append(line)
            if len(taken) > most:
                raise _TooLong
            yield line[1]

    def _alone(self, error: str) -> tuple[list[str], str]:
        """What a line says where it and those after it are no row: it alone is at fault."""
        self._failed += 1
        several = len(self._taken) > 1
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]
        text = self._taken[0][1]
        if several or "unexpected end" in error:
            return [], "opens a quote that is not closed"
        if "expected after" not in error:
            return [], error
        row = next(self._dialect.reader([text]))
        if row[-1].endswith("\n"):
            return [], "opens a quote that is not closed"
        return row, ""

    def _judged(self, row: list[str], problem: str) -> tuple[list[str], str]:
        """The row as wide as the table, if nothing is lost by that; else what is wrong with it."""
        width, values = self._width, len(row)
        was_cut, self._cut = self._cut, self._ends_cut()
        if self._cut or was_cut:
            problem = f"is longer than {LONGEST:,} bytes"
        if values > width and not any(row[width:]):
            row = row[:width]
        elif values < width and self._take_short:
            row = row + [""] * (width - values)
        if not problem and len(row) != width:
            plural = "s" * (values != 1)
            problem = f"has {values:,} value{plural}, and there are {width:,} columns"
        whole = "".join(row)
        if not problem and not whole.isascii() and is_broken(whole):
            problem = f"is not written in {self._shape.encoding}"
        if not problem and "\0" in whole:
            problem = "holds the character U+0000"
        if not problem and is_total(row):
            problem = IS_TOTAL
        return row, problem

    def _ends_cut(self) -> bool:
        """Is what was taken last the piece of a line that is too long?"""
        last = self._taken[-1][1] if self._taken else "\n"
        return len(last) >= LONGEST // 4 and last[-1] not in "\r\n"
