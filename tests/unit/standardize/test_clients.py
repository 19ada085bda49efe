"""The bodies that published clients send, field by field as they spell them."""

from __future__ import annotations

import json
from typing import Any

from onefold.model.records import Accepted, Event
from onefold.standardize import standardize

RECEIVED = 1_770_000_000_000_000  # 2026-02-02T02:40:00Z
SECOND = 1_000_000


def read(kind: str, body: dict[str, Any]) -> list[Event]:
    call = Accepted("shop", RECEIVED, kind, json.dumps(body).encode(), "203.0.113.9")
    events, rejects = standardize([call], {})
    assert rejects == []
    return events


def owners(event: Event) -> list[str]:
    return [f"{kind}:{value}" for kind, value in event.identifiers]


def test_segment_for_python() -> None:
    message = {
        "integrations": {},
        "anonymousId": None,
        "properties": {"plan": "专业版"},
        "timestamp": "2026-02-02T02:39:57.123456+00:00",
        "context": {"library": {"name": "analytics-python", "version": "2.3.4"}},
        "userId": "u1",
        "type": "track",
        "event": "Signed Up",
        "messageId": "c5b6e8f2-8d3c-4a35-9a52-6d3f9bd3c3f1",
    }
    [event] = read("batch", {"batch": [message], "sentAt": "2026-02-02T02:39:59.123456+00:00"})
    assert (event.name, owners(event)) == ("Signed Up", ["user_id:u1"])
    assert event.time == RECEIVED - 2 * SECOND
    assert event.properties == '{"plan":"专业版"}'


def test_segment_in_the_browser() -> None:
    [event] = read(
        "page",
        {
            "timestamp": "2026-02-02T02:39:58.000Z",
            "integrations": {"Segment.io": True},
            "type": "page",
            "properties": {"path": "/", "title": "Shop"},
            "name": "Home",
            "category": None,
            "context": {"page": {"path": "/"}, "userAgentData": {"mobile": False}},
            "messageId": "ajs-next-1769999998000-9c5d",
            "anonymousId": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "writeKey": "web:secret",
            "userId": None,
            "sentAt": "2026-02-02T02:39:59.000Z",
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        },
    )
    assert owners(event) == ["anonymous_id:0f8fad5b-d9cb-469f-a165-70867728950e"]
    assert json.loads(event.properties) == {"path": "/", "title": "Shop", "name": "Home"}
    assert "secret" not in event.context
    assert "_metadata" not in event.context


def rudder(**fields: Any) -> dict[str, Any]:
    return {
        "channel": "web",
        "context": {
            "traits": {"email": "li@shop.example", "phone": "+8613812345678"},
            "sessionId": 1770000000000,
            "device": None,
            "network": None,
            "campaign": {},
        },
        "originalTimestamp": "2026-02-02T02:39:58.000Z",
        "sentAt": "2026-02-02T02:39:59.000Z",
        "integrations": {"All": True},
        "messageId": "7cf1a1c8",
        "userId": "",
        "anonymousId": "a1",
        "event": None,
        "properties": None,
        "traits": None,
        "groupId": None,
        "previousId": None,
        **fields,
    }


def test_rudderstack_identifies_with_traits_in_the_context() -> None:
    [event] = read("identify", rudder(type="identify", userId="u1"))
    assert (event.strong, event.traits["email"]) == (True, "li@shop.example")
    assert owners(event) == [
        "user_id:u1",
        "email:li@shop.example",
        "phone:+8613812345678",
        "anonymous_id:a1",
    ]


def test_rudderstack_repeats_traits_in_a_beacon() -> None:
    body = {"batch": [rudder(type="track", event="Viewed"), rudder(type="page", name="Home")]}
    track, page = read("batch", body)
    assert (track.name, track.strong, track.time) == ("Viewed", False, RECEIVED - SECOND)
    assert (page.name, page.properties) == ("page", '{"name":"Home"}')
    assert json.loads(track.context)["channel"] == "web"


def test_jitsu_in_the_browser() -> None:
    [event] = read(
        "identify",
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "a1",
            "traits": {"email": "li@shop.example"},
            "timestamp": "2026-02-02T02:39:58.000Z",
            "sentAt": "2026-02-02T02:39:58.000Z",
            "messageId": "x1",
            "writeKey": "web:***",
            "groupId": "g1",
            "context": {
                "library": {"name": "@jitsu/js", "env": "browser"},
                "ip": "198.51.100.1",
                "clientIds": {"fbp": "fb.1"},
            },
        },
    )
    assert owners(event) == ["user_id:u1", "email:li@shop.example", "anonymous_id:a1"]
    assert event.properties == '{"group_id":"g1"}'
    assert json.loads(event.context)["ip"] == "198.51.100.1"
