"""Merged cells of OpenDocument sheets, of which the reader of workbooks tells nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

Range = tuple[tuple[int, int], tuple[int, int]]
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CONTENT, _SPANNED = "content.xml", b"number-rows-spanned"
_PIECE = 1 << 20


def merged_down(file: Path) -> dict[str, list[Range]]:
    """The cells of each sheet that are merged down the rows: where they begin, and where they end."""
    if file.suffix.lower() != ".ods" or not zipfile.is_zipfile(file):
        return {}
    with zipfile.ZipFile(file) as packed:
        if _CONTENT not in packed.namelist():
            return {}
        with packed.open(_CONTENT) as content:
            if not _has(content):
                return {}
        with packed.open(_CONTENT) as content:
            return _found(content)


def _has(content: IO[bytes]) -> bool:
    """Is anything merged? Most sheets need not be read twice."""
    before = b""
    while piece := content.read(_PIECE):
        if _SPANNED in before + piece:
            return True
        before = piece[-len(_SPANNED) :]
    return False


def _found(content: IO[bytes]) -> dict[str, list[Range]]:
    from lxml import etree  # noqa: PLC0415 - needed only for such sheets

    found: dict[str, list[Range]] = {}
    ranges: list[Range] = []
    row = 0
    events = etree.iterparse(
        content,
        events=("start", "end"),
        tag=[f"{_TABLE}table", f"{_TABLE}table-row"],
        resolve_entities=False,
        no_network=True,
    )
    for event, element in events:
        if element.tag == f"{_TABLE}table":
            if event == "start":
                ranges, row = [], 0
                found[element.get(f"{_TABLE}name", "")] = ranges
        elif event == "end":
            column = 0
            for cell in element:
                down = int(cell.get(f"{_TABLE}number-rows-spanned", 1))
                across = int(cell.get(f"{_TABLE}number-columns-spanned", 1))
                if down > 1:
                    ranges.append(((row, column), (row + down - 1, column + across - 1)))
                column += int(cell.get(f"{_TABLE}number-columns-repeated", 1))
            row += int(element.get(f"{_TABLE}number-rows-repeated", 1))
            element.clear()
    return found
