"""The process that reads a workbook: cells as they were last shown; no formula is ever evaluated."""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect.sources.files.books import opened
from onefold.collect.sources.files.excel import (
    LENGTH,
    NO_MEMORY,
    Asked,
    ExcelSettings,
    Told,
)
from onefold.collect.sources.files.layout import (
    ABOVE,
    IS_TOTAL,
    SAMPLE_ROWS,
    Header,
    header_of,
    is_total,
    named,
    no_line,
)
from onefold.collect.sources.files.open_document import Range
from onefold.collect.sources.files.plain import plain
from onefold.collect.sources.files.sheet_rows import Numbered, Row
from onefold.collect.sources.files.unpacking import most_unpacked
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS, _CELLS, _CHARACTERS = 5_000, 200_000, 4 << 20
"""Of a batch, about."""
_MOST_CHARACTERS = 2 << 30
_MOST_MEMORY = 2 << 30
_HALF = (1 << 32) - 1


def main() -> None:
    """Answer with the batches of the workbook that is asked for."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = _MOST_MEMORY if limit == resource.RLIM_INFINITY else min(_MOST_MEMORY, limit)
    resource.setrlimit(resource.RLIMIT_AS, (most, limit))
    gc.disable()  # rows are many, and none is part of a circle
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    try:
        for batch in _read(Path(asked.file), asked.settings, asked.position):
            _tell(Told(batch))
        _tell(Told())
    except InvalidInput as error:
        _tell(Told(failed=error.message, faults=tuple(error.faults)))
    except MemoryError:
        sys.exit(NO_MEMORY)


def _tell(told: Told) -> None:
    text = msgspec.msgpack.encode(told)
    sys.stdout.buffer.write(len(text).to_bytes(LENGTH, "little") + text)
    sys.stdout.buffer.flush()


def _read(file: Path, settings: ExcelSettings, position: Position | None) -> Iterator[Batch]:
    with opened(file) as book:
        names = book.names
        unknown = [one for one in settings.sheets if one not in names]
        if unknown:
            there = f"there are {', '.join(names)}"
            faults = [Fault("there is no such sheet", one, there) for one in unknown]
            raise InvalidInput(f"{file} cannot be read", faults)
        start = position or {"sheet": 0, "row": 0}
        portions = _Portions(max(_MOST_CHARACTERS, most_unpacked(file.stat().st_size)))
        for number, name in enumerate(settings.sheets or names):
            if number < start["sheet"]:
                continue
            rows = _spread(book.rows(name), book.merged(name) if settings.merged else ())
            skip = start["row"] if number == start["sheet"] else 0
            stream = f"{file.name}:{name}" if len(names) > 1 else file.name
            yield from _batches(rows, settings, stream, number, skip, portions)


def _batches(
    rows: Iterator[Numbered],
    settings: ExcelSettings,
    stream: str,
    sheet: int,
    skip: int,
    portions: _Portions,
) -> Iterator[Batch]:
    first = _sample(rows, settings.header or 0)
    if first:
        header, names = _head(first, settings, stream)
        columns = named(names, stream)
        most = max(1, min(_ROWS, _CELLS // len(columns)))
        at = max(skip, header.at + 1)
        if header.above and not skip:
            above = [one for one in first if one[0] in header.above]
            unsure = [_told(row, stream, number + 1, ABOVE) for number, row in above]
            yield Batch([], {"sheet": sheet, "row": at}, tuple(unsure))
        left = (one for one in chain(first, rows) if one[0] >= at)
        while some := portions.next(left, most):
            records, unreadable = [], []
            for number, row in some:
                values = _values(row, columns if settings.columns else row)
                values += [None] * (len(columns) - len(values))
                if is_total(values):
                    unreadable.append(_told(values, stream, number + 1, IS_TOTAL))
                elif any(one is not None for one in values):
                    fields = dict(zip(columns, values, strict=False))
                    if len(values) > len(columns):
                        fields |= _beyond(names, values, stream)
                    records.append(Record(fields, stream, f"row {number + 1}"))
            yield Batch(records, {"sheet": sheet, "row": some[-1][0] + 1}, tuple(unreadable))
    yield Batch([], {"sheet": sheet + 1, "row": 0})


class _Portions:
    """Takes rows by so many texts as a batch may hold, and not more in all than a workbook may.

    Cells share their texts: a small file may name one long text a million times.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._told = 0

    def next(self, rows: Iterator[Numbered], most: int) -> list[Numbered]:
        """The next rows: so many at most, and no more when their texts are long."""
        some: list[Numbered] = []
        characters = 0
        for one in islice(rows, most):
            some.append(one)
            characters += sum(len(cell) for cell in one[1] if cell.__class__ is str)
            if characters > _CHARACTERS:
                break
        self._told += characters
        if self._told > self._most:
            fault = Fault(
                f"has more than {self._most:,} characters in its cells",
                f"row {some[-1][0] + 1}",
                "is it one text in very many cells? Save it as CSV",
            )
            raise InvalidInput("the workbook cannot be read", [fault])
        return some


