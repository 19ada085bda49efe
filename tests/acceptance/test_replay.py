"""Replaying the log changes nothing that was processed before."""

from __future__ import annotations

from onefold.app.profiles.finding import profile
from onefold.app.rejects import reject_list, reject_replay
from onefold.app.replay import replay
from tests.acceptance.conftest import Stepped

GOOD = {"type": "track", "event": "Order Completed", "userId": "ann"}
BAD = {"type": "track", "userId": "ann"}


def test_a_replay_counts_nothing_twice_and_rejects_nothing_twice(onefold: Stepped) -> None:
    onefold.take(GOOD, BAD)
    before = reject_list(onefold.settings)
    assert replay(onefold.settings).replayed == 1
    onefold.settle()
    assert profile(onefold.settings, "user_id:ann").computed["event_count"] == 1
    assert reject_list(onefold.settings) == before
    assert len(before) == 1


def test_a_corrected_reject_becomes_an_event(onefold: Stepped) -> None:
    onefold.take(BAD)
    (reject,) = reject_list(onefold.settings)
    fixed = b'{"type":"track","event":"Order Completed","userId":"ann"}'
    reject_replay(onefold.settings, [reject.id], raw=fixed)
    onefold.settle()
    assert reject_list(onefold.settings) == []
    assert profile(onefold.settings, "user_id:ann").computed["event_count"] == 1


def test_what_is_still_wrong_is_a_reject_again(onefold: Stepped) -> None:
    onefold.take(BAD)
    (reject,) = reject_list(onefold.settings)
    reject_replay(onefold.settings, [reject.id])
    onefold.settle()
    (again,) = reject_list(onefold.settings)
    assert (again.reasons, again.id > reject.id) == (reject.reasons, True)


def test_the_next_replay_does_not_repeat_the_last_one(onefold: Stepped) -> None:
    onefold.take(GOOD)
    assert replay(onefold.settings).replayed == 1
    assert replay(onefold.settings).replayed == 1
