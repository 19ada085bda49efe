"""One rule each: what is sent, and the event or the reasons that come out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from onefold.model.records import Accepted, Event, Identifier
from onefold.standardize import seen_key, standardize, verdicts

RECEIVED = 1_770_000_000_000_000  # 2026-02-02T02:40:00Z
SECOND = 1_000_000
DAY = 86_400 * SECOND


@dataclass
class Shop:
    default_country: str | None = "CN"


def read(body: Any, kind: str = "event", ip: str | None = None) -> tuple[list[Event], list[str]]:
    """The events and all reasons of one call."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    events, rejects = standardize([Accepted("shop", RECEIVED, kind, raw, ip)], {"shop": Shop()})
    return events, [reason for reject in rejects for reason in reject.reasons]


def event(**fields: Any) -> Event:
    """The event that a track of user u1 becomes with these fields."""
    events, reasons = read({"type": "track", "event": "E", "userId": "u1", **fields})
    assert reasons == []
    return events[0]


def reasons(**fields: Any) -> list[str]:
    """Why a track of user u1 with these fields is rejected."""
    events, found = read({"type": "track", "event": "E", "userId": "u1", **fields})
    assert events == []
    return found


def ids(event: Event) -> list[str]:
    return [f"{identifier.kind}:{identifier.value}" for identifier in event.identifiers]


def test_a_whole_event() -> None:
    body = {
        "type": "track",
        "event": " Order Completed ",
        "messageId": " m1 ",
        "userId": "u1",
        "anonymousId": "a1",
        "properties": {"revenue": 9.5},
        "context": {"locale": "zh-CN", "traits": {"email": "A@x.org"}},
        "originalTimestamp": "2026-02-02T02:39:50Z",
        "sentAt": "2026-02-02T02:39:55Z",
    }
    events, _ = read(body, ip="203.0.113.9")
    assert events == [
        Event(
            source="shop",
            type="track",
            name="Order Completed",
            time=RECEIVED - 5 * SECOND,
            received_at=RECEIVED,
            message_id="m1",
            identifiers=(
                Identifier("user_id", "u1"),
                Identifier("email", "a@x.org"),
                Identifier("anonymous_id", "a1"),
            ),
            asserted=(),
            traits={"email": "A@x.org"},
            strong=False,
            properties='{"revenue":9.5}',
            context='{"locale":"zh-CN","ip":"203.0.113.9"}',
            client_minute=(RECEIVED - 10 * SECOND) // (60 * SECOND),
        )
    ]


@pytest.mark.parametrize("kind", ["track", "identify", "page", "screen", "group", "alias"])
def test_the_path_names_the_type(kind: str) -> None:
    body = {"userId": "u1", "event": "E", "groupId": "g1", "previousId": "a1", "type": "page"}
    [found], _ = read(body, kind)
    assert (found.type, found.name) == (kind, "E" if kind == "track" else kind)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": None}, "type: is missing"),
        ({"type": "Track"}, "type: is 'Track', which is no type of event"),
        ({"type": 5}, "type: is not text"),
        ({"event": None}, "event: is missing"),
        ({"event": "  "}, "event: is empty"),
        ({"event": "\u200b"}, "event: is empty"),
        ({"event": 7}, "event: is a number"),
        ({"event": "x" * 257}, "event: has 257 characters"),
        ({"userId": None}, "userId: is missing or empty, and there is no other identifier"),
        ({"userId": "undefined"}, "userId: stands for nobody (userId 'undefined')"),
        ({"userId": {"a": 1}}, "userId: is an object"),
        ({"userId": "u" * 513}, "userId: has 513 characters"),
        ({"messageId": "m" * 513}, "messageId: has 513 characters"),
        ({"messageId": []}, "messageId: is a list"),
        ({"properties": "x"}, "properties: is text"),
        ({"context": [1]}, "context: is a list"),
        ({"traits": 5}, "traits: is a number"),
        ({"context": {"traits": "x"}}, "context.traits: is text"),
        ({"traits": {"x" * 201: 1}}, "traits: has a name of more than 200 characters"),
        ({"traits": {str(n): 1 for n in range(501)}}, "traits: has 501 names"),
        ({"timestamp": "yesterday"}, "timestamp: is not a time"),
        ({"timestamp": {"a": 1}}, "timestamp: is not a time"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp: lies outside the years 1970 to 2100"),
        ({"timestamp": "2101-01-01"}, "timestamp: lies outside the years 1970 to 2100"),
        ({"timestamp": "2026-02-02", "sentAt": "soon"}, "sentAt: is not a time"),
        ({"type": "group"}, "groupId: names no group"),
        ({"type": "alias"}, "previousId: is missing"),
        ({"type": "alias", "previousId": "null"}, "previousId: names nobody"),
    ],
)
def test_rejected_with_its_reason(fields: dict[str, Any], reason: str) -> None:
    found = reasons(**fields)
    assert any(text.startswith(reason) for text in found), found


