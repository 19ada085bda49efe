"""Households: who lives with whom, by claims and by people's word; nobody is merged."""

from __future__ import annotations

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.groups.households import household, household_list, household_say
from onefold.app.groups.households_past import household_as_of, household_history
from onefold.app.identity.decisions import identity_decide
from onefold.app.profiles.finding import find
from onefold.app.profiles.history import profile_changes
from onefold.app.workspace import now_us
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.matching import MatchModel
from onefold.model.profile import profile_name
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_live_matching import ANNA, model, person, put_in_force

__all__ = ["model"]
BERT = ANNA | {"first_name": "Bertram", "birth_date": "1985-11-02"}


def names(onefold: Stepped, *who: str) -> set[str]:
    return {profile_name(find(onefold.store, one).id) for one in who}


def inside(onefold: Stepped, who: str) -> set[str]:
    return {one.profile for one in household(onefold.settings, who).members}


def users(onefold: Stepped, *who: str) -> None:
    onefold.take(*(
        {"type": "identify", "userId": one, "traits": {"city": "Bonn", "name": one}} for one in who
    ))  # fmt: skip


def test_people_say_who_lives_together(onefold: Stepped) -> None:
    users(onefold, "ann", "bo", "eve", "kim")
    household_say(onefold.settings, "user_id:ann", "user_id:bo", "yes")
    household_say(onefold.settings, "user_id:bo", "user_id:eve", "yes")
    onefold.settle()
    found = household(onefold.settings, "user_id:ann")
    assert inside(onefold, "user_id:eve") == names(
        onefold, "user_id:ann", "user_id:bo", "user_id:eve"
    )
    assert found.traits == {"city": "Bonn"}
    assert all(one.said for one in found.members)
    assert household(onefold.settings, found.id or "") == found
    with pytest.raises(NotFound):
        household(onefold.settings, "0" * 32)
    assert household(onefold.settings, "user_id:kim").id is None
    household_say(onefold.settings, "user_id:bo", "user_id:eve", "no")
    onefold.settle()
    assert inside(onefold, "user_id:ann") == names(onefold, "user_id:ann", "user_id:bo")
    assert check_rebuild(onefold.settings).differences == ()
    with pytest.raises(InvalidInput):
        household_say(onefold.settings, "user_id:bo", "user_id:bo", "yes")


def test_households_follow_merges(onefold: Stepped) -> None:
    users(onefold, "ann", "bo", "eve")
    household_say(onefold.settings, "user_id:ann", "user_id:bo", "yes")
    identity_decide(onefold.settings, "user_id:eve", "user_id:bo", "same")
    onefold.settle()
    assert inside(onefold, "user_id:ann") == names(onefold, "user_id:ann", "user_id:eve")
    identity_decide(onefold.settings, "user_id:ann", "user_id:bo", "same")
    onefold.settle()
    assert household(onefold.settings, "user_id:ann").id is None
    identity_decide(onefold.settings, "user_id:ann", "user_id:bo", "apart")
    identity_decide(onefold.settings, "user_id:ann", "user_id:eve", "apart")
    onefold.settle()
    assert "user_id:bo" in {
        text
        for one in household(onefold.settings, "user_id:ann").members
        for text in one.identifiers
    }


def test_all_households_a_page_at_a_time(onefold: Stepped) -> None:
    users(onefold, *(f"u{number}" for number in range(6)))
    for one, other in (("u0", "u1"), ("u2", "u3"), ("u4", "u5")):
        household_say(onefold.settings, f"user_id:{one}", f"user_id:{other}", "yes")
    onefold.settle()
    first = household_list(onefold.settings, 2)
    rest = household_list(onefold.settings, 2, first.next or "")
    found = [(one.members, one.traits) for one in (*first.items, *rest.items)]
    assert (found, rest.next) == ([(2, {"city": "Bonn"})] * 3, None)


def test_what_a_household_adds_up_to(onefold: Stepped) -> None:
    onefold.define(
        "kind: household_trait\nname: people\naggregate: count\n---\n"
        "kind: household_trait\nname: income\naggregate: sum\nof: income"
    )
    users(onefold, "ann", "bo")
    onefold.take({"type": "identify", "userId": "ann", "traits": {"income": 7}})
    household_say(onefold.settings, "user_id:ann", "user_id:bo", "yes")
    onefold.settle()
    assert household(onefold.settings, "user_id:ann").computed == {"people": 2, "income": 7}


