"""Workbooks in Office Open XML (.xlsx, .xlsm), a row at a time, in as much memory whatever their size."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import IO

from onefold.collect.sources.files.kept_texts import KeptTexts
from onefold.collect.sources.files.open_document import Range
from onefold.collect.sources.files.sheet_rows import Numbered, Rows, column_of
from onefold.collect.sources.files.sheet_values import Value, value_of
from onefold.collect.sources.files.sheet_xml import SharedTexts, elements
from onefold.collect.sources.files.xml_text import local, parsed, refuse_type
from onefold.model.errors import Fault, InvalidInput

_TOP = "_rels/.rels"
_NOT_SHEETS = ("chartsheet", "dialogsheet")
_PIECE = 1 << 20
_LONGEST_TAG = 1 << 10
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']", re.IGNORECASE
)


class OpenXmlBook:
    """A workbook: its sheets by name, and the rows of each."""

    def __init__(self, packed: zipfile.ZipFile, workbook: str) -> None:
        self._packed = packed
        self._parts = _parts(packed)
        kinds = dict(self._related(workbook).values())
        self._texts = _beside(workbook, kinds.get("sharedStrings", "sharedStrings.xml"))
        self._kept: KeptTexts | None = None
        self._sheets, from_1904 = self._told(workbook)
        styles = _beside(workbook, kinds.get("styles", "styles.xml"))
        self._values = self._formats(styles, from_1904) if styles.lower() in self._parts else {}

    @classmethod
    def of(cls, packed: zipfile.ZipFile) -> OpenXmlBook | None:
        """The workbook in an archive, if it is one."""
        if _TOP not in _parts(packed):
            return None
        with packed.open(_parts(packed)[_TOP]) as source:
            for name, about in _tags(source):
                kind = about.get("Type", "")
                target = about.get("Target", "").lstrip("/")
                is_book = name == "Relationship" and kind.endswith("/relationships/officeDocument")
                if is_book and target.lower().endswith(".xml"):
                    return cls(packed, target)
        return None

    def close(self) -> None:
        """Remove what was kept on disk."""
        if self._kept is not None:
            self._kept.close()

    @property
    def names(self) -> list[str]:
        """What its sheets are called, in their order; charts are none."""
        return list(self._sheets)

    def rows(self, name: str) -> Iterator[Numbered]:
        """The rows of a sheet that have a cell."""
        if self._kept is None:
            self._kept = KeptTexts(self._shared())
        at = -1
        with self._open(self._sheets[name]) as sheet:
            for told, row in elements(sheet, Rows(self._kept.told, self._values)):
                at = max(at + 1, int(told or 0) - 1)
                if row:
                    yield at, row

    def merged(self, name: str) -> Iterator[Range]:
        """The ranges of cells that are merged: they stand behind the rows, so all is looked through."""
        before = b""
        with self._open(self._sheets[name]) as sheet:
            while piece := sheet.read(_PIECE):
                before += piece
                if b"mergeCell" not in before:
                    before = before[-_LONGEST_TAG:]
                    continue
                end = before.rfind(b">") + 1
                for left, top, right, bottom in _MERGED.findall(before[:end]):
                    begins = int(top) - 1, column_of(left.decode())
                    yield begins, (int(bottom) - 1, column_of(right.decode()))
                before = before[end:][-_LONGEST_TAG:]

    def _shared(self) -> Iterator[str]:
        if self._texts.lower() in self._parts:
            with self._open(self._texts) as source:
                yield from elements(source, SharedTexts())

    def _told(self, workbook: str) -> tuple[dict[str, str], bool]:
        """Where each sheet lies, and whether its days count from 1904."""
        related = self._related(workbook)
        sheets: dict[str, str] = {}
        from_1904 = False
        with self._open(workbook) as source:
            for tag, about in _tags(source):
                if tag == "workbookPr":
                    from_1904 = about.get("date1904", "") in ("1", "true")
                elif tag == "sheet":
                    key = next((one for name, one in about.items() if local(name) == "id"), "")
                    if not key:  # a module of macros, which is written as a sheet
                        continue
                    kind, target = related.get(key, ("", ""))
                    if not target:
                        raise _broken(f"does not say where its sheet {about.get('name')!r} lies")
                    if kind not in _NOT_SHEETS:
                        sheets[about.get("name", "")] = _beside(workbook, target)
        return sheets, from_1904

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part names, by the name it gives to it: of which kind, and where."""
        folder, name = posixpath.split(part)
        with self._open(posixpath.join(folder, "_rels", f"{name}.rels")) as source:
            return {
                about.get("Id", ""): (about.get("Type", "").rpartition("/")[2], about["Target"])
                for tag, about in _tags(source)
                if tag == "Relationship" and "Target" in about
            }

    def _formats(self, styles: str, from_1904: bool) -> dict[str, Value]:
        """What makes values of numbers, by the number of their cells' format; others stay numbers."""
        codes: dict[str, str] = {}
        found: dict[str, Value] = {}
        place = ""
        count = 0
        with self._open(styles) as source:
            for tag, about in _tags(source):
                if tag in ("numFmts", "cellXfs", "cellStyleXfs", "dxfs"):
                    place = tag
                elif tag == "numFmt" and place == "numFmts":
                    codes[about.get("numFmtId", "")] = about.get("formatCode", "")
                elif tag == "xf" and place == "cellXfs":
                    given = about.get("numFmtId", "0")
                    make = value_of(int(given), codes.get(given), from_1904)
                    if make is not None:
                        found[str(count)] = make
                    count += 1
        return found

    def _open(self, part: str) -> IO[bytes]:
        path = self._parts.get(part.lstrip("/").lower())
        if path is None:
            raise _broken(f"has no part {part!r}")
        return self._packed.open(path)


def _parts(packed: zipfile.ZipFile) -> dict[str, str]:
    """The names in an archive, as a workbook may mean them."""
    return {one.replace("\\", "/").lstrip("/").lower(): one for one in packed.namelist()}


def _beside(part: str, target: str) -> str:
    """Where a part lies that another one names: from the top (`/xl/…`), or from its own folder."""
    path = posixpath.join("/", posixpath.dirname(part), target)
    return posixpath.normpath(path).lstrip("/")


def _tags(source: IO[bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements of a small part: their names and attributes."""
    for number_of, (_, element) in enumerate(parsed(source, ("start",))):
        if not number_of:
            refuse_type(element)
        yield local(element.tag), dict(element.attrib)


def _broken(why: str) -> InvalidInput:
    return InvalidInput("the workbook cannot be read", [Fault(why)])
