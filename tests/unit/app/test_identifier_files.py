"""Files of identifiers are read as they are meant, or refused with a reason."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from onefold.app.profiles.identifier_files import Wanted, look_at, rows
from onefold.model.errors import InvalidInput


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def read(path: Path, content: bytes, wanted: Wanted) -> list[tuple[int, str, str]]:
    path.write_bytes(content)
    return list(rows(path, look_at(path, wanted)))


EMAIL = Wanted("email", value="care")
ROW = [(2, "a@x.cn", "黄金")]


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("email,care\na@x.cn,黄金\n", "utf-8", ""),
        ("email;care\r\na@x.cn;黄金\r\n", "utf-8-sig", ""),
        ("Email\tCare\na@x.cn\t黄金", "utf-16", ""),
        ("email,care\na@x.cn,黄金\n", "utf-32", ""),
        ("email,care\na@x.cn,黄金\n", "gb18030", "GB18030"),
        ("email,care\na@x.cn,黄金\n", "gb2312", "GB2312"),
        ("care,name,email\n黄金,王;李,a@x.cn\n", "utf-8", ""),
        ('"email";"name";"care"\n"a@x.cn";"王";"黄金"\n', "utf-8", ""),
    ],
)
def test_it_may_come_from_any_program(path: Path, text: str, encoding: str, said: str) -> None:
    assert read(path, text.encode(encoding), Wanted("email", "", said, "care")) == ROW


@pytest.mark.parametrize(
    ("content", "wanted", "found"),
    [
        (b"a@x.de;gold\n", EMAIL, [(1, "a@x.de", "gold")]),
        (b"auth0|1\nauth0|2\n", Wanted("user_id"), [(1, "auth0|1", ""), (2, "auth0|2", "")]),
        (b"sep=;\nemail;care\na@x.de;gold\n", EMAIL, [(3, "a@x.de", "gold")]),
        (b"\n\nemail;care\n\na@x.de;gold\n", EMAIL, [(5, "a@x.de", "gold")]),
        (b"E-Mail,care\na@x.de,gold", Wanted("email", "e-mail"), [(2, "a@x.de", "gold")]),
        (b"gold,a@x.de\n", Wanted("email", "2"), [(1, "a@x.de", "gold")]),
        (b"email\n", EMAIL, []),
        (b"a\nb,c\n,d\n", EMAIL, [(1, "a", ""), (2, "b", "c"), (3, "", "d")]),
    ],
)
def test_the_column_is_found(
    path: Path, content: bytes, wanted: Wanted, found: list[tuple[int, str, str]]
) -> None:
    assert read(path, content, wanted) == found


@pytest.mark.parametrize(
    ("content", "wanted", "message"),
    [
        (b"", EMAIL, "it is empty"),
        (b"\xef\xbb\xbf \n\n", EMAIL, "it is empty"),
        (b"email\na@x.de\nM\xfcller\n", EMAIL, "is no utf-8: see line 3 .*windows-1252"),
        (b"email\n\x81\n", Wanted("email", "", "gb18030"), "is no gb18030: see line 2"),
        (b"PK\x03\x04\x00\x00", EMAIL, "is no text"),
        ("email\n".encode("utf-16-le"), EMAIL, "is no text"),
        ("email\n".encode("utf-32-le"), EMAIL, "is no text"),
        (b"email,care,email\n", EMAIL, "2 columns are called 'email'"),
        (b"email,care,care\n", EMAIL, "2 columns are called 'care'"),
        (b"name,mail\n", Wanted("email", "email"), "no column 'email' .*name, mail"),
        (b"name,mail\n", Wanted("email", "3"), "no column '3'"),
        (b"email\n", Wanted("email", "", "klingon"), "no encoding 'klingon'"),
        (b"email\n", Wanted("email", "", "hex"), "no encoding 'hex'"),
        (b'email\n"a@x.de\n' + b"b@x.de\n" * 30_000, EMAIL, "begins in row 2 does not end"),
    ],
)
@pytest.mark.parametrize("longest", [131_072, 8 << 20], ids=["first", "after other files"])
def test_what_would_make_another_list_is_refused(
    path: Path, content: bytes, wanted: Wanted, message: str, longest: int
) -> None:
    before = csv.field_size_limit(longest)  # whoever reads files in this process may have raised it
    try:
        with pytest.raises(InvalidInput) as refused:
            read(path, content, wanted)
    finally:
        csv.field_size_limit(before)
    assert refused.match(f"(?s).*{message}")