def test_claims_say_who_lives_together(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA))
    onefold.take(person("2", **BERT))
    assert inside(onefold, "crm_id:1") == names(onefold, "crm_id:1", "crm_id:2")
    found = household(onefold.settings, "crm_id:2")
    assert found.traits["street"] == "12 Maple Street"
    assert "first_name" not in found.traits
    assert not any(one.said for one in found.members)
    assert check_rebuild(onefold.settings).differences == ()
    household_say(onefold.settings, "crm_id:1", "crm_id:2", "no")
    onefold.settle()
    assert household(onefold.settings, "crm_id:1").id is None
    household_say(onefold.settings, "crm_id:1", "crm_id:2", "open")
    onefold.settle()
    onefold.take(
        person("2", **(BERT | {"street": "4 Elm Road", "city": "Salem", "postcode": "01970"}))
    )
    assert household(onefold.settings, "crm_id:1").id is None


def history(onefold: Stepped, who: str) -> list[tuple[str, str, bool]]:
    items = household_history(onefold.settings, who).items
    return [(one.left, one.right, one.together) for one in items]


def test_the_history_tells_who_came_to_live_together_and_no_longer(onefold: Stepped) -> None:
    users(onefold, "ann", "bo", "eve")
    for one, other, word in (("ann", "bo", "yes"), ("bo", "eve", "yes"), ("bo", "eve", "no")):
        household_say(onefold.settings, f"user_id:{one}", f"user_id:{other}", word)
        onefold.settle()
    assert history(onefold, "user_id:ann") == [
        ("user_id:bo", "user_id:eve", False),
        ("user_id:bo", "user_id:eve", True),
        ("user_id:ann", "user_id:bo", True),
    ]
    assert history(onefold, "user_id:eve") == history(onefold, "user_id:ann")[:2]
    first = household_history(onefold.settings, "user_id:ann", 2)
    rest = household_history(onefold.settings, "user_id:ann", 2, first.next or "")
    assert (len(rest.items), rest.next) == (1, None)
    changes = profile_changes(onefold.settings, "user_id:eve").items
    told = [(one.name, one.old, one.new) for one in changes if one.what == "household"]
    assert told == [("user_id:bo", "user_id:eve", None), ("user_id:bo", None, "user_id:eve")]


def test_a_household_as_of_a_time(onefold: Stepped) -> None:
    users(onefold, "ann", "bo", "eve")
    moments = [now_us()]
    for one, other, word in (("ann", "bo", "yes"), ("bo", "eve", "yes"), ("ann", "bo", "no")):
        household_say(onefold.settings, f"user_id:{one}", f"user_id:{other}", word)
        onefold.settle()
        moments.append(now_us())
    then = [household_as_of(onefold.settings, "user_id:ann", at) for at in moments]
    everybody = ("user_id:ann", "user_id:bo", "user_id:eve")
    assert [len(one.members) for one in then] == [1, 2, 3, 1]
    assert {one.profile for one in then[2].members} == names(onefold, *everybody)
    assert (then[0].id, then[2].traits) == (None, {"city": "Bonn"})
    with pytest.raises(NotFound):
        household_as_of(onefold.settings, "user_id:ann", moments[0] - 86_400_000_000)


def test_who_lived_with_somebody_by_claims_that_hold_no_longer(
    onefold: Stepped, model: MatchModel
) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA), person("2", **BERT))
    together = now_us()
    elsewhere = BERT | {"street": "4 Elm Road", "city": "Salem", "postcode": "01970"}
    onefold.take(person("2", **elsewhere))
    assert household(onefold.settings, "crm_id:1").id is None
    then = household_as_of(onefold.settings, "crm_id:1", together)
    assert {one.profile for one in then.members} == names(onefold, "crm_id:1", "crm_id:2")
    assert history(onefold, "crm_id:1") == [
        ("crm_id:1", "crm_id:2", False),
        ("crm_id:1", "crm_id:2", True),
    ]
