"""Definitions, segments and failures over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onefold.app.identity.planning import plan
from onefold.model.errors import InvalidInput

VIP = {"rule": "city = 'Kunming'"}
HOOK = {
    "type": "webhook",
    "url": "https://hooks.example.com/x",
    "secret": {"secret": "hook"},
    "headers": {"x-team": "geheim"},
}


def put(desk: Any, path: str, body: Any) -> Any:
    import json

    return desk.call("PUT", path, content=json.dumps(body).encode())


def test_a_segment_that_is_put_in_force_gets_members(desk: Any) -> None:
    made = put(desk, "/api/segments/vip", VIP)
    for user in "abc":
        desk.process({"type": "identify", "userId": user, "traits": {"city": "Kunming"}})

    assert (made.status_code, made.headers["etag"], made.json()["version"]) == (200, '"1"', 1)
    assert desk.get("/api/segments").json()[0]["members"] == 3
    first = desk.get("/api/segments/vip/members?limit=2").json()
    second = desk.get(f"/api/segments/vip/members?limit=2&cursor={first['next']}").json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


def test_a_definition_that_is_wrong_is_refused_with_every_fault(desk: Any) -> None:
    found = put(desk, "/api/segments/vip", {"rule": "city = ", "color": 1})

    assert found.status_code == 400
    assert len(found.json()["errors"]) == 2
    unnamed = put(desk, "/api/segments/" + "x" * 101, {"rule": "city = ", "color": 1})
    assert len(unnamed.json()["errors"]) == 3
    assert put(desk, "/api/segments/" + "x" * 101, VIP).status_code == 400


def test_names_that_nobody_knows_are_told_with_the_change(desk: Any) -> None:
    desk.process({"type": "identify", "userId": "a", "traits": {"city": "Kunming"}})
    found = desk.post("/api/segments", {"name": "slip", "rule": "citty = 'Kunming'"})
    assert found.status_code == 201
    assert [one["message"] for one in found.json()["warnings"]] == ["unknown trait citty"]
    assert put(desk, "/api/segments/slip", {"rule": "city = 'X'"}).json()["warnings"] == []


def test_a_change_is_made_only_at_the_version_that_was_looked_at(desk: Any) -> None:
    first = desk.post("/api/segments", {"name": "vip", **VIP})
    tag = {"if-match": first.headers["etag"]}
    second = desk.call("PUT", "/api/segments/vip", content=b"""{"rule": "age > 1"}""", headers=tag)
    late = desk.call("PUT", "/api/segments/vip", content=b"""{"rule": "age > 2"}""", headers=tag)
    gone = desk.call("DELETE", "/api/segments/vip", headers=tag)

    assert (first.status_code, second.status_code, second.json()["version"]) == (201, 200, 2)
    assert (late.status_code, late.json()["code"], gone.status_code) == (412, "stale", 412)
    assert "is at version 2, no longer at version 1" in late.json()["message"]
    assert desk.post("/api/segments", {"name": "vip", **VIP}).status_code == 409
    odd = desk.call("PUT", "/api/segments/vip", content=b"{}", headers={"if-match": "odd"})
    assert odd.status_code == 400


def test_every_version_is_kept_and_can_be_gone_back_to(desk: Any) -> None:
    put(desk, "/api/segments/vip", VIP)
    put(desk, "/api/segments/vip", {"rule": "age > 1"})
    desk.call("DELETE", "/api/segments/vip")
    back = desk.post("/api/segments/vip/rollback", {"version": 1})
    versions = desk.get("/api/segments/vip/versions").json()

    assert (back.status_code, back.json()["version"], back.json()["body"]) == (200, 4, VIP)
    assert [(one["version"], one["body"]) for one in versions] == [
        (4, VIP),
        (3, None),
        (2, {"rule": "age > 1"}),
        (1, VIP),
    ]
    assert {one["changed_by"] for one in versions} == {"admin"}
    assert desk.get("/api/segments/vip/versions/2").json()["body"] == {"rule": "age > 1"}
    assert desk.get("/api/segments/vip/versions/9").status_code == 404
    assert desk.post("/api/segments/vip/rollback", {"version": 3}).status_code == 400
    assert desk.get("/api/segments/other/versions").status_code == 404


def test_what_depends_on_a_definition_is_told_and_keeps_it_in_force(desk: Any) -> None:
    put(desk, "/api/traits/spent", {"expression": "sum_of('Order', properties.revenue)"})
    put(desk, "/api/tags/level", {"cases": [{"value": "gold", "when": "spent > 100"}]})
    put(desk, "/api/segments/vip", {"rule": "level = 'gold'"})
    level, vip = {"kind": "tag", "name": "level"}, {"kind": "segment", "name": "vip"}

    found = desk.get("/api/traits/spent/dependents").json()
    refused = desk.call("DELETE", "/api/traits/spent")
    assert found == {"direct": [level], "all": [level, vip]}
    assert (refused.status_code, "tag level" in refused.text) == (409, True)
    shown = desk.get("/api/tags/level").json()
    assert (shown["uses"], shown["used_by"]) == ([{"kind": "trait", "name": "spent"}], [vip])
    assert desk.get("/api/traits/nobody/dependents").status_code == 404


def test_identity_rules_are_changed_like_any_definition(desk: Any) -> None:
    made = put(desk, "/api/identifiers/crm_id", {"strength": "unique"})
    wrong = put(desk, "/api/identifiers/CRM", {"strength": "strong", "priority": -1})
    guards = desk.post("/api/identity", {"name": "people", "max_identifiers": 50})
    other = desk.post("/api/identity", {"name": "robots"})
    tag = {"if-match": guards.headers["etag"]}
    changed = desk.call("PUT", "/api/identity/people", content=b'{"consent":false}', headers=tag)

    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    assert (wrong.status_code, len(wrong.json()["errors"])) == (400, 3)
    assert (guards.status_code, other.status_code, changed.json()["version"]) == (201, 400, 2)
    assert [one["name"] for one in desk.get("/api/identifiers").json()] == ["crm_id"]
    assert desk.get("/api/identity").json()[0]["body"] == {"consent": False}
    back = desk.post("/api/identity/people/rollback", {"version": 1}).json()
    assert back["body"] == {"max_identifiers": 50}
    assert desk.call("DELETE", "/api/identifiers/crm_id").status_code == 200
    assert desk.get("/api/identifiers/crm_id/versions").json()[0]["body"] is None


def test_a_secret_is_never_shown_and_stays_when_it_is_given_back(desk: Any) -> None:
    put(desk, "/api/destinations/crm", HOOK)

    listed = desk.get("/api/definitions")
    body = listed.json()[0]["body"]
    again = put(desk, "/api/destinations/crm", {**body, "enabled": False})

    assert body["secret"] == {"secret": "hook"}
    assert "geheim" not in listed.text + again.text
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

    assert (before, planned) == ([], {**applied, "identity": None, "untried": 0})
    assert desk.get("/api/definitions").json()[0]["name"] == "vip"
    assert desk.call("DELETE", "/api/segments/vip").status_code == 200
    assert desk.call("DELETE", "/api/segments/vip").status_code == 404
    assert [one["action"] for one in desk.get("/api/audit?limit=2").json()["items"]] == [
        "segment.delete",
        "segment.apply",
    ]


def test_a_plan_of_identity_rules_counts_merges_and_splits_but_shows_nobody(desk: Any) -> None:
    desk.process({"type": "alias", "userId": "ann", "previousId": "bo"})
    text = b"kind: identifier\nname: user_id\nstrength: immutable\n"

    planned = desk.call("POST", "/api/definitions/plan", content=text).json()

    assert planned["changes"][0]["name"] == "user_id"
    found = planned["identity"]
    assert (found["profiles"], found["merges"], found["splits"]) == (1, 0, 1)
    assert found["merge_examples"] == found["split_examples"] == found["move_examples"] == []
    assert planned["untried"] == 0
    assert desk.get("/api/identifiers").json() == []


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ncases: [" + "{value: v, when: 'x = 1'}, " * 101 + "]", "101 cases; at most 100"),
        ('name: a\ncases: [{value: "\\0", when: x = 1}]', "has no value"),
        ("name: a\ncases: [{value: '', when: x = 1}]", "has no value"),
        ("name: a\nrank: {by: x, into: 2000000000}", "must be from 2 to 100"),
        ('name: "a\\nb"\ncases: [{value: v, when: x = 1}]', "has no name"),
    ],
)
def test_tags_are_within_limits(desk: Any, text: str, message: str) -> None:
    found = desk.call("POST", "/api/definitions/plan", content=f"kind: tag\n{text}".encode())
    assert found.status_code == 400
    assert message in found.json()["errors"][0]["message"]


@pytest.mark.parametrize("name", [[1.5], {"a": 1}, 7, None])
def test_a_name_that_is_no_text_is_refused_with_all_else_that_is_wrong(
    desk: Any, name: object
) -> None:
    found = desk.post("/api/segments", {"name": name, "rule": "city = ", "color": 1})
    assert found.status_code == 400
    where = [error["where"] for error in found.json()["errors"]]
    assert (where[0], len(where)) == ("name", 3)


@pytest.mark.parametrize("name", [5, None, "", ["crm_id"]])
def test_that_an_identifier_has_no_name_is_told_once(desk: Any, name: Any) -> None:
    answer = desk.post("/api/identifiers", {"name": name})
    assert answer.status_code == 400
    assert [one["message"] for one in answer.json()["errors"]] == ["has no name"]
