"""A rule that comes later counts the past: nothing is missed, nothing counted twice."""

from __future__ import annotations

import msgspec

from onefold.app.profiles.finding import profile
from onefold.app.worker.loop import Worker
from onefold.model.profile import decode_profile
from onefold.pipeline.members import buckets_of
from tests.acceptance.conftest import Stepped

ORDER = {"type": "track", "event": "Order Completed"}
EAGER = (
    "kind: segment\nname: eager\nrule: count_of('Order Completed', last => interval 9 day) = {}\n"
)
FROM_BONN = "kind: segment\nname: from_bonn\nrule: city = 'Bonn'\n"


def segments(onefold: Stepped, user: str = "ann") -> list[str]:
    return [one.name for one in profile(onefold.settings, f"user_id:{user}").segments]


def test_the_past_counts(onefold: Stepped) -> None:
    onefold.take({**ORDER, "userId": "ann", "messageId": "1"})
    onefold.take(
        {"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"city": "Bonn"}},
        {**ORDER, "anonymousId": "a1", "messageId": "2"},
    )
    onefold.define(EAGER.format(2) + "---\n" + FROM_BONN)
    onefold.settle()
    assert segments(onefold) == ["eager", "from_bonn"]


def test_what_comes_in_afterwards_is_added_once(onefold: Stepped) -> None:
    onefold.take({**ORDER, "userId": "ann"})
    onefold.define(EAGER.format(2))
    onefold.take({**ORDER, "userId": "ann", "messageId": "second"})
    assert segments(onefold) == ["eager"]
    onefold.take({**ORDER, "userId": "ann", "messageId": "third"})
    assert segments(onefold) == []


def test_a_metric_that_comes_back_is_counted_anew(onefold: Stepped) -> None:
    onefold.define(EAGER.format(2))
    onefold.take({**ORDER, "userId": "ann", "messageId": "1"})
    onefold.store.registry.put_definitions([], [("segment", "eager")], 1, "test")
    onefold.take({**ORDER, "userId": "ann", "messageId": "2"})
    onefold.define(EAGER.format(2))
    onefold.settle()
    assert segments(onefold) == ["eager"]


def test_members_leave_a_segment_that_is_gone(onefold: Stepped) -> None:
    onefold.define(FROM_BONN)
    onefold.take({"type": "identify", "userId": "ann", "traits": {"city": "Bonn"}})
    assert segments(onefold) == ["from_bonn"]
    onefold.store.registry.put_definitions([], [("segment", "from_bonn")], 1, "test")
    onefold.settle()
    assert segments(onefold) == []
    members = "select count(*) from members"
    assert onefold.store.db.one(members) == 0


def test_in_another_time_zone_days_are_counted_anew(onefold: Stepped) -> None:
    onefold.define(EAGER.format(1))
    onefold.take({**ORDER, "userId": "ann"})
    before = buckets(onefold)
    settings = msgspec.structs.replace(onefold.settings, timezone="Pacific/Kiritimati")
    Worker(settings, onefold.store, onefold.lake, onefold.log).step()
    (day,), (later,) = before, buckets(onefold)
    assert later in (day, day + 1)
    west = msgspec.structs.replace(onefold.settings, timezone="Pacific/Niue")
    Worker(west, onefold.store, onefold.lake, onefold.log).step()
    # Kiritimati is 25 hours ahead of Niue: never the same day.
    assert buckets(onefold)[0] < later


def buckets(onefold: Stepped) -> list[int]:
    """The days that Ann's orders are counted under."""
    documents = onefold.store.documents(onefold.store.profile_ids(0, 10))
    nodes = [node for one in documents.values() for node in decode_profile(one).nodes]
    return [day for node in nodes for days in buckets_of(node).values() for day in days]
