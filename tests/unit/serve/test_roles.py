"""Who may do what, and that every change is written down with who made it."""

from __future__ import annotations

from typing import Any

import httpx

from onefold.model.access import ROLES

SEGMENT = b'{"rule": "city = \'Dali\'"}'
YAML = b"kind: segment\nname: two\nrule: city = 'Dali'\n"

# Every route, the least role that may use it, a request that succeeds, and the audit entry it leaves.
ALLOWED: list[tuple[str, str, str, bytes | None, str]] = [
    ("GET", "/api/profiles/user_id:u", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/events", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/history", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/links", "reader", None, ""),
    ("GET", "/api/segments", "reader", None, ""),
    ("PUT", "/api/definitions/segment/one", "editor", SEGMENT, "segment.apply"),
    ("GET", "/api/segments/one/members", "reader", None, ""),
    ("POST", "/api/segments/preview", "analyst", SEGMENT, ""),
    ("GET", "/api/definitions", "reader", None, ""),
    ("POST", "/api/definitions/plan", "reader", YAML, ""),
    ("POST", "/api/definitions/apply", "editor", YAML, "segment.apply"),
    ("DELETE", "/api/definitions/segment/one", "editor", None, "segment.delete"),
    ("GET", "/api/rejects", "reader", None, ""),
    ("GET", "/api/rejects/1", "analyst", None, ""),
    ("POST", "/api/rejects/1/replay", "editor", b"{}", "reject.replay"),
    ("POST", "/api/rejects/replay", "editor", b'{"ids": null}', "reject.replay"),
    ("GET", "/api/dead-letters", "reader", None, ""),
    ("POST", "/api/dead-letters/replay", "editor", b'{"ids": null}', "dead.replay"),
    ("GET", "/api/sources", "reader", None, ""),
    ("POST", "/api/sources", "admin", b'{"name": "two"}', "source.add"),
    ("POST", "/api/sources/two/disable", "admin", None, "source.disable"),
    ("POST", "/api/sources/two/enable", "admin", None, "source.enable"),
    ("GET", "/api/keys", "admin", None, ""),
    ("POST", "/api/keys", "admin", b'{"name": "two", "role": "reader"}', "key.add"),
    ("POST", "/api/keys/two/revoke", "admin", None, "key.revoke"),
    ("GET", "/api/audit", "admin", None, ""),
    ("POST", "/api/sql", "analyst", b'{"query": "select 1"}', ""),
    ("GET", "/api/status", "reader", None, ""),
]
ELSEWHERE = {("GET", "/health"), ("GET", "/metrics"), ("GET", "/api/stream")}


def headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_each_role_may_do_what_it_should_and_each_change_is_written_down(desk: Any) -> None:
    desk.process({"type": "track", "event": "Seen", "userId": "u"}, {"type": "nonsense"}, {})
    keys = {role: desk.key(role) for role in ROLES}

    async def ask(http: httpx.AsyncClient) -> None:
        for method, path, least, body, action in ALLOWED:
            below = ROLES[: ROLES.index(least)]
            for role in below:
                refused = await http.request(
                    method, path, content=body, headers=headers(keys[role])
                )
                assert refused.status_code == 403, (role, method, path)
                assert least in refused.json()["message"]
            answer = await http.request(method, path, content=body, headers=headers(keys[least]))
            assert answer.is_success, (method, path, answer.text)
            if action:
                audit = await http.get("/api/audit?limit=1", headers=headers(keys["admin"]))
                last = audit.json()["items"][0]
                assert (last["actor"], last["action"]) == (f"a {least}", action), path

    desk.run(ask)


def test_no_route_is_forgotten_here(desk: Any) -> None:
    document = desk.get("/api/docs/openapi.json", key=None).json()
    written = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }

    tried = {(method, template(path, document["paths"])) for method, path, *_ in ALLOWED}
    assert written == tried | ELSEWHERE


def template(path: str, templates: dict[str, Any]) -> str:
    """The template that a path is made from: the one with the fewest open parts that fits."""

    def fits(one: str) -> bool:
        parts, given = one.split("/"), path.split("/")
        return len(parts) == len(given) and all(
            part.startswith("{") or part == value for part, value in zip(parts, given, strict=True)
        )

    return min((one for one in templates if fits(one)), key=lambda one: one.count("{"))
