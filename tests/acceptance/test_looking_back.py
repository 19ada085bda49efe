"""A profile as of a time is what was known of events up to then."""

from __future__ import annotations

import pytest

from onefold.app.profiles.finding import profile
from onefold.app.profiles.lookback import profile_as_of
from onefold.app.questions.query import sql
from onefold.model.errors import NotFound
from tests.acceptance.conftest import Stepped

DAY = 86_400_000_000
START = 1_767_225_600_000_000  # 2026-01-01T00:00Z
EVENTS = (
    {
        "type": "page",
        "anonymousId": "a1",
        "timestamp": "2026-01-02T12:00:00Z",
    },
    {
        "type": "identify",
        "userId": "ann",
        "anonymousId": "a1",
        "traits": {"city": "Bonn"},
        "timestamp": "2026-01-03T12:00:00Z",
    },
    {
        "type": "identify",
        "userId": "ann",
        "traits": {"city": "Berlin", "email": "ann@example.com"},
        "timestamp": "2026-01-05T12:00:00Z",
    },
)
READERS = "kind: segment\nname: readers\nrule: did('page', last => interval 2 day)\n"


def test_identifiers_traits_and_counts_are_those_of_the_time(onefold: Stepped) -> None:
    onefold.take(*EVENTS)
    seen = [profile_as_of(onefold.settings, "anonymous_id:a1", START + n * DAY) for n in (2, 4, 6)]
    assert [sorted(one.kind for one in then.identifiers) for then in seen] == [
        ["anonymous_id"],
        ["anonymous_id", "user_id"],
        ["anonymous_id", "email", "user_id"],
    ]
    assert [then.traits.get("city") for then in seen] == [None, "Bonn", "Berlin"]
    assert [then.computed["event_count"] for then in seen] == [1, 2, 3]


def test_a_profile_goes_by_its_id_of_today(onefold: Stepped) -> None:
    onefold.take(*EVENTS)
    today = profile(onefold.settings, "user_id:ann")
    then = profile_as_of(onefold.settings, today.id, START + 4 * DAY)
    assert (then.id, then.traits) == (today.id, {"city": "Bonn"})


def test_segments_are_those_whose_rules_held(onefold: Stepped) -> None:
    onefold.define(READERS)
    onefold.take(*EVENTS)
    names = [
        [one.name for one in profile_as_of(onefold.settings, "anonymous_id:a1", at).segments]
        for at in (START + 2 * DAY, START + 6 * DAY)
    ]
    assert names == [["readers"], []]


def test_before_its_first_event_there_was_nobody(onefold: Stepped) -> None:
    onefold.take(*EVENTS)
    with pytest.raises(NotFound):
        profile_as_of(onefold.settings, "user_id:ann", START + 2 * DAY)
    with pytest.raises(NotFound):
        profile_as_of(onefold.settings, "user_id:nobody", START)


def test_the_person_keeps_the_id_when_the_device_turns_out_to_be_shared(onefold: Stepped) -> None:
    onefold.take({"type": "page", "anonymousId": "kiosk"})
    onefold.take({"type": "identify", "userId": "ann", "anonymousId": "kiosk"})
    before = profile(onefold.settings, "user_id:ann").id
    for user in ("bob", "cho", "dan"):
        onefold.take({"type": "identify", "userId": user, "anonymousId": "kiosk"})
    assert profile(onefold.settings, "user_id:ann").id == before
    assert profile(onefold.settings, "anonymous_id:kiosk").id != before


def test_history_names_who_said_it_and_what_parted(onefold: Stepped) -> None:
    onefold.take(EVENTS[1] | {"messageId": "m1"})
    onefold.take({"type": "page", "anonymousId": "a1"})
    for user in ("bob", "cho", "dan"):
        onefold.take({"type": "identify", "userId": user, "anonymousId": "a1"})
    rows = sql(
        onefold.settings,
        "select what, name, source, message_id from changes"
        " where what in ('trait', 'split') order by batch, number",
    ).rows
    alone = profile(onefold.settings, "anonymous_id:a1").id
    assert rows == [("trait", "city", "default", "m1"), ("split", alone, None, None)]
