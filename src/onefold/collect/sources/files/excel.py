"""Excel and OpenDocument sheets. Cells are read as they were last shown; no formula is ever evaluated."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

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
from onefold.collect.sources.files.plain import plain
from onefold.model.errors import Fault, InvalidInput, TooLarge
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS, _CELLS = 5_000, 200_000
_MOST_BYTES = 2 << 30
"""Of a workbook, unpacked: sheets are held in memory."""


class ExcelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a workbook is read: `sheets` by name, all without; `header` as the row's number in the sheet.

    Merged cells have their value in each cell of the range, unless `merged` is false.
    """

    sheets: tuple[str, ...] = ()
    header: Annotated[int, msgspec.Meta(ge=0)] | None = None
    columns: tuple[str, ...] = ()
    merged: bool = True


def read(file: Path, settings: ExcelSettings, position: Position | None) -> Iterator[Batch]:
    """The rows of all sheets."""
    import python_calamine as calamine  # noqa: PLC0415 - needed only for such files

    _refuse_bomb(file)
    try:
        book = calamine.CalamineWorkbook.from_path(str(file))
    except (calamine.CalamineError, OSError) as error:
        raise InvalidInput(f"{file} cannot be read", [Fault(str(error), file.name)]) from error
    unknown = [one for one in settings.sheets if one not in book.sheet_names]
    if unknown:
        there = f"there are {', '.join(book.sheet_names)}"
        faults = [Fault("there is no such sheet", one, there) for one in unknown]
        raise InvalidInput(f"{file} cannot be read", faults)
    start = position or {"sheet": 0, "row": 0}
    chosen = settings.sheets or tuple(book.sheet_names)
    for number, name in enumerate(chosen):
        if number < start["sheet"]:
            continue
        sheet = book.get_sheet_by_name(name)
        rows = sheet.to_python(skip_empty_area=False)
        if settings.merged:
            _spread(rows, getattr(sheet, "merged_cell_ranges", None) or ())
        skip = start["row"] if number == start["sheet"] else 0
        stream = f"{file.name}:{name}" if len(book.sheet_names) > 1 else file.name
        yield from _batches(rows, settings, stream, number, skip)


def _batches(
    rows: list[list[Any]], settings: ExcelSettings, stream: str, sheet: int, skip: int
) -> Iterator[Batch]:
    if not any(any(cell not in ("", None) for cell in row) for row in rows):
        yield Batch([], {"sheet": sheet + 1, "row": 0})
        return
    above, names, unsure = _head(rows, settings, stream)
    columns = named(names, stream)
    most = max(1, min(_ROWS, _CELLS // len(columns)))
    start = max(skip, above)
    if unsure and not skip:
        yield Batch([], {"sheet": sheet, "row": start}, unsure)
    for first in range(start, len(rows), most):
        records, unreadable = [], []
        for number, row in enumerate(rows[first : first + most], first + 1):
            values = _values(row, len(columns))
            if is_total(values):
                unreadable.append(_told(values, stream, number, IS_TOTAL))
            elif any(one is not None for one in values):
                fields = dict(zip(columns, values, strict=True))
                records.append(Record(fields, stream, f"row {number}"))
        yield Batch(records, {"sheet": sheet, "row": first + most}, tuple(unreadable))
    yield Batch([], {"sheet": sheet + 1, "row": 0})


def _told(cells: Sequence[Any], stream: str, number: int, why: str) -> Unreadable:
    text = "\t".join("" if one is None else str(one) for one in cells)
    return Unreadable(text.encode(), stream, f"row {number}", (why,))


def _head(
    rows: list[list[Any]], settings: ExcelSettings, stream: str
) -> tuple[int, Sequence[Any], tuple[Unreadable, ...]]:
    """How many rows stand above the data, what its columns are called, and what of the rows may be data."""
    if settings.header == 0:
        return 0, settings.columns or [None] * max(map(len, rows)), ()
    if settings.header is None:
        header = header_of(rows[:SAMPLE_ROWS])
    elif settings.header <= len(rows):
        header = Header(settings.header - 1)
    else:
        raise no_line(Path(stream), settings.header, len(rows))
    told = tuple(_told(rows[one], stream, one + 1, ABOVE) for one in header.above)
    return header.at + 1, settings.columns or rows[header.at], told


def _values(row: list[Any], width: int) -> list[Any]:
    cells = [_cell(one) for one in row[:width]]
    return cells + [None] * (width - len(cells))


def _cell(value: Any) -> Any:
    """Whole numbers as such, as Excel knows only one kind; nothing as None."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return None if value == "" else plain(value)


def _spread(rows: list[list[Any]], ranges: Sequence[Any]) -> None:
    """Give each cell of a merged range down the rows its value; titles across columns stay one cell."""
    for (top, left), (bottom, right) in ranges:
        if bottom >= len(rows) or left != right:
            continue
        value = rows[top][left]
        for row in rows[top + 1 : bottom + 1]:
            row[left] = value


def _refuse_bomb(file: Path) -> None:
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as packed:
        size = sum(one.file_size for one in packed.infolist())
    if size > _MOST_BYTES:
        fault = Fault(f"is {size:,} bytes unpacked; {_MOST_BYTES:,} are read", file.name)
        raise TooLarge(f"{file} is not read", [fault])