def _sample(rows: Iterator[Numbered], header: int) -> list[Numbered]:
    """The first rows, as many as it takes to see which names the columns."""
    first: list[Numbered] = []
    for one in rows:
        first.append(one)
        if len(first) >= SAMPLE_ROWS and one[0] + 1 >= header:
            break
    return first


def _beyond(names: Sequence[Any], values: Sequence[Any], stream: str) -> dict[str, Any]:
    """What a row has to the right of the columns that are named."""
    columns = named([*names, *[None] * (len(values) - len(names))], stream)
    found = list(zip(columns, values, strict=True))[len(names) :]
    return {name: value for name, value in found if value is not None}


def _told(cells: Sequence[Any], stream: str, number: int, why: str) -> Unreadable:
    text = "\t".join("" if one is None else str(one) for one in cells)
    return Unreadable(text.encode(), stream, f"row {number}", (why,))


def _head(
    rows: list[Numbered], settings: ExcelSettings, stream: str
) -> tuple[Header, Sequence[Any]]:
    """Which row names the columns (-1: none), and what they are called."""
    if settings.header == 0:
        return Header(-1), settings.columns or [None] * len(rows[0][1])
    if settings.header is None:
        found = header_of([row for _, row in rows])
        header = Header(rows[found.at][0], tuple(rows[one][0] for one in found.above))
    elif settings.header <= rows[-1][0] + 1:
        header = Header(settings.header - 1)
    else:
        raise no_line(Path(stream), settings.header, rows[-1][0] + 1)
    names = dict(rows).get(header.at) or [None] * len(rows[0][1])
    return header, settings.columns or names


def _values(row: Row, most: Sequence[Any]) -> list[Any]:
    return [one if one.__class__ is str and one else _cell(one) for one in islice(row, len(most))]


def _cell(value: Any) -> Any:
    """Whole numbers as such, as Excel knows only one kind; nothing as None."""
    if value.__class__ is float:
        if value.is_integer() and abs(value) < 1 << 53:
            return int(value)
        return value if isfinite(value) else None
    return None if value == "" else plain(value)


def _spread(rows: Iterator[Numbered], ranges: Iterable[Range]) -> Iterator[Numbered]:
    """Give each cell of a merged range down the rows its value; titles across columns stay one cell.

    Rows that have no value are left out.
    """
    # A number for each range: there may be as many as rows.
    begun = [top << 64 | left << 32 | bottom for (top, left), (bottom, right) in ranges
             if left == right and bottom > top]  # fmt: skip
    begun.sort(reverse=True)
    opened: dict[int, tuple[Any, int]] = {}
    at = 0
    for number, row in rows:
        if opened:
            last = min(number - 1, max(bottom for _, bottom in opened.values()))
            for missing in range(at, last + 1):
                yield missing, _filled([], opened, missing)
            _filled(row, opened, number)
        at = number + 1
        while begun and begun[-1] >> 64 <= number:
            one = begun.pop()
            left, bottom = one >> 32 & _HALF, one & _HALF
            if one >> 64 == number and left < len(row) and row[left] not in ("", None):
                opened[left] = (row[left], bottom)
        yield number, row


def _filled(row: Row, opened: dict[int, tuple[Any, int]], number: int) -> Row:
    """The row with the values of merged cells that reach down to it; others end."""
    for column, (value, bottom) in list(opened.items()):
        if number > bottom:
            del opened[column]
            continue
        row += [""] * (column + 1 - len(row))
        row[column] = value
    return row


if __name__ == "__main__":
    main()
