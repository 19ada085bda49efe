"""Merges of the past, undone by their ids: each side is what it would be without."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.app.identity.decisions import identity_decide
from onefold.app.identity.undoing import merge_redo, merge_undo, merges
from onefold.app.profiles.finding import ProfileView
from onefold.app.profiles.history import profile_changes
from onefold.model.errors import Conflict, InvalidInput, NotFound
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_identity import BUYERS, assert_rebuilt, known, order, said, who

SHARED = "email:home@example.com"


def facts(one: ProfileView) -> Any:
    """What a profile is, but for when it was last seen: the event that merged it was no other's."""
    computed = {name: value for name, value in one.computed.items() if name != "last_seen"}
    identifiers = [(known.kind, known.value, known.first_seen) for known in one.identifiers]
    return one.id, identifiers, one.traits, computed, one.tags, [s.name for s in one.segments]


def undo(onefold: Stepped, merge: str, *, back: bool = False) -> None:
    (merge_redo if back else merge_undo)(onefold.settings, merge, actor="eve")
    onefold.settle()


def only_merge(onefold: Stepped) -> str:
    (found,) = merges(onefold.settings).items
    return found.id


def test_each_side_has_what_it_had(onefold: Stepped) -> None:
    onefold.define(BUYERS)
    onefold.take(said("ann", "crm_id:1", city="Bonn"), order("ann"))
    onefold.take({**order("ann"), "messageId": "again"})
    onefold.take(said("bob", "crm_id:2", city="Rome"), order("bob"))
    before = {one: who(onefold, f"user_id:{one}") for one in ("ann", "bob")}
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bob"})
    both = who(onefold, "user_id:bob")
    assert both.computed["event_count"] == 6
    merge = only_merge(onefold)
    assert merge in {one.id for one in profile_changes(onefold.settings, "user_id:ann").items}
    undo(onefold, merge)
    after = {one: who(onefold, f"user_id:{one}") for one in ("ann", "bob")}
    assert facts(after["bob"]) == facts(before["bob"])
    assert after["ann"].traits == before["ann"].traits
    assert [one.name for one in after["ann"].segments] == ["buyers"]
    assert after["bob"].segments == ()
    assert_rebuilt(onefold)
    undo(onefold, merge, back=True)
    assert who(onefold, "user_id:bob").id == both.id
    assert who(onefold, "user_id:bob").traits == both.traits
    assert_rebuilt(onefold)
    undo(onefold, merge)
    assert known(onefold, "user_id:bob") == ["crm_id:2", "user_id:bob"]


def test_sides_stay_whole_whatever_evidence_came_first(onefold: Stepped) -> None:
    old = {"timestamp": "2024-01-01T00:00:00Z"}
    onefold.take(said(None, "crm_id:1", "badge:1"), said(None, "crm_id:2", "badge:2"))
    # What joins the two is older than what holds each of them together.
    onefold.take({**said(None, "badge:1", SHARED), **old}, {**said(None, "badge:2", SHARED), **old})
    assert len(known(onefold, "crm_id:1")) == 5
    merge = only_merge(onefold)
    undo(onefold, merge)
    sides = sorted([known(onefold, "crm_id:1"), known(onefold, "crm_id:2")])
    assert [[one for one in side if one != SHARED] for side in sides] == [
        ["badge:1", "crm_id:1"],
        ["badge:2", "crm_id:2"],
    ]
    onefold.take(said(None, "crm_id:1", "crm_id:2"))
    assert known(onefold, "crm_id:2") != known(onefold, "crm_id:1")
    assert_rebuilt(onefold)


def test_a_merge_below_another_is_undone_alone(onefold: Stepped) -> None:
    for number in (1, 2, 3):
        onefold.take(said(None, f"crm_id:{number}", n=number))
    onefold.take(said(None, "crm_id:1", "crm_id:2"))
    first = only_merge(onefold)
    onefold.take(said(None, "crm_id:2", "crm_id:3"))
    undo(onefold, first)
    assert known(onefold, "crm_id:1") == ["crm_id:1"]
    assert known(onefold, "crm_id:2") == ["crm_id:2", "crm_id:3"]
    assert_rebuilt(onefold)


def test_what_a_person_joined_is_parted_and_joined_again(onefold: Stepped) -> None:
    onefold.take(said("ann"), said("bob"))
    identity_decide(onefold.settings, "user_id:ann", "user_id:bob", "same", actor="tom")
    onefold.settle()
    merge = only_merge(onefold)
    undo(onefold, merge)
    assert known(onefold, "user_id:bob") == ["user_id:bob"]
    undo(onefold, merge, back=True)
    assert known(onefold, "user_id:bob") == ["user_id:ann", "user_id:bob"]


def test_what_cannot_be_undone_is_said(onefold: Stepped) -> None:
    onefold.take(said(None, "crm_id:1"), said(None, "crm_id:2"))
    onefold.take(said(None, "crm_id:1", "crm_id:2"))
    merge = only_merge(onefold)
    with pytest.raises(Conflict, match="not undone"):
        merge_redo(onefold.settings, merge)
    undo(onefold, merge)
    with pytest.raises(Conflict, match="two people"):
        merge_undo(onefold.settings, merge)
    wrong: list[tuple[str, Any]] = [
        ("999-1", NotFound),
        ("x", InvalidInput),
        ("1-2-3", InvalidInput),
    ]
    for name, error in wrong:
        with pytest.raises(error):
            merge_undo(onefold.settings, name)


def test_merges_are_listed_newest_first(onefold: Stepped) -> None:
    onefold.take(*[said(None, f"crm_id:{number}") for number in range(1, 5)])
    for number in range(2, 5):
        onefold.take(said(None, "crm_id:1", f"crm_id:{number}"))
    page = merges(onefold.settings, limit=2)
    rest = merges(onefold.settings, limit=2, before=page.next or "")
    found = [*page.items, *rest.items]
    assert len({one.id for one in found}) == 3
    assert rest.next is None
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert len(merges(onefold.settings, "crm_id:3").items) == 3


def test_a_merge_and_its_undoing_in_one_batch(onefold: Stepped) -> None:
    onefold.take(said("ann", n=1), said("bob", n=2))
    before = who(onefold, "user_id:bob")
    alias = {"type": "alias", "userId": "ann", "previousId": "bob"}
    onefold.append(alias)
    identity_decide(onefold.settings, "user_id:ann", "user_id:bob", "apart", actor="eve")
    onefold.settle()
    assert facts(who(onefold, "user_id:bob")) == facts(before)
    assert onefold.store.counters()["profiles"] == len(onefold.store.profile_ids(0, 9)) == 2
    assert_rebuilt(onefold)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_an_undo_holds_though_the_worker_ends_in_the_middle_of_it(
    onefold: Stepped, steps: int
) -> None:
    onefold.take(said(None, "crm_id:1", city="Bonn"), said(None, "crm_id:2", city="Rome"))
    onefold.take(said(None, "crm_id:1", "crm_id:2"))
    merge = only_merge(onefold)
    merge_undo(onefold.settings, merge, actor="eve")
    for _ in range(steps):
        onefold.worker.step()
    # Nothing is committed to the log nor carried to the lake any more, as after kill -9.
    again = Stepped(onefold.settings)
    try:
        again.settle()
        assert known(again, "crm_id:1") == ["crm_id:1"]
        assert known(again, "crm_id:2") == ["crm_id:2"]
        with pytest.raises(Conflict, match="two people"):
            merge_undo(again.settings, merge)
        assert_rebuilt(again)
    finally:
        again.close()
