"""The process that reads a workbook: cells as they were last shown; no formula is ever evaluated."""

from __future__ import annotations

import resource
import sys
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect.sources.files.excel import LENGTH, Asked, ExcelSettings, Told
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
from onefold.collect.sources.files.open_document import merged_down
from onefold.collect.sources.files.plain import plain
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS, _CELLS = 5_000, 200_000
_MOST_MEMORY = 2 << 30
Row = list[Any]
Ranges = Sequence[tuple[tuple[int, int], tuple[int, int]]]


def main() -> None:
    """Answer with the batches of the workbook that is asked for."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = _MOST_MEMORY if limit == resource.RLIM_INFINITY else min(_MOST_MEMORY, limit)
    resource.setrlimit(resource.RLIMIT_AS, (most, limit))
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    try:
        for batch in _read(Path(asked.file), asked.settings, asked.position):
            _tell(Told(batch))
        _tell(Told())
    except InvalidInput as error:
        _tell(Told(failed=error.message, faults=tuple(error.faults)))


def _tell(told: Told) -> None:
    text = msgspec.msgpack.encode(told)
    sys.stdout.buffer.write(len(text).to_bytes(LENGTH, "little") + text)
    sys.stdout.buffer.flush()


def _read(file: Path, settings: ExcelSettings, position: Position | None) -> Iterator[Batch]:
    import python_calamine as calamine  # noqa: PLC0415 - takes memory, which is bounded only now

    try:
        book = calamine.CalamineWorkbook.from_path(str(file))
        unknown = [one for one in settings.sheets if one not in book.sheet_names]
        if unknown:
            there = f"there are {', '.join(book.sheet_names)}"
            faults = [Fault("there is no such sheet", one, there) for one in unknown]
            raise InvalidInput(f"{file} cannot be read", faults)
        start = position or {"sheet": 0, "row": 0}
        merged = merged_down(file) if settings.merged else {}
        chosen = settings.sheets or tuple(book.sheet_names)
        for number, name in enumerate(chosen):
            if number < start["sheet"]:
                continue
            sheet = book.get_sheet_by_name(name)
            ranges = (settings.merged and sheet.merged_cell_ranges) or merged.get(name)
            # Rows come without the columns that are empty on their left.
            beside = [""] * (sheet.start[1] if sheet.start else 0)
            rows = _spread(([*beside, *row] for row in sheet.iter_rows()), ranges or ())
            skip = start["row"] if number == start["sheet"] else 0
            stream = f"{file.name}:{name}" if len(book.sheet_names) > 1 else file.name
            yield from _batches(rows, settings, stream, number, skip)
    except (calamine.CalamineError, zipfile.BadZipFile, SyntaxError, ValueError, OSError) as error:
        raise InvalidInput(f"{file} cannot be read", [Fault(str(error), file.name)]) from error


def _batches(
    rows: Iterator[Row], settings: ExcelSettings, stream: str, sheet: int, skip: int
) -> Iterator[Batch]:
    first = list(islice(rows, max(SAMPLE_ROWS, settings.header or 0)))
    if any(cell not in ("", None) for row in first for cell in row):
        header, names = _head(first, settings, stream)
        columns = named(names, stream)
        most = max(1, min(_ROWS, _CELLS // len(columns)))
        at = max(skip, header.at + 1)
        if header.above and not skip:
            unsure = [_told(first[one], stream, one + 1, ABOVE) for one in header.above]
            yield Batch([], {"sheet": sheet, "row": at}, tuple(unsure))
        left = islice(chain(first, rows), at, None)
        while some := list(islice(left, most)):
            records, unreadable = [], []
            for number, row in enumerate(some, at + 1):
                values = _values(row, len(columns))
                if is_total(values):
                    unreadable.append(_told(values, stream, number, IS_TOTAL))
                elif any(one is not None for one in values):
                    fields = dict(zip(columns, values, strict=True))
                    records.append(Record(fields, stream, f"row {number}"))
            at += len(some)
            yield Batch(records, {"sheet": sheet, "row": at}, tuple(unreadable))
    yield Batch([], {"sheet": sheet + 1, "row": 0})


def _told(cells: Sequence[Any], stream: str, number: int, why: str) -> Unreadable:
    text = "\t".join("" if one is None else str(one) for one in cells)
    return Unreadable(text.encode(), stream, f"row {number}", (why,))


def _head(rows: list[Row], settings: ExcelSettings, stream: str) -> tuple[Header, Sequence[Any]]:
    """Which row names the columns (-1: none), and what they are called."""
    if settings.header == 0:
        return Header(-1), settings.columns or [None] * max(map(len, rows))
    if settings.header is None:
        header = header_of(rows)
    elif settings.header <= len(rows):
        header = Header(settings.header - 1)
    else:
        raise no_line(Path(stream), settings.header, len(rows))
    return header, settings.columns or rows[header.at]


def _values(row: list[Any], width: int) -> list[Any]:
    cells = [_cell(one) for one in row[:width]]
    return cells + [None] * (width - len(cells))


def _cell(value: Any) -> Any:
    """Whole numbers as such, as Excel knows only one kind; nothing as None."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return None if value == "" else plain(value)


def _spread(rows: Iterator[Row], ranges: Ranges) -> Iterator[Row]:
    """Give each cell of a merged range down the rows its value; titles across columns stay one cell."""
    begun: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, right) in ranges:
        if left == right:
            begun.setdefault(top, []).append((left, bottom))
    open_ones: dict[int, tuple[Any, int]] = {}
    for number, row in enumerate(rows):
        for column, (value, bottom) in list(open_ones.items()):
            if number > bottom:
                del open_ones[column]
            elif column < len(row):
                row[column] = value
        for left, bottom in begun.get(number, ()):
            if left < len(row):
                open_ones[left] = (row[left], bottom)
        yield row


if __name__ == "__main__":
    main()
