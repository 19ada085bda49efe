"""Pulled sources, loads and secrets over HTTP."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.syncs.services import source_run
from onefold.app.workspace import open_store

pytest.importorskip("sqlalchemy")


@pytest.fixture
def crm(desk: Any, tmp_path: Path) -> Any:
    connection = sqlite3.connect(tmp_path / "crm.db")
    connection.execute("create table customers (id integer primary key)")
    connection.execute("insert into customers values (1), (2)")
    connection.commit()
    connection.close()
    text = f"""
kind: source
name: crm
type: sql
settings: {{dialect: sqlite, file: {tmp_path / "crm.db"}, tables: [{{table: customers}}]}}
mapping: {{identifiers: {{user_id: id}}}}
"""
    with open_store(desk.settings) as store:
        put(store, read_text(text), "test")
    return desk


def test_a_source_is_asked_for_paused_resumed_and_begun_anew(crm: Any) -> None:
    asked = crm.post("/api/sources/crm/run")
    assert (asked.status_code, asked.json()["doing"]) == (202, "waiting")
    assert crm.post("/api/sources/crm/pause").json()["doing"] == "paused"
    assert crm.post("/api/sources/crm/resume").json()["doing"] == "waiting"
    assert crm.post("/api/sources/crm/reset").status_code == 200
    (row,) = crm.get("/api/sources/status").json()
    assert (row["name"], row["type"], row["failures"], row["alarm"]) == ("crm", "sql", 0, False)
    assert crm.post("/api/sources/none/run").status_code == 404
    for what in ("run", "pause", "resume", "reset"):
        refused = crm.post(
            f"/api/sources/crm/{what}", key=crm.key("reader") if what == "run" else None
        )
        assert refused.status_code in (401, 403)


def test_loads_are_listed_and_shown_with_their_report(crm: Any) -> None:
    source_run(crm.settings, "crm")
    source_run(crm.settings, "crm")

    page = crm.get("/api/loads?limit=1&source=crm").json()
    (newest,) = page["items"]
    assert (newest["state"], newest["rows"], newest["remaining"]) == ("done", 2, None)
    (older,) = crm.get(f"/api/loads?limit=1&cursor={page['next']}").json()["items"]
    shown = crm.get(f"/api/loads/{older['id']}").json()
    assert shown["report"]["streams"]["customers"]["rows"] == 2
    assert crm.post(f"/api/loads/{older['id']}/cancel").status_code == 409
    assert crm.get("/api/loads/99").status_code == 404


def test_a_secret_is_kept_and_never_given_back(desk: Any) -> None:
    kept = desk.call("PUT", "/api/secrets/token", content=b'{"value": "hush-hush"}')
    listed = desk.get("/api/secrets")
    assert (kept.status_code, [row["name"] for row in listed.json()]) == (200, ["token"])
    audit = desk.get("/api/audit").text
    for text in (kept.text, listed.text, audit):
        assert "hush-hush" not in text
    assert desk.call("DELETE", "/api/secrets/token").status_code == 200
    assert desk.call("DELETE", "/api/secrets/token").status_code == 404
    assert desk.call("PUT", "/api/secrets/token", content=b'{"value": ""}').status_code == 400


def test_a_source_is_rehearsed(crm: Any) -> None:
    answer = crm.post("/api/sources/crm/test?sample=1")
    found = answer.json()
    assert (answer.status_code, found["rows"], found["new"], found["read_all"]) == (
        200,
        1,
        1,
        False,
    )
    assert [(one["name"], one["filled"]) for one in found["fields"]] == [("id", 1)]
    whole = crm.post("/api/sources/crm/test?anew=true").json()
    assert (whole["rows"], whole["read_all"]) == (2, True)
    said = crm.call("POST", "/api/sources/crm/test", content=b'[{"id": 5}, {"name": "x"}]').json()
    assert (said["events"], said["rejects"]) == (1, 1)
    assert crm.get("/api/loads").json()["items"] == []
    assert crm.post("/api/sources/none/test").status_code == 404
    assert crm.post("/api/sources/crm/test", key=crm.key("reader")).status_code == 403
    wrong = crm.call("POST", "/api/sources/crm/test", content=b"{")
    assert (wrong.status_code, wrong.json()["errors"][0]["where"]) == (400, "body")