def test_every_reason_at_once() -> None:
    found = reasons(event="", userId="null", properties=[], timestamp="x", messageId={})
    assert [text.split(":")[0] for text in found] == [
        "timestamp",
        "messageId",
        "event",
        "userId",
        "properties",
    ]


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        # the client's clock is two days slow
        ({"timestamp": "2026-01-31T02:39:50Z", "sentAt": "2026-01-31T02:39:55Z"}, -5),
        # the original time wins
        ({"timestamp": "2026-01-01", "originalTimestamp": "2026-02-02T02:39:00Z"}, -60),
        # a historical import is kept
        ({"timestamp": "2020-01-01T00:00:00Z"}, (1_577_836_800 - RECEIVED // SECOND)),
        ({"timestamp": "2026-02-02T10:40:01+08:00"}, 1),
        ({"timestamp": "2026-02-02T02:40:01.000000999Z"}, 1),
        ({"timestamp": "2026-02-02 02:40:01"}, 1),
        ({"timestamp": 1_770_000_001}, 1),
        ({"timestamp": 1_770_000_001_000}, 1),
        ({"timestamp": "1770000001000"}, 1),
        ({"timestamp": " 2026-02-02T02:40:01Z "}, 1),
        ({}, 0),
        ({"timestamp": ""}, 0),
        ({"sentAt": "2026-02-02T02:40:01Z"}, 0),
        # at most a day ahead, else it is as if it happened now
        ({"timestamp": "2026-02-03T02:39:59Z"}, 86_399),
        ({"timestamp": "2026-02-03T02:40:01Z"}, 0),
        ({"timestamp": "2099-02-03T02:40:01Z"}, 0),
    ],
)
def test_time(fields: dict[str, Any], seconds: int) -> None:
    assert event(**fields).time == RECEIVED + seconds * SECOND


def test_sent_at_of_the_batch_counts_unless_the_event_has_its_own() -> None:
    one = {"type": "page", "userId": "u1", "timestamp": "2026-02-02T02:00:00Z"}
    two = {**one, "sentAt": "2026-02-02T02:00:10Z"}
    events, _ = read({"batch": [one, two], "sentAt": "2026-02-02T02:00:20Z"}, "batch")
    assert [found.time - RECEIVED for found in events] == [-20 * SECOND, -10 * SECOND]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"userId": " u1 ", "anonymousId": None}, ["user_id:u1"]),
        ({"userId": 17}, ["user_id:17"]),
        ({"userId": 17.0}, ["user_id:17"]),
        ({"userId": "İ\u200b\u202eé"}, ["user_id:İé"]),
        ({"userId": "e\u0301"}, ["user_id:é"]),
        ({"userId": None, "anonymousId": "a1"}, ["anonymous_id:a1"]),
        ({"userId": "None", "anonymousId": "a1"}, ["anonymous_id:a1"]),
        ({"userId": True, "anonymousId": "a1"}, ["anonymous_id:a1"]),
        ({"userId": "test"}, ["user_id:test"]),
        ({"user_id": "u2", "userId": "u1"}, ["user_id:u1"]),
        ({"traits": {"email": " Li@X.org "}}, ["user_id:u1", "email:li@x.org"]),
        ({"traits": {"email": "li＠x.org"}}, ["user_id:u1", "email:li@x.org"]),
        ({"traits": {"email": "li"}}, ["user_id:u1"]),
        ({"traits": {"email": {"a": 1}, "phone": [1]}}, ["user_id:u1"]),
        ({"traits": {"phone": "138 1234-5678"}}, ["user_id:u1", "phone:+8613812345678"]),
        ({"traits": {"phone": 13812345678}}, ["user_id:u1", "phone:+8613812345678"]),
        ({"traits": {"phone": "+1 415 555 2671"}}, ["user_id:u1", "phone:+14155552671"]),
        ({"traits": {"phone": "12"}}, ["user_id:u1"]),
        (
            {"context": {"device": {"id": "d1", "advertisingId": "ad1"}}, "anonymousId": "a1"},
            ["user_id:u1", "anonymous_id:a1", "device_id:d1", "advertising_id:ad1"],
        ),
        (
            {
                "context": {
                    "device": {"id": "", "advertisingId": "00000000-0000-0000-0000-000000000000"}
                }
            },
            ["user_id:u1"],
        ),
        ({"context": {"device": "x"}}, ["user_id:u1"]),
    ],
)
def test_identifiers(fields: dict[str, Any], expected: list[str]) -> None:
    assert ids(event(**fields)) == expected


