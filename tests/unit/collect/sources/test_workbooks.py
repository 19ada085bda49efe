"""Workbooks that are odd or meant to harm: none takes the process that reads them with it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from onefold.collect.sources.files.formats import read_file, settings_of
from onefold.model.errors import InvalidInput
from onefold.model.pulled import Batch

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKED = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(folder: Path, cells: dict[str, str | int], merged: str = "") -> Path:
    """A workbook of one sheet with these cells (`B2`), and a range that is merged (`A2:A4`)."""
    by_row: dict[int, list[str]] = {}
    for place, value in cells.items():
        body = (
            f'<c r="{place}"><v>{value}</v></c>'
            if isinstance(value, int)
            else f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        )
        by_row.setdefault(int(place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), []).append(body)
    sheet = "".join(f'<row r="{at}">{"".join(row)}</row>' for at, row in by_row.items())
    merge = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    file = folder / "x.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in _parts(sheet, merge).items():
            archive.writestr(name, text)
    return file


def _parts(rows: str, merged: str = "") -> dict[str, str]:
    return {
        "_rels/.rels": f'<Relationships xmlns="{_PACKED}"><Relationship Id="r1"'
        f' Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKED}"><Relationship Id="r1"'
        f' Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>'
        f"{merged}</worksheet>",
    }


def batches(file: Path, position: Any = None, **options: Any) -> list[Batch]:
    return list(read_file(file, "excel", settings_of("excel", options), position))


def rows(file: Path, **options: Any) -> list[dict[str, Any]]:
    return [one.fields for batch in batches(file, **options) for one in batch.records]


def test_a_cell_far_off_is_read_like_any_other(tmp_path: Path) -> None:
    file = workbook(tmp_path, {"A1": "id", "A2": 1, "XFD1048576": "x"})
    assert rows(file) == [{"id": 1}, {"id": None, "column_16384": "x"}]
    (last,) = [one for batch in batches(file) for one in batch.records][1:]
    assert last.place == "row 1048576"


def test_cells_far_off_are_no_way_to_take_all_memory(tmp_path: Path) -> None:
    file = tmp_path / "x.ods"
    office, table = (
        f"urn:oasis:names:tc:opendocument:xmlns:{one}:1.0" for one in ("office", "table")
    )
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    text = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}"><office:body><office:spreadsheet>'
        f'<table:table table:name="A"><table:table-row table:number-rows-repeated="6000">{cell}</table:table-row>'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", text)
        archive.writestr("META-INF/manifest.xml", '<m xmlns="urn:x"/>')
    with pytest.raises(InvalidInput, match=r"needs more memory .*save it as \.xlsx"):
        batches(file)


def test_one_long_text_in_very_many_cells_is_told(tmp_path: Path) -> None:
    file = workbook(tmp_path, {"A1": "id"})
    cell, text = '<c t="s"><v>0</v></c>', "x" * 32_767
    rows = "".join(f"<row>{cell * 1_000}</row>" for _ in range(70))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _parts(rows).items():
            archive.writestr(name, content)
        shared = f'<sst xmlns="{_MAIN}"><si><t>{text}</t></si></sst>'
        archive.writestr("xl/sharedStrings.xml", shared)
    assert file.stat().st_size < 20_000
    read = read_file(file, "excel", settings_of("excel", {"header": 0}), None)
    assert [len(next(read).records) for _ in range(65)] == [1] * 65
    with pytest.raises(InvalidInput, match=r"row 66: has more than 2,147,483,648 characters"):
        next(read)


def test_what_the_reader_of_a_kind_stumbles_over_is_told(tmp_path: Path) -> None:
    def text(value: str) -> bytes:
        return len(value).to_bytes(4, "little") + value.encode("utf-16-le")

    file = tmp_path / "x.xlsb"
    sheet = b"\0\0\0\0\1\0\0\0" + text("rId9") + text("A")
    begin, sheets, end = b"\x83\x01\0\x8f\x01\0", b"\x9c\x01", b"\x90\x01\0\x84\x01\0"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.bin", begin + sheets + bytes([len(sheet)]) + sheet + end)
        archive.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{_PACKED}"/>')
    with pytest.raises(InvalidInput, match=r"cannot be read as it is \(open it and save it as"):
        batches(file)


def test_what_stands_right_of_the_named_columns_is_kept(tmp_path: Path) -> None:
    cells: dict[str, str | int] = {"A1": "id", "B1": "name"}
    cells |= {f"A{n}": n for n in range(2, 300)} | {"D250": "late", "C260": "later"}
    found = {one["id"]: one for one in rows(workbook(tmp_path, cells))}
    assert found[249] == {"id": 249, "name": None}
    assert found[250] == {"id": 250, "name": None, "column_4": "late"}
    assert found[260] == {"id": 260, "name": None, "column_3": "later"}
    assert rows(tmp_path / "x.xlsx", columns=["key"])[248] == {"key": 250}


def test_a_merged_value_reaches_rows_that_are_not_there(tmp_path: Path) -> None:
    cells: dict[str, str | int] = {"A1": "region", "B1": "name", "A2": "North", "B2": "Ann"}
    cells |= {"B5": "Bob", "B9": "Cy"}
    file = workbook(tmp_path, cells, "A2:A7")
    assert [(one["region"], one["name"]) for one in rows(file)] == [
        ("North", "Ann"),
        *[("North", None)] * 2,
        ("North", "Bob"),
        *[("North", None)] * 2,
        (None, "Cy"),
    ]
    file = workbook(tmp_path, cells, "A2:A1048576")
    assert [one["region"] for one in rows(file)] == ["North"] * 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><table><tr><td>id</td></tr></table></html>", r"seems to be a page \(HTML\)"),
        (b"id\tname\n1\tAnn\n", "seems to be text .try --format csv"),
        (b"", "is empty"),
        (b"PK\x03\x04 cut off", "x.xls"),
    ],
)
def test_what_is_only_called_a_workbook_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "x.xls"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        batches(file)


def test_cells_keep_their_columns_where_the_first_are_empty_and_some_merged(tmp_path: Path) -> None:
    cells: dict[str, str | int] = {"B3": "region", "C3": "name", "B4": "North", "C4": "Ann"}
    cells |= {"C5": "Bob", "C6": "Cy", "B7": "South", "C7": "Dora"}
    file = workbook(tmp_path, cells, "B4:B6")
    assert [(one["region"], one["name"]) for one in rows(file)] == [
        ("North", "Ann"),
        ("North", "Bob"),
        ("North", "Cy"),
        ("South", "Dora"),
    ]
    assert [one["region"] for one in rows(file, merged=False)] == ["North", None, None, "South"]


def test_names_that_stand_twice_lose_no_row(tmp_path: Path) -> None:
    file = workbook(tmp_path, {"A1": "name", "B1": "mail", "C1": "mail", "A2": "Ann", "B2": "a@x"})
    assert rows(file) == [{"name": "Ann", "mail": "a@x", "mail_2": None}]


def test_a_line_of_names_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"header: 9: there is no such line \(it has 2\)"):
        batches(workbook(tmp_path, {"A1": "id", "A2": 1}), header=9)


def test_a_workbook_goes_on_from_every_position(tmp_path: Path) -> None:
    cells: dict[str, str | int] = {"A1": "id", "B1": "name"}
    for n in range(2, 12_002):
        cells |= {f"A{n}": n, f"B{n}": f"n{n}"}
    every = batches(workbook(tmp_path, cells, "B3:B9"))
    assert sum(len(one.records) for one in every) == 12_000
    for at, batch in enumerate(every):
        rest = batches(tmp_path / "x.xlsx", batch.position)
        assert [one for two in rest for one in two.records] == [
            one for two in every[at + 1 :] for one in two.records
        ]


def test_cells_that_libreoffice_merged_have_their_value_in_each_row() -> None:
    file = Path(__file__).parent / "libreoffice" / "merged.ods"
    assert [one["region"] for one in rows(file)] == ["North", "North", "North", "South"]
    assert [one["region"] for one in rows(file, merged=False)] == ["North", None, None, "South"]
