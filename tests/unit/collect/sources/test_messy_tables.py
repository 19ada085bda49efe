"""Tables as people send them: of every row it is known what became of it, and what is odd costs no other."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from onefold.collect.sources.files.encodings import encoding_of
from onefold.collect.sources.files.formats import read_file, settings_of
from onefold.model.errors import InvalidInput
from onefold.model.pulled import Batch, Position


def batches(
    file: Path, position: Position | None = None, kind: str = "csv", **options: Any
) -> list[Batch]:
    return list(read_file(file, kind, settings_of(kind, options), position))


def rows(file: Path, **options: Any) -> list[list[Any]]:
    return [
        list(one.fields.values()) for batch in batches(file, **options) for one in batch.records
    ]


def told(file: Path, **options: Any) -> list[tuple[str, str]]:
    return [
        (one.place, one.reasons[0])
        for batch in batches(file, **options)
        for one in batch.unreadable
    ]


def made(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    file = folder / "x.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return file


GERMAN = "Nr;Name\n" + "".join(f"{n};Müller {n} Größe\n" for n in range(3_000))
CHINESE = "编号,姓名\n" + "".join(f"{n},张伟{n}\n" for n in range(3_000))


@pytest.mark.parametrize("text", [GERMAN, CHINESE], ids=["german", "chinese"])
def test_a_broken_byte_costs_its_row_and_not_the_encoding_of_all(tmp_path: Path, text: str) -> None:
    whole = text.encode()
    middle = len(whole) // 2
    at = next(place for place in range(middle, len(whole)) if whole[place] > 127)
    file = made(tmp_path, whole[:at] + b"\xff" + whole[at + 1 :])

    assert encoding_of(file) == "utf-8"
    assert len(rows(file)) == 2_999
    assert [why for _, why in told(file)] == ["is not written in utf-8"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "1;Łukasz Żółć;Łódź\n2;Grażyna Wiśniewska;Gdańsk\n"),
        ("cp1251", "1;Иван Петров;Москва\n2;Анна Смирнова;Казань\n"),
        ("cp1253", "1;Γιώργος Παπαδόπουλος;Αθήνα\n2;Μαρία;Θεσσαλονίκη\n"),
        ("cp1254", "1;Şükrü Işık;İzmir\n2;Çağrı Öğüt;Muğla\n"),
        ("cp1252", "1;François Lefèvre;Orléans\n2;José Muñoz;Málaga\n3;Jürgen Weiß;Köln\n"),
        ("cp949", "1,김민준,서울\n2,이서연,부산\n"),
        ("cp950", "1,陳美玲,臺北\n2,林志豪,高雄\n"),
        ("iso2022_jp", "1,山田太郎\n2,鈴木花子\n"),
        ("utf-16-le", "姓名,城市\r\n张伟张伟张伟,一二三好好学习天天向上一二三好好学习天天向上\r\n"),
    ],
)
def test_what_a_text_is_written_in_is_found_out(tmp_path: Path, encoding: str, text: str) -> None:
    for times in (1, 40):
        file = made(tmp_path, text * times, encoding)
        assert file.read_bytes().decode(encoding_of(file)) == text * times


@pytest.mark.parametrize("said", ["UTF-16LE", "utf_16_le"])
def test_an_encoding_may_be_called_as_people_call_it(tmp_path: Path, said: str) -> None:
    assert rows(made(tmp_path, "id,name\n1,Änn\n", "utf-16-le"), encoding=said) == [["1", "Änn"]]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("id,name\n1,Ann\n", {"encoding": "klingon"}, "is no encoding that is read .*utf-16"),
        ("id,name\n1,Ann\n", {"encoding": "base64"}, "is no encoding that is read"),
        ("id,name\n1,Ann\n", {"delimiter": ";;"}, "delimiter is one character"),
        ("id,name\n1,Ann\n", {"header": 9}, "there is no such line .it has 2"),
        ("id,name\n1,Ann\n", {"header": -1}, "header: expected `int` >= 0"),
        ("id,näme\n1,Ann\n".encode("cp1252"), {"encoding": "utf-8"}, "are not written in utf-8"),
        ("id,name\n".encode("utf-32"), {}, "is UTF-32"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" * 9, {}, "seems to be packed by gzip: call it .gz"),
        (b"%PDF-1.4\n\0\0\x01", {}, "seems to be a PDF document"),
    ],
)
def test_what_cannot_be_read_so_is_said(
    tmp_path: Path, content: str | bytes, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        batches(made(tmp_path, content), **options)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("name,mail,mail\nAnn,a@x.de,b@x.de\nBob,c@x.de,d@x.de\n", ["Ann", "a@x.de", "b@x.de"]),
        ("mail,mail\na@x.de,b@x.de\nc@x.de,d@x.de\n", ["a@x.de", "b@x.de"]),
        ("id,name,2023,2024\nA1,Ann,,\nA2,Bob,5,6\n", ["A1", "Ann", "", ""]),
        (",name,mail\n0,Ann,x\n1,Bob,y\n", ["0", "Ann", "x"]),
        ("Who,,How much,\nid,name,q1,q2\nA,Ann,1,2\nB,Bob,1,2\n", ["A", "Ann", "1", "2"]),
        ("Customers,2024,,\n\nid,name,q1,q2\nA,Ann,1,2\nB,Bob,1,2\n", ["A", "Ann", "1", "2"]),
        ("1,Ann,Bonn\n2,Bob,\n,Carl,Rome\n4,Dora,Paris\n", ["2", "Bob", ""]),
    ],
    ids=["twice", "all-twice", "numbers", "nameless", "groups", "title", "none"],
)
def test_no_row_is_lost_above_the_names_of_columns(
    tmp_path: Path, text: str, first: list[str]
) -> None:
    assert rows(made(tmp_path, text))[0] == first


def test_a_row_as_wide_as_the_table_above_the_names_is_told(tmp_path: Path) -> None:
    file = made(tmp_path, "Who,Who,Spent,Spent\nid,name,q1,q2\nA,Ann,1,2\nB,Bob,3,4\n")
    assert rows(file) == [["A", "Ann", "1", "2"], ["B", "Bob", "3", "4"]]
    ((place, why),) = told(file)
    assert place == "line 1"
    assert "above the row that names the columns" in why


def test_a_cell_may_be_long_and_a_line_that_is_too_long_costs_no_other(tmp_path: Path) -> None:
    file = made(tmp_path, f'id,note\n1,{"x" * 300_000}\n2,"{"y" * 300_000}"\n')
    assert [len(note) for _, note in rows(file)] == [300_000, 300_000]

    file = made(tmp_path, f"id\n{'x' * 9_000_000}\n2\n")
    assert rows(file) == [["2"]]
    assert {why for _, why in told(file)} == {"is longer than 8,388,608 bytes"}


def test_a_text_in_the_place_of_a_name_is_told(tmp_path: Path) -> None:
    file = made(tmp_path, f"id,{'x' * 4_096}\n1,2\n")
    assert rows(file) == [["1", "2"]]
    file = made(tmp_path, f"id,{'x' * 4_097}\n1,2\n")
    with pytest.raises(InvalidInput, match=r"column 2, 'xxx.*more than 4,096 .*header=0 if none"):
        rows(file)


def test_zeros_within_a_text_cost_their_row(tmp_path: Path) -> None:
    file = made(tmp_path, b"id,name\n1,A\0nn\n2,Bob\n")
    assert rows(file) == [["2", "Bob"]]
    assert told(file) == [("row 1", "holds the character U+0000")]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("id;name\n1;'Ann; B'\n", {"quote": "'"}, ["1", "Ann; B"]),
        ('id,name\n1,4" pipe "x\n', {"quote": ""}, ["1", '4" pipe "x']),
        ('id,name\n1,"say \\"hi\\", you"\n', {"escape": "\\"}, ["1", 'say "hi", you']),
        ("id\tname\n1\tAnn, B\n", {"delimiter": "\\t"}, ["1", "Ann, B"]),
        ("id\tname\n1\tAnn, B\n", {"delimiter": "tab"}, ["1", "Ann, B"]),
    ],
)
def test_quotes_and_delimiters_of_other_programs(
    tmp_path: Path, text: str, options: dict[str, Any], expected: list[str]
) -> None:
    assert rows(made(tmp_path, text), **options) == [expected]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
@pytest.mark.parametrize("ends", [["\r"], ["\n", "\r\n"], ["\n", "\r\n", "\r"]], ids=repr)
def test_every_row_is_accounted_for_whatever_ends_lines(
    tmp_path: Path, ends: list[str], encoding: str
) -> None:
    draw = random.Random(5)
    kinds = ('{n},"山\n田","q""u\ro"', "{n},short", "{n},山田,{x}", "{n},N\0UL,x")
    text = f"id,name,note{ends[0]}"
    for n in range(4_000):
        (kind,) = draw.choices(kinds, (8, 1, 90, 1))
        text += kind.format(n=n, x="x" * draw.randrange(200)) + draw.choice(ends)
    file = made(tmp_path, text, encoding)

    every = batches(file)
    records = [one for batch in every for one in batch.records]
    unreadable = [one for batch in every for one in batch.unreadable]
    assert len(records) + len(unreadable) == 4_000
    assert len({one.place for one in (*records, *unreadable)}) == 4_000
    for at in {0, len(every) // 2}:
        rest = batches(file, every[at].position)
        assert [one for batch in rest for one in batch.records] == [
            one for batch in every[at + 1 :] for one in batch.records
        ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"header": 9}, "there is no such line"),
        ({"widths": [5, -2]}, "widths.1.: .*>= 1"),
        ({"encoding": "klingon"}, "is no encoding that is read"),
    ],
)
def test_columns_of_fixed_width_that_cannot_be_read_so(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        batches(made(tmp_path, "id   name\n1    Ann\n"), kind="fixed", **options)


def test_what_is_typed_is_taken_as_it_is_meant(tmp_path: Path) -> None:
    file = made(tmp_path, "1;Müller\n2;Köln\n", "cp850")
    found = batches(file, encoding=850, header=0, columns="id, name")
    assert [one.fields["name"] for batch in found for one in batch.records] == ["Müller", "Köln"]

    file = made(tmp_path, "id   name\n1    Ann\n")
    found = batches(file, kind="fixed", widths="5,4")
    assert [one.fields for batch in found for one in batch.records] == [{"id": "1", "name": "Ann"}]
