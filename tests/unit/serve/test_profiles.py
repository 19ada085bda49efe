"""Looking a profile up over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

ANN = {
    "type": "identify",
    "userId": "ann",
    "messageId": "m1",
    "timestamp": "2026-03-01T10:00:00Z",
    "traits": {"email": "Ann@Example.com", "city": "Kunming"},
}


def test_a_profile_is_found_by_identifier_and_by_id(desk: Any) -> None:
    desk.process(ANN)

    by_email = desk.get("/api/profiles/email:ann@example.com").json()
    by_id = desk.get(f"/api/profiles/{by_email['id']}").json()

    assert by_email == by_id
    assert by_email["traits"] == {"city": "Kunming", "email": "Ann@Example.com"}
    assert [one["kind"] for one in by_email["identifiers"]] == ["email", "user_id"]
    assert by_email["computed"]["event_count"] == 1


def test_verbose_tells_where_each_value_comes_from(desk: Any) -> None:
    desk.process(ANN)

    found = desk.get("/api/profiles/user_id:ann?verbose").json()

    assert found["traits"]["city"] == {
        "value": "Kunming",
        "source": "default",
        "time": 1772359200000000,
        "message_id": "m1",
        "identifier": "user_id:ann",
        "why": "latest",
        "lost": 0,
        "known": False,
    }


@pytest.mark.parametrize("value", ["a/b", "a+b", "a b", "客户 7", "50%", "a:b", "x?y#z", "a//b"])
def test_any_value_can_be_looked_up_percent_encoded(desk: Any, value: str) -> None:
    desk.process({"type": "track", "event": "Seen", "userId": value})

    found = desk.get(f"/api/profiles/user_id:{quote(value, safe='')}")

    assert found.status_code == 200
    assert found.json()["identifiers"][0]["value"] == value


def test_a_merged_id_answers_with_the_profile_it_became(desk: Any) -> None:
    desk.process({"type": "track", "event": "Seen", "anonymousId": "a1"})
    desk.process({"type": "track", "event": "Seen", "userId": "u1"})
    one = desk.get("/api/profiles/anonymous_id:a1").json()["id"]
    two = desk.get("/api/profiles/user_id:u1").json()["id"]
    desk.process({"type": "identify", "userId": "u1", "anonymousId": "a1"})

    kept, gone = desk.get(f"/api/profiles/{one}").json(), desk.get(f"/api/profiles/{two}").json()

    assert kept == gone
    assert (kept["id"], kept["aliases"]) == (min(one, two), [max(one, two)])


def test_nobody_is_not_found(desk: Any) -> None:
    assert desk.get("/api/profiles/user_id:nobody").status_code == 404
    assert desk.get("/api/profiles/0000000000000").status_code == 404


@pytest.mark.parametrize(
    ("when", "status"),
    [
        ("2026-03-01T09:59:59Z", 404),
        ("2026-03-01T10:00:00Z", 200),
        ("2026-03-01T18:00+08:00", 200),
        ("2026-03-01T18:00%2B08:00", 200),
        ("2027-01-01", 200),
        ("0001-01-01", 404),
        ("9999-12-31T23:59:59Z", 200),
        ("yesterday", 400),
        ("", 400),
        ("2026-13-01", 400),
    ],
)
def test_a_profile_as_it_was(desk: Any, when: str, status: int) -> None:
    desk.process(ANN)

    assert desk.get(f"/api/profiles/user_id:ann?as_of={when}").status_code == status


@pytest.mark.parametrize(
    "reference", [":", "user_id:", ":u", "nonsense:u", "user_id:null", "%20:x"]
)
def test_what_can_be_nobody_is_no_server_error(desk: Any, reference: str) -> None:
    assert desk.get(f"/api/profiles/{reference}").status_code in (400, 404)
