"""Readers of files: each record as it stands, every row accounted for, going on from any position."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.collect.sources.files.encodings import encoding_of
from onefold.collect.sources.files.formats import FORMATS, format_of, read_file, settings_of
from onefold.model.errors import InvalidInput
from onefold.model.mapping import FILE_TYPES
from onefold.model.pulled import Batch, Record, Unreadable

MADE = Path(__file__).parent / "libreoffice"


def batches(file: Path, position: Any = None, **settings: Any) -> list[Batch]:
    kind = settings.pop("kind", None) or format_of(file)
    return list(read_file(file, kind, settings_of(kind, settings), position))


def records(file: Path, **settings: Any) -> list[Record]:
    return [one for batch in batches(file, **settings) for one in batch.records]


def fields(file: Path, **settings: Any) -> list[dict[str, Any]]:
    return [one.fields for one in records(file, **settings)]


def unreadable(file: Path, **settings: Any) -> list[Unreadable]:
    return [one for batch in batches(file, **settings) for one in batch.unreadable]


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
def test_workbooks_of_libreoffice(suffix: str) -> None:
    found = records(MADE / f"customers.{suffix}")
    assert [(one.stream, one.place) for one in found] == [
        (f"customers.{suffix}:客户", "row 4"),
        (f"customers.{suffix}:客户", "row 5"),
        (f"customers.{suffix}:客户", "row 6"),
        (f"customers.{suffix}:Orders", "row 2"),
    ]
    first, second, third, order = (one.fields for one in found)
    assert first == {
        "地区": "北京", "编号": "00123", "姓名": "张伟", "生日": "1987-03-14", "金额": 1200,
    }  # fmt: skip
    if suffix != "ods":  # its merged cells are not told
        assert second["地区"] == "北京"
    assert (second["编号"], second["生日"], second["金额"]) == ("00124", "1990-12-31", 99.5)
    assert (third["编号"], third["生日"], third["金额"]) == (125, None, 1299.5)
    assert order == {"order": "A-1", "customer": "00123"}


def test_one_sheet_is_chosen_and_an_unknown_one_is_told() -> None:
    assert len(records(MADE / "customers.xlsx", sheets=["Orders"])) == 1
    with pytest.raises(InvalidInput, match="客户, Orders, Empty"):
        records(MADE / "customers.xlsx", sheets=["Kunden"])


@pytest.mark.parametrize(
    ("name", "encoding", "name_column", "expected"),
    [
        ("customers-gb18030.csv", "gb18030", "姓名", "欧阳娜娜"),
        ("japan-shift-jis.csv", "cp932", "名前", "さくらカナ"),
        ("taiwan-big5.csv", "cp950", "姓名", "歐陽娜娜"),
        ("customers-utf16.tsv", "utf-16", "姓名", "欧阳娜娜"),
    ],
)
def test_text_files_of_libreoffice(
    name: str, encoding: str, name_column: str, expected: str
) -> None:
    assert encoding_of(MADE / name) == encoding
    found = fields(MADE / name)
    assert [one[name_column] for one in found][1] == expected
    assert len(found) == 3, "the title row is no record, and an embedded line end ends none"
    assert "\n" in found[2][name_column]


def test_a_european_file_of_libreoffice() -> None:
    found = fields(MADE / "kunden-cp1252.csv")
    assert found == [
        {"Nr": "007", "Name": "Jörg Müller", "Straße; Ort": "Königsallee 5; Düsseldorf"},
        {"Nr": "008", "Name": "Zoë Größ", "Straße; Ort": "=1+1"},
    ]


def test_every_row_is_a_record_or_told_with_its_reason(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(
        b'id,name\n1,Ann\n2,"Bob\nLee"\n3,x,y\n4\n5,"open\n6,"a" b\n7,"q"z\n\n8,Kim,,\nTotal: 7\n'
    )
    assert fields(file) == [
        {"id": "1", "name": "Ann"},
        {"id": "2", "name": "Bob\nLee"},
        {"id": "6", "name": "a b"},
        {"id": "7", "name": "qz"},
        {"id": "8", "name": "Kim"},
    ]
    assert [(one.place, one.raw, one.reasons[0]) for one in unreadable(file)] == [
        ("row 3", b"3,x,y\n", "has 3 values, and there are 2 columns"),
        ("row 4", b"4\n", "has 1 value, and there are 2 columns"),
        ("row 5", b'5,"open\n', "opens a quote that is not closed"),
        ("row 9", b"Total: 7\n", "has 1 value, and there are 2 columns"),
    ]
    taken = fields(file, short_rows="take")
    assert {"id": "4", "name": ""} in taken


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "quoted"])
def test_totals_below_a_table_are_told_and_people_called_so_are_not(
    tmp_path: Path, quote: str
) -> None:
    file = tmp_path / "x.csv"
    rows = ["id,name,spent,city", f"1,{quote}Ann{quote},3,Bonn", "Total,Sum,4,Essen", "合计,,7.00,"]
    file.write_text("\n".join([*rows, ",小计：,,", ",Total Ltd,,"]) + "\n")

    assert [one["name"] for one in fields(file)] == ["Ann", "Sum", "Total Ltd"]
    reason = "is a total of the rows, not a record"
    assert [(one.place, one.raw.decode(), one.reasons) for one in unreadable(file)] == [
        ("row 3", "合计,,7.00,\n", (reason,)),
        ("row 4", ",小计：,,\n", (reason,)),
    ]


def test_totals_below_a_sheet_are_told(tmp_path: Path) -> None:
    file = workbook(tmp_path, [["id", "name", "spent"], [1, "Ann", 3], ["Summe", "", ""]])

    assert [one["id"] for one in fields(file)] == [1]
    (found,) = unreadable(file)
    assert (found.place, found.raw) == ("row 3", b"Summe\t\t")


def test_totals_below_columns_of_fixed_width_are_told(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("id    name  city\n1     Ann   Bonn\nTotal     1\n")

    found = batches(file, kind="fixed")

    assert [one.fields["id"] for batch in found for one in batch.records] == ["1"]
    assert [one.raw for batch in found for one in batch.unreadable] == [b"Total     1\n"]


def workbook(folder: Path, rows: list[list[Any]]) -> Path:
    """The least that is a workbook of one sheet."""
    cells = [
        [
            f"<c><v>{one}</v></c>"
            if isinstance(one, int)
            else f'<c t="inlineStr"><is><t>{one}</t></is></c>'
            for one in row
        ]
        for row in rows
    ]
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = "http://schemas.openxmlformats.org/package/2006/relationships"
    below = "".join(f"<row>{''.join(row)}</row>" for row in cells)
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{packed}"><Relationship Id="r1"'
        f' Type="{related}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{related}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packed}"><Relationship Id="r1"'
        f' Type="{related}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{below}</sheetData></worksheet>',
    }
    file = folder / "x.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file


def test_rows_that_are_not_of_the_encoding_are_told_with_their_bytes(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes("id,name\n1,张\n2,".encode("gb18030") + b"\xff\xfe\n3,a\n")
    assert [one["id"] for one in fields(file, encoding="gb18030")] == ["1", "3"]
    (found,) = unreadable(file, encoding="gb18030")
    assert (found.raw, found.place) == (b"2,\xff\xfe\n", "row 2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "gb18030", "big5", "cp932"])
def test_a_text_file_goes_on_from_every_position(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "x.csv"
    text = "".join(f'{n},"山\n田{n}",{"x" * (n * 7 % 900)}\n' for n in range(12_000))
    file.write_text(f"id,name,note\n{text}", encoding=encoding)
    every = batches(file, encoding=encoding)
    assert sum(len(one.records) for one in every) == 12_000
    for at, batch in enumerate(every):
        rest = batches(file, batch.position, encoding=encoding)
        assert [one for two in rest for one in two.records] == [
            one for two in every[at + 1 :] for one in two.records
        ]


def test_rows_in_are_rows_out_whatever_is_in_them(tmp_path: Path) -> None:
    draw = random.Random(7)
    pieces = ["a", "1,5", '"', "\n", ",", "é", " ", '""', ";", "\t", "x" * 30]
    rows = [
        ["".join(draw.choices(pieces, k=draw.randint(1, 6))) for _ in range(4)] for _ in range(999)
    ]
    file = tmp_path / "x.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows([["w", "x", "y", "z"], *rows])
    found = fields(file, delimiter=",", header=1)
    assert [list(one.values()) for one in found] == rows


def test_ten_thousand_columns(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    names = [f"c{n}" for n in range(10_000)]
    file.write_text("\n".join(",".join(row) for row in [names, *[["1"] * 10_000] * 500]) + "\n")
    every = batches(file)
    assert sum(len(one.records) for one in every) == 500
    assert max(len(one.records) for one in every) <= 60, "few at a time"
    assert list(every[0].records[0].fields)[-1] == "c9999"


def test_fixed_width_by_characters_bytes_and_spaces(tmp_path: Path) -> None:
    file = tmp_path / "x.fwf"
    file.write_text("id   name      city\n1    Ann       Bonn\n22   Bob Lee   New York\n")
    assert fields(file)[1] == {"id": "22", "name": "Bob Lee", "city": "New York"}
    file.write_bytes("001张伟  上海\n002李娜娜北京\n".encode("gb18030"))
    said = {"widths": [3, 6, 4], "count": "bytes", "header": 0, "columns": ["id", "name", "city"]}
    assert fields(file, encoding="gb18030", **said) == [
        {"id": "001", "name": "张伟", "city": "上海"},
        {"id": "002", "name": "李娜娜", "city": "北京"},
    ]


ORDERS = [
    {"id": n, "customer": {"mail": f"m{n}@x.com"}, "lines": [{"sku": "a"}, {"sku": "b, [c] {"}]}
    for n in range(3)
]


@pytest.mark.parametrize("shape", ["lines", "list", "within"])
def test_json_with_parents_and_children(tmp_path: Path, shape: str) -> None:
    file = tmp_path / "orders.json"
    if shape == "lines":
        file.write_text("\n".join(map(json.dumps, ORDERS)) + "\n\n")
    elif shape == "list":
        file.write_text(json.dumps(ORDERS, indent=1))
    else:
        file.write_text(json.dumps({"meta": {"tags": ["x"]}, "data": {"orders": ORDERS}, "n": 3}))
    path = {"records": "data.orders"} if shape == "within" else {}
    found = records(file, children=["lines"], **path)
    assert len(found) == 9
    assert found[0].fields == {"id": 0, "customer": {"mail": "m0@x.com"}}
    assert found[2].stream == "orders.json/lines"
    assert found[2].place == "record 1, lines 2"
    assert found[2].fields == {"sku": "b, [c] {", "parent": found[0].fields}


def test_a_broken_json_record_costs_no_other(tmp_path: Path) -> None:
    file = tmp_path / "x.ndjson"
    file.write_text('{"a": 1}\n{"a": \n[1]\n{"a": 2}\n')
    assert fields(file) == [{"a": 1}, {"a": 2}]
    assert [one.place for one in unreadable(file)] == ["record 2", "record 3"]
    file = tmp_path / "x.json"
    file.write_text('[{"a": 1}, {"a": nope}, {"a": 2}, {"a": "cut')
    assert fields(file) == [{"a": 1}, {"a": 2}]
    assert len(unreadable(file)) == 2


def test_json_goes_on_from_every_position(tmp_path: Path) -> None:
    rows = [{"id": n, "note": '"[{,' * (n % 90)} for n in range(12_000)]
    for name, text in (
        ("a.json", json.dumps(rows)),
        ("b.ndjson", "\n".join(map(json.dumps, rows))),
    ):
        file = tmp_path / name
        file.write_text(text)
        every = batches(file)
        assert len(every) > 2
        for at, batch in enumerate(every):
            rest = [one for two in batches(file, batch.position) for one in two.records]
            assert rest == [one for two in every[at + 1 :] for one in two.records]


XML = """<?xml version="1.0" encoding="{}"?>
<c:list xmlns:c="urn:x" xmlns="urn:y"><!-- all --><c:meta/>
<customer id="1"><name>张 &amp; <![CDATA[<伟>]]></name><tag>a</tag><tag>b</tag><empty/>
  <lines><line sku="x">2</line><line sku="y"/></lines></customer>
