"""Definitions, segments and failures over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onefold.app.definitions import plan
from onefold.model.errors import InvalidInput

VIP = {"rule": "city = 'Kunming'"}
HOOK = {
    "type": "webhook",
    "url": "https://hooks.example.com/x",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "headers": {"authorization": "Bearer geheim"},
}


def put(desk: Any, path: str, body: Any) -> Any:
    import json

    return desk.call("PUT", path, content=json.dumps(body).encode())


def test_a_segment_that_is_put_in_force_gets_members(desk: Any) -> None:
    changes = put(desk, "/api/definitions/segment/vip", VIP).json()["changes"]
    for user in "abc":
        desk.process({"type": "identify", "userId": user, "traits": {"city": "Kunming"}})

    assert [(one["action"], one["name"]) for one in changes] == [("create", "vip")]
    assert desk.get("/api/segments").json()[0]["members"] == 3
    first = desk.get("/api/segments/vip/members?limit=2").json()
    second = desk.get(f"/api/segments/vip/members?limit=2&cursor={first['next']}").json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


def test_a_definition_that_is_wrong_is_refused_with_every_fault(desk: Any) -> None:
    found = put(desk, "/api/definitions/segment/vip", {"rule": "city = ", "color": 1})

    assert found.status_code == 400
    assert len(found.json()["errors"]) == 2
    assert put(desk, "/api/definitions/nonsense/vip", VIP).status_code == 400


def test_a_secret_is_never_shown_and_stays_when_it_is_given_back(desk: Any) -> None:
    put(desk, "/api/definitions/destination/crm", HOOK)

    listed = desk.get("/api/definitions")
    body = listed.json()[0]["body"]
    again = put(desk, "/api/definitions/destination/crm", {**body, "enabled": False})

    assert "whsec_" not in listed.text
    assert "geheim" not in listed.text
    assert "whsec_" not in again.text
    from onefold.app.workspace import open_store

    with open_store(desk.settings) as store:
        kept = store.registry.definitions()[0].body
    assert kept == {**HOOK, "enabled": False}


def test_a_yaml_text_is_planned_then_applied(desk: Any) -> None:
    text = b"kind: segment\nname: vip\nrule: city = 'Kunming'\n"
    send = {"content": text, "headers": {"content-type": "application/yaml"}}

    planned = desk.call("POST", "/api/definitions/plan", **send).json()
    before = desk.get("/api/definitions").json()
    applied = desk.call("POST", "/api/definitions/apply", **send).json()

    assert (before, planned) == ([], applied)
    assert desk.get("/api/definitions").json()[0]["name"] == "vip"
    assert desk.call("DELETE", "/api/definitions/segment/vip").status_code == 200
    assert desk.call("DELETE", "/api/definitions/segment/vip").status_code == 404
    assert [one["action"] for one in desk.get("/api/audit?limit=2").json()["items"]] == [
        "segment.delete",
        "segment.apply",
    ]


def test_hostile_yaml_is_refused_quickly(desk: Any) -> None:
    aliases = b"a: &a [x]\nb: &b [*a, *a]\n"
    for text in (aliases, b"[" * 100_000, b"\xff\xfe", b"!!python/object:os.system x", b"\x00"):
        found = desk.call("POST", "/api/definitions/apply", content=text)
        assert found.status_code == 400, text[:20]
    assert desk.call("POST", "/api/definitions/apply", content=b"x" * 300_000).status_code == 413


def test_a_reject_is_looked_at_corrected_and_replayed(desk: Any) -> None:
    desk.process({"type": "track", "event": "Seen"}, {"type": "nonsense", "userId": "u"})

    page = desk.get("/api/rejects?limit=1").json()
    rest = desk.get(f"/api/rejects?cursor={page['next']}").json()
    first = page["items"][0]["id"]
    shown = desk.get(f"/api/rejects/{first}").json()
    fixed = b'{"type":"track","event":"Seen","userId":"u"}'
    replayed = desk.call("POST", f"/api/rejects/{first}/replay", content=fixed).json()
    others = desk.post("/api/rejects/replay", {"ids": None}).json()

    assert len(rest["items"]) == 1
    assert shown["reasons"]
    assert '"Seen"' in shown["raw"]
    assert (replayed, others) == ({"count": 1}, {"count": 1})
    assert desk.get("/api/rejects").json() == {"items": [], "next": None}
    assert desk.get("/api/rejects/99").status_code == 404
    assert desk.get("/api/dead-letters").json() == {"items": [], "next": None}


def test_every_fault_of_a_folder_is_told_with_its_file_and_line(desk: Any, tmp_path: Path) -> None:
    tmp_path = tmp_path / "definitions"
    tmp_path.mkdir()
    (tmp_path / "a.yaml").write_text(
        "kind: segment\nname: one\nrule: country =\n---\nkind: segment\nname: two\nextra: 1\n"
        "rule: country = 'CN'\n"
    )
    (tmp_path / "b.yaml").write_text("kind: segment\nname: [\n")
    with pytest.raises(InvalidInput) as found:
        plan(desk.settings, tmp_path)
    places = {fault.where.split(": ")[0] for fault in found.value.faults}
    assert places == {"a.yaml:3", "a.yaml:7", "b.yaml:3"}
