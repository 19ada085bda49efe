"""Events, changes and evidence of a profile, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.app.lake.writer import drain
from onefold.app.workspace import open_lake, open_store


def walk(desk: Any, path: str, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = desk.get(f"{path}?limit={limit}&cursor={cursor}").json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
    return items


def carry_into_lake(desk: Any) -> None:
    with open_store(desk.settings) as store:
        drain(store, open_lake(desk.settings))


def track(number: int, **more: Any) -> dict[str, Any]:
    stamp = f"2026-03-01T10:{number // 2:02}:00Z"  # two at a time
    return {
        "type": "track", "event": f"E{number}", "userId": "u", "messageId": f"m{number:02}",
        "timestamp": stamp, **more,
    }  # fmt: skip


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_events_are_complete_and_newest_first_across_lake_and_queue(desk: Any, limit: int) -> None:
    desk.process(*[track(number) for number in range(6)])
    carry_into_lake(desk)
    desk.process(*[track(number) for number in range(6, 9)])
    desk.process({**track(3), "userId": "somebody else", "messageId": "other"})

    found = walk(desk, "/api/profiles/user_id:u/events", limit)

    assert [one["message_id"] for one in found] == [f"m{number:02}" for number in range(9)][::-1]


def test_an_event_shows_what_was_sent(desk: Any) -> None:
    desk.process(track(1, properties={"revenue": 12.5}, context={"ip": "192.0.2.1"}))

    event = desk.get("/api/profiles/user_id:u/events").json()["items"][0]

    assert (event["type"], event["name"], event["user_id"]) == ("track", "E1", "u")
    assert event["properties"] == {"revenue": 12.5}


@pytest.mark.parametrize("limit", [1, 100])
def test_history_goes_back_to_what_the_merged_profiles_were(desk: Any, limit: int) -> None:
    desk.process({"type": "track", "event": "Seen", "anonymousId": "a"})
    desk.process({"type": "identify", "userId": "u", "traits": {"city": "Kunming"}})
    carry_into_lake(desk)
    desk.process({"type": "identify", "userId": "u", "anonymousId": "a"})
    desk.process({"type": "identify", "userId": "u", "traits": {"city": "Dali"}})

    found = walk(desk, "/api/profiles/user_id:u/history", limit)

    traits = [(one["name"], one["old"], one["new"]) for one in found if one["what"] == "trait"]
    assert traits[0] == ("city", "Kunming", "Dali")
    assert ("city", None, "Kunming") in traits
    assert "merge" in {one["what"] for one in found}


def test_links_name_the_event_that_is_the_evidence(desk: Any) -> None:
    desk.process({"type": "identify", "userId": "u", "anonymousId": "a", "messageId": "m1"})

    links = desk.get("/api/profiles/user_id:u/links").json()["items"]

    assert len(links) == 1
    assert {links[0]["left"], links[0]["right"]} == {"user_id:u", "anonymous_id:a"}
    assert (links[0]["rank"], links[0]["message_id"]) == ("with_user", "m1")


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "%00", "WyJhIiwxLDJd", "é", "WzEsImEiLDJd"])
@pytest.mark.parametrize("what", ["events", "history", "links"])
def test_a_made_up_cursor_is_refused(desk: Any, what: str, cursor: str) -> None:
    desk.process(track(1))

    assert desk.get(f"/api/profiles/user_id:u/{what}?cursor={cursor}").status_code == 400