def test_external_ids_by_kind_before_email() -> None:
    external = [
        {"id": "o1", "type": "openid", "collection": "users", "encoding": "none"},
        {"id": "d1", "type": "ios.id"},
        {"id": "C-9", "type": "crmId"},
        {"id": "Z@x.org", "type": "email"},
        {"id": "ab12", "type": "email", "encoding": "sha256"},
        {"id": "acme", "type": "company_id", "collection": "accounts"},
        {"id": "null", "type": "loyalty"},
        {"type": "crmId"},
        "x",
    ]
    found = event(context={"externalIds": external}, anonymousId="a1")
    assert ids(found) == [
        "user_id:u1",
        "crm_id:C-9",
        "email_sha256:ab12",
        "wechat_openid:o1",
        "email:z@x.org",
        "anonymous_id:a1",
        "device_id:d1",
    ]


def test_rudderstack_spells_it_external_id() -> None:
    found = event(context={"externalId": [{"id": "C-9", "type": "crmId"}]})
    assert ids(found) == ["user_id:u1", "crm_id:C-9"]


def test_traits_of_an_identify_are_strong_and_merged_over_the_context() -> None:
    found = event(
        type="identify", traits={"a": 1, "email": None}, context={"traits": {"a": 0, "b": 2}}
    )
    assert (found.traits, found.strong) == ({"a": 1, "b": 2, "email": None}, True)
    assert found.context == "{}"


def test_traits_that_are_repeated_are_weak() -> None:
    found = event(context={"traits": {"a": 1}})
    assert (found.traits, found.strong) == ({"a": 1}, False)


def test_traits_of_a_group_are_no_claims() -> None:
    found = event(type="group", groupId=7, traits={"name": "Acme", "email": "info@acme.org"})
    assert (found.traits, ids(found)) == ({}, ["user_id:u1"])
    assert json.loads(found.properties) == {
        "name": "Acme",
        "email": "info@acme.org",
        "group_id": "7",
    }


def test_name_and_category_of_a_page_become_properties() -> None:
    found = event(type="page", name="Home", category="Shop", properties={"name": "Start"})
    assert found.name == "page"
    assert json.loads(found.properties) == {"name": "Start", "category": "Shop"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"previousId": "p"}, [("user_id", "p"), ("anonymous_id", "p")]),
        ({"previousId": "u1"}, [("anonymous_id", "u1")]),
        ({"anonymousId": "a1"}, [("anonymous_id", "a1")]),
        ({"anonymousId": "a1", "previousId": "p"}, [("user_id", "p"), ("anonymous_id", "p")]),
    ],
)
def test_alias(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    owner = Identifier("user_id", "u1")
    assert event(type="alias", **fields).asserted == tuple(
        (owner, Identifier(*other)) for other in expected
    )


def test_ip_of_the_socket_where_the_client_gave_none_or_asked_for_it() -> None:
    def ip(context: dict[str, Any]) -> Any:
        body = {"userId": "u1", "context": context}
        return json.loads(read(body, "page", "203.0.113.9")[0][0].context)["ip"]

    assert ip({}) == "203.0.113.9"
    assert ip({"ip": "198.51.100.1"}) == "198.51.100.1"
    assert ip({"ip": "198.51.100.1", "direct": True}) == "203.0.113.9"


def test_what_no_specification_names_goes_into_the_context() -> None:
    found = event(channel="web", integrations={"All": True}, writeKey="secret")
    assert found.context == '{"channel":"web"}'


def test_the_context_of_a_batch_is_that_of_its_events() -> None:
    events, _ = read(
        {
            "batch": [{"type": "page", "userId": "u1", "context": {"b": 2}}],
            "context": {"a": 1, "b": 1},
        },
        "batch",
    )
    assert json.loads(events[0].context) == {"a": 1, "b": 2}


def test_a_message_id_from_content_and_time() -> None:
    one = event(timestamp="2026-02-02", sentAt="2026-02-02T00:00:01Z", writeKey="k")
    again = event(timestamp="2026-02-02", sentAt="2026-02-02T00:00:09Z", messageId="")
    other = event(timestamp="2026-02-02", properties={"a": 1})
    assert one.message_id.startswith("content-")
    assert one.message_id == again.message_id != other.message_id


def key_of(one: Event) -> tuple[int, int]:
    return seen_key(one.source, one.message_id, one.client_minute)


def test_the_seen_key_is_the_same_on_redelivery_and_differs_by_source() -> None:
    one = event(timestamp="2026-02-02", sentAt="2026-02-02T00:00:01Z", messageId="m")
    again = event(timestamp="2026-02-02", sentAt="2026-02-02T00:00:09Z", messageId="m")
    assert one.time != again.time
    assert key_of(one) == key_of(again)
    again.source = "other"
    assert key_of(one)[0] == key_of(again)[0] == 1_769_990_400 // 60
    assert key_of(one)[1] != key_of(again)[1]
    assert key_of(event(messageId="m"))[0] == 0


def test_check_says_per_event_what_is_wrong() -> None:
    good = {"type": "page", "userId": "u1"}
    body = json.dumps({"batch": [good, {"type": "page"}, good]}).encode()
    found = [one.refused for one in verdicts(Accepted("shop", RECEIVED, "batch", body), Shop())]
    assert [len(reasons) for reasons in found] == [0, 1, 0]
