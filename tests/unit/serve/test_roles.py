"""Who may do what, and that every change is written down with who made it."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from onefold.app.identity.review_queue import BulkWanted, token_of
from onefold.model.access import ROLES

Row = tuple[str, str, str, bytes | None, str]
SEGMENT = b'{"rule": "city = \'Dali\'"}'
HOOK = {"type": "webhook", "url": "http://127.0.0.1:9/", "secret": {"secret": "hook"}}
BULK = b'{"wanted": {"verdict": "same"}, "token": "%s"}' % token_of(BulkWanted("same"), []).encode()
APART = b'{"left": "user_id:u", "right": "user_id:v", "verdict": "apart"}'
HOME = b'{"together": "yes"}'
RIVALS = (
    b'{"links": [{"left_kind": "user_id", "left_value": "a", "right_kind": "email",'
    b' "right_value": "a@example.com"}]}'
)
LATER = b'{"left": "user_id:u", "right": "user_id:v", "state": "later"}'
YAML = b"kind: segment\nname: two\nrule: city = 'Dali'\n"


def collection(
    plural: str, kind: str, body: dict[str, Any], names: str = "one-{} new-{}", **other: Any
) -> list[Row]:
    """How definitions of one kind are looked at and changed."""
    old, new = names.format(kind, kind).split()
    one = f"/api/{plural}/{old}"
    given, named = (
        msgspec.json.encode(body),
        msgspec.json.encode({**body, **other, "name": new}),
    )
    return [
        ("POST", f"/api/{plural}", "editor", named, f"{kind}.apply"),
        ("PUT", one, "editor", given, f"{kind}.apply"),
        ("GET", one, "reader", None, ""),
        ("GET", f"{one}/versions", "reader", None, ""),
        ("GET", f"{one}/versions/1", "reader", None, ""),
        ("GET", f"{one}/dependents", "reader", None, ""),
        ("DELETE", one, "editor", None, f"{kind}.delete"),
        ("POST", f"{one}/rollback", "editor", b'{"version": 1}', f"{kind}.apply"),
    ]


# Every route, the least role that may use it, a request that succeeds, and the audit entry it leaves.
ALLOWED: list[Row] = [
    ("GET", "/api/sources/status", "reader", None, ""),
    ("GET", "/api/loads", "reader", None, ""),
    ("GET", "/api/secrets", "admin", None, ""),
    ("PUT", "/api/secrets/token", "admin", b'{"value": "x"}', "secret.set"),
    ("DELETE", "/api/secrets/token", "admin", None, "secret.remove"),
    ("GET", "/api/profiles/user_id:u", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/claims", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/quality", "reader", None, ""),
    ("GET", "/api/quality", "reader", None, ""),
    ("POST", "/api/quality/refresh", "analyst", None, ""),
    ("GET", "/api/accounts", "reader", None, ""),
    ("GET", "/api/accounts/acme", "reader", None, ""),
    ("GET", "/api/accounts/acme/members", "reader", None, ""),
    ("GET", "/api/accounts/acme/claims", "reader", None, ""),
    ("GET", "/api/accounts/acme/history", "reader", None, ""),
    ("PUT", "/api/accounts/acme/members/user_id:u", "editor", None, "account.add"),
    ("DELETE", "/api/accounts/acme/members/user_id:u", "editor", None, "account.remove"),
    ("PUT", "/api/accounts/acme/traits/plan", "editor", b'{"value": "x"}', "account.correct"),
    ("DELETE", "/api/accounts/acme/traits/plan", "editor", None, "account.correct"),
    ("GET", "/api/households", "reader", None, ""),
    ("GET", "/api/account-traits", "reader", None, ""),
    ("GET", "/api/household-traits", "reader", None, ""),
    ("POST", "/api/dedupe", "analyst", b"name,city\nAnn,Bonn\n", "job.add"),
    ("GET", "/api/households/user_id:u", "reader", None, ""),
    ("GET", "/api/households/user_id:u/history", "reader", None, ""),
    ("PUT", "/api/households/user_id:u/members/user_id:v", "editor", HOME, "household.yes"),
    ("PUT", "/api/profiles/user_id:u/traits/city", "editor", b'{"value": "x"}', "trait.correct"),
    ("DELETE", "/api/profiles/user_id:u/traits/city", "editor", None, "trait.correct"),
    ("GET", "/api/profiles/user_id:u/events", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/history", "reader", None, ""),
    ("GET", "/api/profiles/user_id:u/links", "reader", None, ""),
    ("GET", "/api/segments", "reader", None, ""),
    *collection("segments", "segment", {"rule": "city = 'Dali'"}),
    ("GET", "/api/segments/one-segment/members", "reader", None, ""),
    ("GET", "/api/segments/one-segment/sizes", "reader", None, ""),
    ("POST", "/api/segments/preview", "analyst", SEGMENT, ""),
    ("GET", "/api/segments/one-segment/why/user_id:u", "reader", None, ""),
    ("POST", "/api/segments/why", "reader", b'{"rule": "vip", "profile": "user_id:u"}', ""),
    ("POST", "/api/segments/overlap", "analyst", b'{"rules": {"a": "x", "b": "y"}}', ""),
    ("POST", "/api/segments/compare", "analyst", SEGMENT, ""),
    ("POST", "/api/segments/one-segment/backtest", "analyst", b'{"at": "2026-01-31"}', ""),
    ("POST", "/api/segments/backtest", "analyst", b'{"at": "2026-01-31", "rule": "vip"}', ""),
    ("GET", "/api/identity/why?left=user_id:u&right=user_id:v", "reader", None, ""),
    ("GET", "/api/identity/reviews", "reader", None, ""),
    ("POST", "/api/identity/reviews", "editor", LATER, "identity.later"),
    ("POST", "/api/identity/decisions", "editor", APART, "identity.apart"),
    ("GET", "/api/identity/merges", "reader", None, ""),
    ("POST", "/api/identity/try", "analyst", YAML, "job.add"),
    ("POST", "/api/identity/compare", "reader", RIVALS, ""),
    *collection("identifiers", "identifier", {"strength": "unique"}, "one_{} new_{}"),
    *collection("identity", "identity", {"consent": False}, "people people"),
    ("GET", "/api/identifiers", "reader", None, ""),
    ("GET", "/api/identity", "reader", None, ""),
    ("POST", "/api/identity/claims", "editor", b"{}", ""),
    ("DELETE", "/api/identity/claims", "editor", None, ""),
    ("POST", "/api/identity/bulk/preview", "editor", b'{"verdict": "same"}', ""),
    ("POST", "/api/identity/bulk", "editor", BULK, "identity.bulk_same"),
    ("POST", "/api/identity/bulk/undo", "editor", b'{"at": 1}', "identity.bulk_open"),
    ("GET", "/api/definitions", "reader", None, ""),
    ("POST", "/api/definitions/plan", "reader", YAML, ""),
    ("POST", "/api/definitions/apply", "editor", YAML, "segment.apply"),
    *collection("traits", "trait", {"type": "number"}),
    *collection("tags", "tag", {"cases": [{"value": "x"}]}),
    *collection("properties", "property", {"event": "Seen", "type": "number"}),
    *collection("account-traits", "account_trait", {"type": "number"}),
    *collection("household-traits", "household_trait", {"aggregate": "count"}),
    *collection("golden", "golden", {"survivorship": "longest", "traits": ["a"]}, traits=["b"]),
    *collection("destinations", "destination", HOOK),
    *collection(
        "mappings", "mapping", {"identifiers": {"user_id": "a"}}, identifiers={"email": "b"}
    ),
    *collection("source-definitions", "source", {"type": "csv"}),
    *collection("tracking-plans", "tracking_plan", {"event": "Seen", "schema": {}}),
    ("GET", "/api/tracking-plans", "reader", None, ""),
    ("GET", "/api/tracking/violations", "reader", None, ""),
    ("GET", "/api/tracking/draft?event=Seen", "reader", None, ""),
    ("GET", "/api/rates", "reader", None, ""),
    ("PUT", "/api/rates", "editor", b"Date,USD\n2026-01-30,1.25\n", "rates.load"),
    ("POST", "/api/mappings/suggest?name=a.csv", "editor", b"id,phone\n1,2\n", ""),
    ("GET", "/api/traits", "reader", None, ""),
    ("GET", "/api/golden", "reader", None, ""),
    ("GET", "/api/tags", "reader", None, ""),
    ("GET", "/api/tags/one-tag/health", "reader", None, ""),
    ("PUT", "/api/tags/by-hand", "editor", b'{"values": ["x"]}', "tag.apply"),
    ("PUT", "/api/tags/by-hand/profiles/user_id:u", "editor", b'{"value": "x"}', "tag.set"),
    ("DELETE", "/api/tags/by-hand/profiles/user_id:u", "editor", None, "tag.set"),
    ("POST", "/api/tags/by-hand/import?kind=user_id", "editor", b"user_id,value\nu,x\n", ""),
    ("POST", "/api/tags/by-hand/refresh", "editor", None, "job.add"),
    ("PUT", "/api/segments/friends", "editor", b'{"list": "user_id"}', "segment.apply"),
    ("POST", "/api/segments/friends/list", "editor", b"user_id\nu\n", ""),
    ("GET", "/api/properties", "reader", None, ""),
    ("GET", "/api/destinations", "reader", None, ""),
    ("GET", "/api/mappings", "reader", None, ""),
    ("GET", "/api/entities", "reader", None, ""),
    *collection("entities", "entity", {"fields": {"gift": {}}}, "one_{} new_{}"),
    ("GET", "/api/source-definitions", "reader", None, ""),
    ("GET", "/api/jobs", "reader", None, ""),
    ("POST", "/api/jobs", "admin", b'{"kind": "rebuild"}', "job.add"),
    ("GET", "/api/jobs/1", "reader", None, ""),
    ("POST", "/api/jobs/1/cancel", "editor", None, "job.cancel"),
    ("GET", "/api/rejects", "reader", None, ""),
    ("GET", "/api/rejects/1", "analyst", None, ""),
    ("POST", "/api/rejects/1/replay", "editor", b"{}", "reject.replay"),
    ("POST", "/api/rejects/replay", "editor", b'{"ids": null}', "reject.replay"),
    ("GET", "/api/dead-letters", "reader", None, ""),
    ("POST", "/api/dead-letters/replay", "editor", b'{"ids": null}', "dead.replay"),
    ("POST", "/api/standardize", "reader", b'{"records": [{"name": "Ann Lee"}]}', ""),
    ("POST", "/api/extract-identifiers", "reader", b'{"records": [{"email": "a@b.com"}]}', ""),
    ("POST", "/api/merge-records", "reader", b'{"records": [{"values": {"a": 1}}]}', ""),
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
MERGE = "/api/identity/merges/{merge}"
ELSEWHERE = {
    *(
        ("POST", f"/api/sources/{{name}}/{what}")
        for what in ("run", "pause", "resume", "reset", "test")
    ),
    ("GET", "/api/loads/{load}"),
    ("POST", "/api/loads/{load}/cancel"),
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/api/stream"),
    ("POST", "/api/cluster-records"),
    ("GET", "/api/dedupe/{job}/{which}"),
    ("POST", f"{MERGE}/undo"),
    ("POST", f"{MERGE}/redo"),
    ("POST", "/api/match/score"),
    ("POST", "/api/match/candidates"),
}


def headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_each_role_may_do_what_it_should_and_each_change_is_written_down(desk: Any) -> None:
    desk.process({"type": "track", "event": "Seen", "userId": "u"}, {"type": "nonsense"}, {})
    desk.process({"type": "group", "userId": "u", "groupId": "acme"})
    for user, name, born in (("u", "Ann", "1990-05-01"), ("v", "Tom", "2015-02-03")):
        traits = {"first_name": name, "birth_date": born}
        desk.process({"type": "identify", "userId": user, "traits": traits})
    desk.process({"type": "alias", "userId": "u", "previousId": "v"})
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

    tried = {
        (method, template(path.partition("?")[0], document["paths"]))
        for method, path, *_ in ALLOWED
    }
    assert written == tried | ELSEWHERE


def template(path: str, templates: dict[str, Any]) -> str:
    """The template that a path is made from: the one with the fewest open parts that fits."""

    def fits(one: str) -> bool:
        parts, given = one.split("/"), path.split("/")
        return len(parts) == len(given) and all(
            part.startswith("{") or part == value for part, value in zip(parts, given, strict=True)
        )

    return min((one for one in templates if fits(one)), key=lambda one: one.count("{"))
