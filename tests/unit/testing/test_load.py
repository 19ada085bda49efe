"""Load for benches: well-formed, repeatable, and hitting whom it should."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import msgspec

from onefold.testing.load import (
    batch_bodies,
    live_bodies,
    skewed,
    uniform,
    user_events,
    user_profiles,
)

AT = 1_767_225_600_000_000


def test_events_are_segment_tracks_of_about_five_hundred_bytes() -> None:
    events = list(user_events(range(500), AT))
    assert 450 < sum(map(len, events)) / len(events) < 650
    for number, raw in enumerate(events):
        event = msgspec.json.decode(raw)
        assert event["type"] == "track"
        assert event["userId"] == f"u{number}"
        assert event["timestamp"] == "2026-01-01T00:00:00.000Z"
        assert len(event["messageId"]) == 36


def test_runs_repeat_byte_for_byte_and_never_share_a_message_id() -> None:
    first = list(user_events(range(100), AT, run=1))
    assert first == list(user_events(range(100), AT, run=1))
    later = [*user_events(range(100), AT, run=1, first=100), *user_events(range(100), AT, run=2)]
    ids = [msgspec.json.decode(raw)["messageId"] for raw in [*first, *later]]
    assert len(set(ids)) == 300


def test_choices_are_uniform_or_nine_in_ten_on_a_tenth() -> None:
    even = Counter(islice(uniform(1000), 20_000))
    busy = Counter(islice(skewed(1000), 20_000))
    assert len(even) > 990
    assert max(even) < 1000
    assert max(busy) < 1000
    assert sum(count for _, count in even.most_common(100)) < 4_000
    assert 17_500 < sum(count for _, count in busy.most_common(100)) < 19_000


def test_bodies_are_batches() -> None:
    bodies = list(batch_bodies(user_events(range(250), AT), size=100))
    assert [len(msgspec.json.decode(body)["batch"]) for body in bodies] == [100, 100, 50]


def test_live_bodies_carry_the_time_of_the_clock() -> None:
    times = iter((AT, AT + 1_000_000))
    one, two = islice(live_bodies(uniform(10), lambda: next(times), size=2), 2)
    assert msgspec.json.decode(one)["sentAt"] == "2026-01-01T00:00:00.000Z"
    events = msgspec.json.decode(two)["batch"]
    assert {event["timestamp"] for event in events} == {"2026-01-01T00:00:01.000Z"}
    assert {event["messageId"] for event in events}.isdisjoint(
        event["messageId"] for event in msgspec.json.decode(one)["batch"]
    )


def test_profiles_make_the_same_users_known() -> None:
    profiles = [msgspec.json.decode(raw) for raw in user_profiles(range(50), AT)]
    events = [msgspec.json.decode(raw) for raw in user_events(range(50), AT)]
    for profile, event in zip(profiles, events, strict=True):
        assert profile["userId"] == event["userId"]
        assert profile["anonymousId"] == event["anonymousId"]
        assert "@" in profile["traits"]["email"]
    assert {profile["traits"]["country"] for profile in profiles} > {"CN"}