<customer id="2"><name>Bob</name></customer></c:list>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "GB18030"])
def test_xml_with_namespaces_and_cdata(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(XML.format(encoding).encode(encoding))
    found = records(file, children=["lines.line"])
    assert [one.fields.get("@id", one.fields.get("@sku")) for one in found] == ["1", "x", "y", "2"]
    assert found[0].fields["name"] == "张 & <伟>"
    assert found[0].fields["tag"] == ["a", "b"]
    assert found[0].fields["empty"] is None
    assert found[1].fields["text"] == "2"
    assert fields(file, records="list/customer") == fields(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_xml_with_a_document_type_is_refused(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "x.xml"
    bomb = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>&x;</b><b/></a>'
    file.write_text(bomb, encoding=encoding)
    with pytest.raises(InvalidInput, match="document type"):
        records(file)


def test_a_document_type_far_behind_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    secret = tmp_path / "secret"
    secret.write_text("secret")
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret}">]>'
    file.write_text(f"<!--{'x' * 100_000}-->{entity}<a><b>&x;</b><b>&x;</b></a>")
    assert "secret" not in str(batches(file))
    assert [one.reasons[0] for one in unreadable(file)] == [
        "has a document type (DTD), which is refused"
    ]


def test_xml_that_ends_in_the_middle_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_text("<l><c><a>1</a></c><c><a>2</a></c><c><a>3")
    assert fields(file) == [{"a": "1"}, {"a": "2"}]
    assert len(unreadable(file)) == 1


def test_parquet_and_avro_keep_types_and_go_on(tmp_path: Path) -> None:
    rows = [{"id": n, "lines": [{"sku": f"s{n}"}], "sum": n / 4} for n in range(12_000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet", row_group_size=7_000)
    schema = {
        "type": "record", "name": "r", "fields": [
            {"name": "id", "type": "long"}, {"name": "sum", "type": "double"},
            {"name": "lines", "type": {"type": "array", "items": {
                "type": "record", "name": "line", "fields": [{"name": "sku", "type": "string"}]}}},
        ],
    }  # fmt: skip
    with (tmp_path / "x.avro").open("wb") as out:
        fastavro.writer(out, fastavro.parse_schema(schema), rows)
    for name in ("x.parquet", "x.avro"):
        file = tmp_path / name
        assert [one["id"] for one in fields(file)] == list(range(12_000))
        children = records(file, children=["lines"])
        assert len(children) == 24_000
        assert children[1].fields == {"sku": "s0", "parent": {"id": 0, "sum": 0.0}}
        every = batches(file)
        for at, batch in enumerate(every):
            if at % 40:
                continue
            rest = [one for two in batches(file, batch.position) for one in two.records]
            assert rest == [one for two in every[at + 1 :] for one in two.records]


def test_every_record_can_be_kept_as_json(tmp_path: Path) -> None:
    table = pa.table({"at": pa.array([1_700_000_000_000_000], pa.timestamp("us", "UTC")),
                      "day": pa.array([19_000], pa.date32()), "raw": [b"\xff"], "no": [None]})  # fmt: skip
    pq.write_table(table, tmp_path / "x.parquet")
    (found,) = fields(tmp_path / "x.parquet")
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert found["at"] == "2023-11-14T22:13:20+00:00"


def test_formats_are_told_by_content_where_the_name_does_not(tmp_path: Path) -> None:
    for start, kind in ((b"PAR1", "parquet"), (b"Obj\x01", "avro"), (b"PK\x03\x04", "excel"),
                        (b"\xef\xbb\xbf<?xml ?>", "xml"), (b" [1]", "json"), (b"a;b", "csv")):  # fmt: skip
        file = tmp_path / "upload"
        file.write_bytes(start)
        assert format_of(file) == kind


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.xml", "x.xlsx", "x.parquet", "x.avro"])
@pytest.mark.parametrize("data", [b"", b"\x00\x01garbage\xff"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(InvalidInput):
        batches(file)


def test_what_is_of_files_is_known_where_records_are_mapped() -> None:
    assert {*FORMATS, "files"} == FILE_TYPES
