"""Whatever is damaged in a file: records, what is told of the others, or one clear error; nothing else."""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.collect.sources.files.packed import Way, read_members
from onefold.model.errors import InvalidInput

ODD = (b'"', b"\n", b"\r", b"\0", b"<", b"&", b"{", b"]", b"\xff\xfe", b",", b";;;;;")
TABLE = 'id;name;note\n1;Müller;"a\nb"\n2;Ö;c\n' * 20


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": [["x"], None], "c": [{"d": 1}, None]}), out)
    return out.getvalue()


def avro() -> bytes:
    lines = {"type": "array", "items": "string"}
    fields = [{"name": "a", "type": "int"}, {"name": "b", "type": lines}]
    out = io.BytesIO()
    rows = [{"a": 1, "b": ["x", "y"]}] * 50
    schema = {"type": "record", "name": "r", "fields": fields}
    fastavro.writer(out, schema, rows, codec="deflate", sync_marker=b"0123456789abcdef")
    return out.getvalue()


def packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("b.json", '[{"a": 1}]')
    return out.getvalue()


FILES = {
    "x.csv": TABLE.encode(),
    "x.tsv": TABLE.encode("utf-16"),
    "x.json": b'{"data": [{"a": 1, "b": ["x", {"c": 2}]}, {"a": "\\u00e9"}]}',
    "x.ndjson": b'{"a": 1, "b": {"c": [1, 2]}}\n' * 10,
    "x.xml": b'<r xmlns:x="u"><c id="1"><n>a</n><x:m><![CDATA[z]]></x:m></c><c><n>b</n></c></r>',
    "x.parquet": parquet(),
    "x.avro": avro(),
    "x.zip": packed(),
}


@pytest.mark.parametrize("name", FILES)
def test_damage_is_told(tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    for _ in range(200):
        file = tmp_path / name
        file.write_bytes(damaged(FILES[name], draw))
        with suppress(InvalidInput):
            for batch in read_members(file, Way("", {}), None):
                list(batch.records)


def damaged(data: bytes, draw: random.Random) -> bytes:
    """With some bytes changed, left out, put in or cut off."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 30))):
        at = draw.randrange(len(found))
        match draw.randrange(4):
            case 0:
                found[at] = draw.randrange(256)
            case 1:
                del found[at : at + draw.choice((1, 4, 50, len(found)))]
            case 2:
                found[at:at] = draw.randbytes(draw.choice((1, 3, 20)))
            case _:
                found[at:at] = draw.choice(ODD)
        found = found or bytearray(b"x")
    return bytes(found)


def test_a_length_that_no_memory_holds_is_told(tmp_path: Path) -> None:
    data = avro()
    at = data.index(b"avro.schema")
    file = tmp_path / "x.avro"
    file.write_bytes(data[: at - 1] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f" + data[at:])
    with pytest.raises(InvalidInput, match=r"x\.avro"):
        list(read_members(file, Way("", {}), None))


def test_a_workbook_whose_archive_is_damaged_is_told(tmp_path: Path) -> None:
    data = packed()
    file = tmp_path / "x.xlsx"
    file.write_bytes(data.replace(b"PK\x01\x02", b"PK\x01\x03"))
    with pytest.raises(InvalidInput, match="Bad magic number for central directory"):
        list(read_members(file, Way("", {}), None))
