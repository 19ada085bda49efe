"""Files that come as the body of a request are kept as they come, and refused with a reason."""

from __future__ import annotations

import pytest

from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.workspace import open_store
from tests.unit.serve.conftest import Desk

DEFINED = "kind: segment\nname: guests\nlist: email\n---\nkind: tag\nname: care\nvalues: [黄金]\n"


@pytest.fixture
def told(desk: Desk) -> Desk:
    with open_store(desk.settings, cache_mb=4) as store:
        put(store, read_text(DEFINED), "test")
    return desk


def test_a_file_may_be_larger_than_other_bodies(told: Desk) -> None:
    body = b"email\n" + b"somebody@example.com\n" * 600_000
    answer = told.call("POST", "/api/segments/guests/list", content=body)
    assert (answer.status_code, answer.json()["bytes"]) == (202, len(body))


def test_it_is_read_as_the_query_says(told: Desk) -> None:
    body = "客户;care\na@x.cn;黄金\n".encode("gb18030")
    path = "/api/tags/care/import?encoding=gb18030&column=客户"
    assert told.call("POST", path, content=body).status_code == 202


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/api/segments/guests/list", b"", "it is empty"),
        ("/api/segments/guests/list", "email\nä@x.de\n".encode("cp1252"), "is no utf-8"),
        ("/api/segments/guests/list?encoding=nix", b"email\n", "no encoding 'nix'"),
        ("/api/segments/guests/list?column=mail", b"email\n", "no column 'mail'"),
        ("/api/tags/care/import", b"email,email\n", "2 columns are called 'email'"),
    ],
)
def test_why_a_file_is_refused_is_told(told: Desk, path: str, body: bytes, message: str) -> None:
    answer = told.call("POST", path, content=body)
    assert answer.status_code == 400
    assert message in answer.json()["errors"][0]["message"]
    assert list((told.settings.data / "uploads").iterdir()) == []
