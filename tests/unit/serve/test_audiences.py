"""Rules asked of everybody over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onefold.testing.patience import wait_until

EVENTS = (
    {"type": "identify", "userId": "ann", "messageId": "1", "traits": {"country": "CN"}},
    {"type": "track", "event": "Order Completed", "userId": "ann", "messageId": "2"},
    {"type": "identify", "userId": "bob", "messageId": "3", "traits": {"country": "CN"}},
)


def test_a_preview(desk: Any) -> None:
    desk.process(*EVENTS)
    found = desk.post(
        "/api/segments/preview",
        {"rule": "country = 'CN' and did('Order Completed')", "by": ["country"]},
    )
    assert found.status_code == 200
    preview = found.json()
    assert (preview["count"], preview["total"]) == (1, 2)
    assert preview["sample"][0]["traits"] == {"country": "CN"}
    assert preview["by"][0]["values"] == [{"value": "CN", "profiles": 1}]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"rule": "contry ="}, ""),
        ({"rule": "count_off('A') > 1"}, "line 1, column 1"),
        ({}, "body"),
        ({"rule": "a = 1", "sample": 1000}, "sample"),
        ({"rule": "x" * 10_001}, "rule"),
        ({"rule": "vip", "what": 1}, "body"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(desk: Any, body: dict[str, Any], where: str) -> None:
    found = desk.post("/api/segments/preview", body)
    assert found.status_code == 422 or found.status_code == 400
    assert found.headers["content-type"] == "application/problem+json"
    assert where in str(found.json())


def test_a_reader_may_not_preview(desk: Any) -> None:
    found = desk.post("/api/segments/preview", {"rule": "vip"}, key=desk.key("reader"))
    assert found.status_code == 403


def test_a_preview_that_takes_too_long_is_stopped(desk: Any) -> None:
    desk.process(*EVENTS)
    desk.settings = type(desk.settings)(data=desk.settings.data, sql_seconds=0.000_1)

    def is_stopped() -> bool:
        found = desk.post("/api/segments/preview", {"rule": "country = 'CN'"})
        return "longer than 0.0001 s" in str(found.json())

    # So few people may be counted before the clock's own thread has its turn.
    wait_until(is_stopped, "a query is stopped")


def test_why(desk: Any) -> None:
    desk.process(*EVENTS)
    desk.call("PUT", "/api/segments/buyers", content=b'{"rule": "did(\'Order Completed\')"}')
    found = desk.get("/api/segments/buyers/why/user_id:ann").json()
    assert (found["holds"], found["member"], found["segment"]) == (True, False, "buyers")
    assert found["clause"]["inputs"][0]["events"][0]["message_id"] == "2"
    body = {"rule": "country = 'DE'", "profile": "user_id:bob"}
    assert desk.post("/api/segments/why", body).json()["clause"]["holds"] is False
    assert desk.get("/api/segments/buyers/why/user_id:nobody").status_code == 404
    assert desk.get("/api/segments/byers/why/user_id:ann").status_code == 404


def test_overlap_and_compare(desk: Any) -> None:
    desk.process(*EVENTS)
    rules = {"a": "country = 'CN'", "b": "did('Order Completed')"}
    found = desk.post("/api/segments/overlap", {"rules": rules}).json()
    assert found["parts"] == [{"rules": ["a"], "profiles": 1}, {"rules": ["a", "b"], "profiles": 1}]
    assert desk.post("/api/segments/overlap", {"rules": {"a": "vip"}}).status_code == 400
    differs = desk.post("/api/segments/compare", {"rule": rules["b"]}).json()["differences"]
    assert differs[0]["what"] == "Order Completed"


def test_a_backtest_now_or_as_a_job(desk: Any) -> None:
    desk.process(*EVENTS)
    since = datetime.now(UTC) - timedelta(days=300)
    body = {"rule": "did('Order Completed')", "since": f"{since:%Y-%m-%d}", "step": "day"}
    too_long = desk.post("/api/segments/backtest", {**body, "since": "2020-01-01"})
    assert (too_long.status_code, too_long.json()["errors"][0]["where"]) == (400, "until")
    assert desk.post("/api/segments/backtest", {"rule": "vip"}).status_code == 400
    found = desk.post("/api/segments/backtest", {**body, "job": True})
    assert found.status_code == 202
    job = desk.finished(found.json()["id"])
    assert job["state"] == "done", job
    last = job["result"]["points"][-1]
    assert last["members"] == 1
    assert job["result"]["changes"][-1]["entered"] is True


def test_a_rule_that_is_too_long_is_refused_with_the_reason(desk: Any) -> None:
    clauses = " or ".join(f"a = {number}" for number in range(10_000))
    found = desk.post("/api/segments/preview", {"rule": clauses})
    assert found.status_code == 400
    assert "is longer than 10000 characters" in found.json()["errors"][0]["message"]
    assert len(found.content) < 2_000


@pytest.mark.parametrize("name", ['a"b', "a\\b", "*", "a*", "", "a/b", "a~0", "a.b", "'", "$.x"])
def test_traits_may_have_any_name(desk: Any, name: str) -> None:
    traits = {name: ["x", 7], "o": {name: "in"}}
    desk.process({"type": "identify", "userId": "ann", "messageId": "1", "traits": traits})
    quoted = '"' + name.replace('"', '""') + '"'
    rule = f"{quoted} = '[\"x\",7]' and o.{quoted} = 'in'"
    found = desk.post("/api/segments/preview", {"rule": rule, "sample": 0})
    assert found.json()["count"] == 1
    listed = desk.post("/api/segments/preview", {"rule": f"any_of({quoted}, value = 'x')"})
    assert listed.json()["count"] == 1
