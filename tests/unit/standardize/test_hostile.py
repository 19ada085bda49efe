"""Whatever comes: no exception, every event accounted for, and only clean values behind."""

from __future__ import annotations

import json
import sqlite3
import time

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.model.records import EVENT_TYPES, Accepted, Event, Identifier, Reject
from onefold.standardize import standardize, verdicts
from onefold.standardize.identifiers import normalize

RECEIVED = 1_770_000_000_000_000


def run(body: bytes, kind: str = "event") -> tuple[list[Event], list[Reject]]:
    return standardize([Accepted("shop", RECEIVED, kind, body, "203.0.113.9")], {})


def track(properties: str) -> bytes:
    return b'{"type":"track","event":"E","userId":"u1","properties":%b}' % properties.encode()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (r'{"a":"x\u0000y"}', {"a": "xy"}),
        ('{"a":"x\0y\n"}', {"a": "xy\n"}),
        (r'{"a\u0000":1}', {"a": 1}),
        (r'{"a":"\ud800x"}', {"a": "\ufffdx"}),
        (r'{"a":"\ud83d\ude00"}', {"a": "😀"}),
        ('{"a":NaN,"b":-Infinity}', {"a": None, "b": None}),
        ('{"a":1e999,"b":1.5}', {"a": "1e999", "b": 1.5}),
        ('{"a":123456789012345678901}', {"a": "123456789012345678901"}),
        ('{"a":9223372036854775807}', {"a": 9223372036854775807}),
        ('{"a":9223372036854775808}', {"a": "9223372036854775808"}),
        ('{"a":-9223372036854775809}', {"a": "-9223372036854775809"}),
        ('{"a":%s}' % ("7" * 6000), {"a": "7" * 6000}),
        ('{"a":1,"a":2}', {"a": 2}),
        ('{"a":"\u202eabc\u200b"}', {"a": "\u202eabc\u200b"}),
        ('{"a":"\'; DROP TABLE x; --"}', {"a": "'; DROP TABLE x; --"}),
    ],
)
def test_odd_values_are_made_clean(sent: str, kept: dict[str, object]) -> None:
    [event], rejects = run(track(sent))
    assert (json.loads(event.properties), rejects) == (kept, [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "event: is not JSON: Expecting value at character 1"),
        (b"{", "event: is not JSON"),
        (b"null", "event: is a number"),
        (b"[]", "event: is a list"),
        (b'"x"', "event: is text"),
        (b"\xff\xfe", "event: is not JSON"),
        (b"[" * 30_000, "event: nests deeper than 64 levels"),
        (track('{"a":' * 64 + "1" + "}" * 64), "event: nests deeper than 64 levels"),
        (track('{"a":' * 900 + "1" + "}" * 900), "event: nests deeper than 64 levels"),
        (track('{"a":"%s"}' % ("x" * 32_768)), "event: has 32,8"),
    ],
)
def test_over_a_limit_or_broken_is_a_reject(body: bytes, reason: str) -> None:
    events, rejects = run(body)
    assert events == []
    assert rejects[0].raw == body
    assert rejects[0].reasons[0].startswith(reason), rejects[0].reasons


def test_sixty_four_levels_are_taken() -> None:
    events, rejects = run(track('{"a":' * 63 + "1" + "}" * 63))
    assert (len(events), rejects) == (1, [])


