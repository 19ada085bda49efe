"""A rule that comes later counts the past: nothing is missed, nothing counted twice."""

from __future__ import annotations

from onefold.app.profiles import profile
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


def test_a_back_fill_that_was_cut_off_starts_over(onefold: Stepped) -> None:
    onefold.take({**ORDER, "userId": "ann"})
    onefold.define(EAGER.format(1))
    onefold.settle()
    # As a crash leaves it: the counts are there, the note that they are complete is not.
    onefold.store.set_setting("metrics_ready", None)
    onefold.define(EAGER.format(1) + "---\n" + FROM_BONN)
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
