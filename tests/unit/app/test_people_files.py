"""Files of people as they are found: encodings, delimiters, and what is wrong with them, all at once."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onefold.app.matching.dedupe import Wanted, dedupe
from onefold.app.matching.file_commands import (
    Given,
    identifiers_of_file,
    merge_file,
    standardize_file,
)
from onefold.collect.sources.files.encodings import encoding_of
from onefold.model.errors import InvalidInput, NotFound, OnefoldError

CHINESE = "编号;姓名;手机\n1;张伟;13812345679\n2;欧阳娜娜;139-1234-5670\n"
GERMAN = "id\tname\ttel\n1\tJörg Müller\t030 7654 123\n2\tAnn Lee\t0171 1239876\n"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def faults_of(error: OnefoldError) -> set[tuple[str, str]]:
    return {(fault.where, fault.message) for fault in error.faults}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_chinese_files_are_read_in_the_usual_encodings(tmp_path: Path, encoding: str) -> None:
    file, out = tmp_path / "people.csv", tmp_path / "out.csv"
    file.write_text(CHINESE, encoding=encoding)
    found = standardize_file(Given(file, region="CN"), out)
    assert found.columns["姓名"] == "full_name"
    rows = rows_of(out)
    assert [row["given_name"] for row in rows] == ["wei", "nana"]
    assert [row["phone"] for row in rows] == ["+8613812345679", "+8613912345670"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_european_files_too(tmp_path: Path, encoding: str) -> None:
    file, out = tmp_path / "people.txt", tmp_path / "out.csv"
    file.write_text(GERMAN, encoding=encoding)
    assert encoding_of(file) == encoding
    standardize_file(Given(file, {"id": "identifier:customer"}, "de"), out)
    assert [(row["family_name"], row["identifiers"]) for row in rows_of(out)] == [
        ("muller", "customer:1"),
        ("lee", "customer:2"),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ("people.csv", "is empty")),
        ("\n \n", ("people.csv", "is empty")),
        ("name,mail\n", ("people.csv", "has no rows")),
        (
            "Ann Lee,ann@b.example\nBob Li,bob@b.example\n",
            ("people.csv", "column 2 of the first row is a mail address, not a header"),
        ),
        (
            "Ann Lee,+49 30 1234567\nBob Li,+49 30 7654321\n",
            ("people.csv", "column 2 of the first row is a telephone number, not a header"),
        ),
        ("name,mail,name\nA,b,c\n", ("people.csv: name", "two columns have this header")),
        (
            "name,mail\nAnn,a@b.c\nSmith, Bob,b@c.d\n",
            ("people.csv", "row 2 has more values than there are columns (2)"),
        ),
        ("x,y\n1,2\n", ("people.csv", "no column says who a row is about")),
        ("a\0\0b,c\n\x01\0,2\n", ("people.csv", "is no text")),
    ],
)
def test_a_file_that_is_no_table_of_people_is_refused(
    tmp_path: Path, text: str, fault: tuple[str, str]
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(InvalidInput) as raised:
        dedupe([file], Wanted(output=tmp_path / "out.csv"))
    assert faults_of(raised.value) == {fault}


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("name,mail\nAnn Lee,a@b.c\n")
    two.write_text("a,b\n1,2\n")
    wanted = Wanted(columns={"one:nmae": "full_name", "mail": "post", "name": "email"}, region="XX")
    with pytest.raises(InvalidInput) as raised:
        dedupe([one, two], wanted)
    assert faults_of(raised.value) == {
        ("one:nmae", "no file has this column"),
        ("region", "'XX' is no country"),
        ("one.csv: mail", "there is no role 'post'"),
        ("two.csv", "no column says who a row is about"),
    }
    with pytest.raises(NotFound) as missing:
        dedupe([tmp_path / "no.csv", tmp_path / "none.csv"], Wanted(model=tmp_path / "no.json"))
    assert len(missing.value.faults) == 3
    with pytest.raises(InvalidInput) as paths:
        dedupe(
            [one], Wanted(output=one, golden=tmp_path / "no" / "g.csv", review=tmp_path / "r.xls")
        )
    assert len(paths.value.faults) == 3


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "people.parquet"
    file.write_bytes(b"no parquet")
    with pytest.raises(InvalidInput) as raised:
        dedupe([file], Wanted())
    assert {where for where, _ in faults_of(raised.value)} == {"people.parquet"}


def test_one_column_and_short_rows_are_enough(tmp_path: Path) -> None:
    one, short = tmp_path / "one.csv", tmp_path / "short.csv"
    one.write_text("name\nAnn Lee\nBob Ray\n")
    assert dedupe([one], Wanted(output=tmp_path / "out.csv")).rows == 2
    short.write_text("name,mail\nAnn Lee\nBob Ray,b@x.de\n")
    assert dedupe([short], Wanted(output=tmp_path / "out.csv")).rows == 2
    assert [row["mail"] for row in rows_of(tmp_path / "out.csv")] == ["", "b@x.de"]


def test_identifiers_of_a_file(tmp_path: Path) -> None:
    file, out = tmp_path / "people.parquet", tmp_path / "out.csv"
    pq.write_table(
        pa.table({"mail": ["A@x.de", None], "crm": [17, 18], "born": ["1985-03-07"] * 2}), file
    )
    found = identifiers_of_file(Given(file, {"crm": "identifier:crm"}), out)
    assert (found.rows, found.written) == (2, 3)
    assert [f"{row['row']} {row['kind']}:{row['value']}" for row in rows_of(out)] == [
        "1 email:a@x.de",
        "1 crm:17",
        "2 crm:18",
    ]


def test_rows_are_merged_by_a_column(tmp_path: Path) -> None:
    file, out = tmp_path / "people.csv", tmp_path / "out.csv"
    file.write_text(
        "id,name,street,city\n7,Ann Lee,Weg 1,\n7,Ann Lee,Allee 2,Bonn\n7,A. Lee,,\n8,Bob Ray,,\n"
    )
    found = merge_file(Given(file, {"street": "address"}), "id", out)
    assert (found.rows, found.written) == (4, 2)
    assert rows_of(out) == [
        {"id": "7", "row_count": "3", "name": "Ann Lee", "street": "Allee 2", "city": "Bonn"},
        {"id": "8", "row_count": "1", "name": "Bob Ray", "street": "", "city": ""},
    ]
    file.write_text("id,name\n7,Ann\n,Bob\n")
    with pytest.raises(InvalidInput) as raised:
        merge_file(Given(file), "id", out)
    assert faults_of(raised.value) == {("id", "1 rows have nothing in this column")}


def test_a_column_whose_name_would_be_cut_off_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "people.parquet"
    pq.write_table(pa.table([["x"], ["ann@shop.example"]], names=["a\0b", "email"]), file)
    with pytest.raises(InvalidInput) as caught:
        dedupe([file], Wanted(tmp_path / "out.parquet"))
    assert faults_of(caught.value) == {
        ("people.parquet: 'a\\x00b'", "a column's name holds the character U+0000")
    }
