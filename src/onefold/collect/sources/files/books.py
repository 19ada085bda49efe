"""Workbooks of every kind, each opened with what reads it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from onefold.collect.sources.files.open_document import Range, merged_down
from onefold.collect.sources.files.open_xml import OpenXmlBook
from onefold.collect.sources.files.sheet_rows import Numbered
from onefold.collect.sources.files.unpacking import BROKEN
from onefold.model.errors import Fault, InvalidInput


class Book(Protocol):
    """A workbook."""

    @property
    def names(self) -> Sequence[str]:
        """What its sheets are called, in their order."""
        ...

    def rows(self, name: str) -> Iterator[Numbered]:
        """The rows of a sheet that have a value, from the top."""
        ...

    def merged(self, name: str) -> Iterable[Range]:
        """The ranges of cells of a sheet that are one cell."""
        ...


@contextmanager
def opened(file: Path) -> Iterator[Book]:
    """The workbook in a file; what is wrong with it, now or later, is told of the file."""
    import python_calamine as calamine  # noqa: PLC0415 - takes memory, which is bounded only now

    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                if book := OpenXmlBook.of(packed):
                    with closing(book):
                        yield book
                    return
        yield HeldBook(file)
    except InvalidInput as error:
        faults = [Fault(one.message, one.where or file.name, one.hint) for one in error.faults]
        raise InvalidInput(f"{file} cannot be read", faults) from error
    except (calamine.CalamineError, SyntaxError, ValueError, *BROKEN) as error:
        raise InvalidInput(f"{file} cannot be read", [Fault(str(error), file.name)]) from error


class HeldBook:
    """A workbook of another kind (.xls, .xlsb, .ods): a sheet at a time is held in memory."""

    def __init__(self, file: Path) -> None:
        import python_calamine as calamine  # noqa: PLC0415

        self._book = calamine.CalamineWorkbook.from_path(str(file))
        self._merged = merged_down(file)
        self._sheet: tuple[str, Any] = ("", None)

    @property
    def names(self) -> Sequence[str]:
        """What its sheets are called."""
        return self._book.sheet_names

    def rows(self, name: str) -> Iterator[Numbered]:
        """The rows of a sheet that have a value."""
        sheet = self._held(name)
        if sheet.start is None:
            return
        # Rows come without the columns that are empty on their left.
        beside = [""] * sheet.start[1]
        for number, row in enumerate(sheet.iter_rows()):
            if any(one != "" for one in row):
                yield number, [*beside, *row]

    def merged(self, name: str) -> Iterable[Range]:
        """The ranges of cells of a sheet that are one cell."""
        return self._held(name).merged_cell_ranges or self._merged.get(name, ())

    def _held(self, name: str) -> Any:
        if self._sheet[0] != name or self._sheet[1] is None:
            self._sheet = ("", None)
            self._sheet = (name, self._book.get_sheet_by_name(name))
        return self._sheet[1]
