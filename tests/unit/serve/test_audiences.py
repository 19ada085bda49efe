"""Rules asked of everybody over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

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
    found = desk.post("/api/segments/preview", {"rule": "country = 'CN'"})
    assert "takes longer" in str(found.json())