@pytest.mark.parametrize(
    "bad",
    [
        b"NaN",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[" * 2000 + b"]" * 2000,
        b'{"a" 1}',
        b"01",
        b"",
    ],
)
def test_one_bad_event_never_fails_its_batch(bad: bytes) -> None:
    good = b'{"type":"page","userId":"u1","timestamp":"2026-02-02T02:00:00Z"}'
    body = b'{"sentAt":"2026-02-02T02:00:05Z", "batch": [%b, %b ,%b]}' % (good, bad, good)
    events, rejects = run(body, "batch")
    assert [event.time for event in events] == [RECEIVED - 5_000_000] * 2
    assert [reject.raw for reject in rejects] == [bad]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"batch":5}', b'{"batch":[', b'{"batch":["x]}'])
def test_a_batch_without_events_is_one_reject(body: bytes) -> None:
    events, rejects = run(body, "batch")
    assert (events, [reject.raw for reject in rejects]) == ([], [body])


def test_a_list_is_a_batch_too() -> None:
    events, rejects = run(b'[{"type":"page","userId":"u1"}]', "batch")
    assert (len(events), rejects) == (1, [])


def test_events_over_the_limit_stay_visible_and_can_be_sent_again() -> None:
    one = b'{"type":"page","userId":"u1"}'
    body = b'{"batch":[%b],"sentAt":"2026-02-02T00:00:00Z"}' % b",".join([one] * 2_503)
    events, [reject] = run(body, "batch")
    assert len(events) == 2_500
    assert reject.reasons[0].startswith("batch: has 2,503 events, the first 2,500 are taken")
    again, rejects = run(reject.raw, reject.kind)
    assert (len(again), rejects) == (3, [])
    assert len(verdicts(Accepted("shop", RECEIVED, "batch", body), None)) == 2_503


def test_an_unknown_kind_of_call_is_a_reject() -> None:
    events, [reject] = run(b"{}", "tracks")
    assert (events, reject.reasons[0][:6]) == ([], "kind: ")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["null", "u1", "2026-02-02T00:00:00Z", "a@x.org", "13812345678", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["traits", "email", "phone", "device", "id", "externalIds", "type"])
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = [
    "type",
    "event",
    "userId",
    "anonymousId",
    "messageId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "properties",
    "context",
    "traits",
    "previousId",
    "groupId",
    "name",
    "category",
    "user_id",
    "other",
]
events_sent = st.dictionaries(st.sampled_from(FIELDS), values, max_size=10) | values
plausible = st.fixed_dictionaries(
    {"type": st.sampled_from(EVENT_TYPES), "userId": st.just("u1"), "event": st.just("E")},
    optional={
        "properties": st.dictionaries(st.text(max_size=8), values, max_size=4),
        "context": st.dictionaries(st.text(max_size=8), values, max_size=4),
        "traits": st.dictionaries(st.text(max_size=8), values, max_size=4),
        "groupId": values,
        "previousId": values,
        "timestamp": values,
    },
)


@given(st.binary(), st.sampled_from(["batch", "event", *EVENT_TYPES]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_events_or_rejects(body: bytes, kind: str) -> None:
    events, rejects = run(body, kind)
    assert kind == "batch" or len(events) + len(rejects) == 1
    assert all(reject.reasons and reject.raw in body for reject in rejects)


@given(st.lists(events_sent | plausible, max_size=5), values, values)
@settings(max_examples=300, deadline=None)
def test_every_event_comes_out_once(sent: list[object], sent_at: object, context: object) -> None:
    body = json.dumps({"batch": sent, "sentAt": sent_at, "context": context}).encode()
    call = Accepted("shop", RECEIVED, "batch", body, None)
    events, rejects = standardize([call], {})
    assert len(events) + len(rejects) == len(sent)
    assert [bool(one.refused) for one in verdicts(call, None)].count(True) == len(rejects)
    assert (events, rejects) == standardize([call], {})


DUCKDB = duckdb.connect()
SQLITE = sqlite3.connect(":memory:")


@given(st.lists(plausible, min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_engines_and_stores_can_take_every_event(sent: list[object]) -> None:
    events, _ = run(json.dumps({"batch": sent}).encode(), "batch")
    texts = [text for event in events for text in (event.properties, event.context)]
    encoded = [msgspec.json.encode(event.traits).decode() for event in events]
    for text in texts + encoded:
        [(valid,)] = DUCKDB.execute("select json_valid($1)", [text]).fetchall()
        assert valid
        [(valid,)] = SQLITE.execute("select json_valid(?)", [text])
        assert valid
        assert msgspec.json.encode(msgspec.json.decode(text)).decode() == text
    for event in events:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


@given(
    st.sampled_from(["email", "phone", "crm_id", "user_id"]),
    st.text(max_size=30)
    | st.from_regex(r"[a-zA-Zİ．＠é\u0301]{1,5}[@＠][a-z]{1,5}[.．][a-z]{2,3}", fullmatch=True)
    | st.from_regex(r"(\+86 ?)?1[3-9][0-9]{9}", fullmatch=True),
)
@settings(max_examples=300, deadline=None)
def test_normalizing_twice_changes_nothing(kind: str, value: str) -> None:
    once = normalize(kind, value, "CN", "x", [])
    if once is not None:
        assert normalize(kind, once, "CN", "x", []) == once


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u202e", "\ufeff", "\u2066", "\0", "\ufe0f", "\u3164"]
)
def test_what_nobody_sees_makes_no_other_person(hidden: str) -> None:
    body = json.dumps({"userId": f"{hidden}u{hidden}1"}).encode()
    [event], _ = run(body, "page")
    assert event.identifiers == (Identifier("user_id", "u1"),)


def test_a_large_context_of_a_batch_is_not_copied_to_each_event() -> None:
    one = b'{"type":"page","userId":"u1"}'
    events, rejects = run(b'{"context":{"a":"%b"},"batch":[%b]}' % (b"x" * 5000, one), "batch")
    assert events == []
    assert rejects[0].reasons[0].startswith("context: has 5,008 bytes, at most 4,096 are taken")


@pytest.mark.parametrize("piece", [b"[],", b",", b'"\\ud800",', b'{"a":{}},', b"["])
def test_a_body_made_to_be_slow_is_still_read_in_a_second_or_two(piece: bytes) -> None:
    plain = b",".join(b'{"type":"page","userId":"u%d"}' % number for number in range(130_000))
    took = []
    for inside in (plain, piece * (4_000_000 // len(piece)) + b"NaN"):
        start = time.process_time()
        events, rejects = run(b'{"batch":[%b]}' % inside, "batch")
        took.append(time.process_time() - start)
    assert events == []
    assert rejects
    usual, slow = took
    assert slow < 60 * usual, took  # up to 16 times where this was written
