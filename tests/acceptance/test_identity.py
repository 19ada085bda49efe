"""Who is who: what rules say, what people decide, and that both mend the past without losing a thing."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.identity.decisions import identity_decide, review_put_off, reviews
from onefold.app.identity.review_queue import (
    BulkWanted,
    bulk_decide,
    bulk_preview,
    bulk_undo,
    review_claim,
    review_release,
)
from onefold.app.identity.why import identity_why
from onefold.app.profiles.finding import ProfileView, profile
from onefold.app.profiles.lookback import profile_as_of
from onefold.app.workspace import now_us
from onefold.model.errors import Conflict, InvalidInput, NotFound, Stale
from tests.acceptance.conftest import Stepped

BUYERS = "kind: segment\nname: buyers\nrule: count_of('Order Completed') >= 2\n"
DAY = 86_400_000_000


def said(user: str | None, *ids: str, **traits: Any) -> dict[str, Any]:
    """An `identify` with external ids written as `kind:value`."""
    external = [
        {"type": one.partition(":")[0], "id": one.partition(":")[2], "collection": "users"}
        for one in ids
    ]
    event: dict[str, Any] = {
        "type": "identify",
        "traits": traits,
        "context": {"externalIds": external},
    }
    return event | ({"userId": user} if user else {})


def order(user: str) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": "Order Completed"}


def decide(onefold: Stepped, left: str, right: str, verdict: Any) -> None:
    identity_decide(onefold.settings, left, right, verdict, actor="eve")
    onefold.settle()


def who(onefold: Stepped, reference: str) -> ProfileView:
    return profile(onefold.settings, reference)


def known(onefold: Stepped, reference: str) -> list[str]:
    return sorted(f"{one.kind}:{one.value}" for one in who(onefold, reference).identifiers)


def held(onefold: Stepped) -> list[tuple[str, str, str]]:
    return [
        (one.left.identifier, one.right.identifier, one.reason)
        for one in reviews(onefold.settings).items
    ]


def assert_rebuilt(onefold: Stepped) -> None:
    assert check_rebuild(onefold.settings).differences == ()


def test_a_merge_is_undone_with_all_that_it_brought(onefold: Stepped) -> None:
    onefold.define(BUYERS)
    onefold.take(said("ann", "email:ann@example.com", city="Bonn"), order("ann"))
    onefold.take(said("bob", city="Rome"), order("bob"))
    ann, bob = who(onefold, "user_id:ann"), who(onefold, "user_id:bob")
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bob"})
    both = who(onefold, "user_id:bob")
    assert [one.name for one in both.segments] == ["buyers"]
    merged_at = now_us()
    decide(onefold, "user_id:ann", "user_id:bob", "apart")
    again = {one: who(onefold, f"user_id:{one}") for one in ("ann", "bob")}
    assert (again["ann"].id, again["bob"].id) == (ann.id, bob.id)
    assert (again["ann"].traits, again["bob"].traits) == (ann.traits, bob.traits)
    assert again["bob"].computed["event_count"] == bob.computed["event_count"]
    assert again["ann"].segments == again["bob"].segments == ()
    assert_rebuilt(onefold)
    then = profile_as_of(onefold.settings, "user_id:bob", merged_at)
    assert len(then.identifiers) == len(both.identifiers)
    decide(onefold, "user_id:ann", "user_id:bob", "open")
    assert who(onefold, "user_id:bob").id == both.id
    assert_rebuilt(onefold)


def test_people_can_say_that_two_are_the_same(onefold: Stepped) -> None:
    onefold.take(said("ann"), said("bob"), said("cas"))
    decide(onefold, "user_id:ann", "user_id:bob", "same")
    assert known(onefold, "user_id:bob") == ["user_id:ann", "user_id:bob"]
    decide(onefold, "user_id:ann", "user_id:cas", "apart")
    decide(onefold, "user_id:bob", "user_id:cas", "same")
    assert known(onefold, "user_id:cas") == ["user_id:cas"]
    assert held(onefold) == [("user_id:bob", "user_id:cas", "contradiction")]
    assert_rebuilt(onefold)


def test_the_chain_of_evidence_is_shown(onefold: Stepped) -> None:
    onefold.define("kind: identifier\nname: email\nmax_profiles: 4\n")
    onefold.take(
        said("ann", "email:ann@example.com"), said(None, "email:ann@example.com", "crm_id:7")
    )
    onefold.take(said("bob", "email:ann@example.com"))
    found = identity_why(onefold.settings, "crm_id:7", "user_id:ann")
    assert found.same
    assert [(one.left, one.right, one.evidence) for one in found.chain] == [
        ("crm_id:7", "email:ann@example.com", "observed"),
        ("email:ann@example.com", "user_id:ann", "with_user"),
    ]
    assert [(one.source, bool(one.message_id)) for one in found.chain] == [("default", True)] * 2
    assert found.chain[0].versions == {"crm_id": 0, "email": 1, "people": 0}
    other = identity_why(onefold.settings, "user_id:ann", "user_id:bob")
    assert [(one.rule, one.says, one.version) for one in other.obstacles] == [
        ("user_id", "strength: unique", 0)
    ]
    assert not other.same
    assert [one.reason for one in other.obstacles] == ["both are known as other people"]
    decide(onefold, "user_id:ann", "user_id:bob", "apart")
    told = identity_why(onefold.settings, "user_id:ann", "user_id:bob")
    assert told.obstacles[0].reason == "a person said so"
    assert [(one.left, one.right, one.verdict, one.by) for one in told.decided] == [
        ("user_id:ann", "user_id:bob", "apart", "eve")
    ]
    # Asked about other identifiers of the two, the same word is what stands between.
    others = identity_why(onefold.settings, "crm_id:7", "user_id:bob")
    assert (others.decided, others.same) == (told.decided, False)


def test_what_nobody_has_cannot_be_decided(onefold: Stepped) -> None:
    onefold.take(said("ann"))
    with pytest.raises(NotFound):
        identity_decide(onefold.settings, "user_id:ann", "user_id:nobody", "same")
    with pytest.raises(InvalidInput):
        identity_decide(onefold.settings, "user_id:ann", "user_id:ann", "same")


def test_a_stricter_rule_mends_the_past(onefold: Stepped) -> None:
    shared = "email:info@shop.example"
    onefold.take(*[said(None, f"crm_id:{number}", shared, n=number) for number in (1, 2, 3)])
    assert len(known(onefold, "crm_id:1")) == 4
    onefold.define("kind: identifier\nname: email\nblocked: ['info@*']\n")
    onefold.settle()
    assert [known(onefold, f"crm_id:{number}") for number in (1, 2, 3)] == [
        [f"crm_id:{number}"] for number in (1, 2, 3)
    ]
    assert [who(onefold, f"crm_id:{number}").traits for number in (1, 2, 3)] == [
        {"n": number} for number in (1, 2, 3)
    ]
    assert_rebuilt(onefold)


def test_the_past_is_shown_by_the_rules_of_then(onefold: Stepped) -> None:
    shared = "email:info@shop.example"
    onefold.take(*[said(None, f"crm_id:{number}", shared, n=number) for number in (1, 2)])
    onefold.take(said(None, "crm_id:2", "badge:b"), said(None, "crm_id:3", "badge:b"))
    before = now_us()
    onefold.define("kind: identifier\nname: email\nblocked: ['info@*']\n")
    onefold.settle()
    assert known(onefold, "crm_id:1") == ["crm_id:1"]
    then = profile_as_of(onefold.settings, "crm_id:1", before)
    assert len(then.identifiers) == 5
    assert profile_as_of(onefold.settings, "crm_id:3", before).id == then.id
    now = profile_as_of(onefold.settings, "crm_id:1", now_us())
    assert [one.value for one in now.identifiers] == ["1"]


@pytest.mark.parametrize(
    ("rule", "groups"),
    [
        ("strength: unique", [["crm_id:1", "email:a@b.example"], ["crm_id:2"]]),
        ("max_per_profile: 2", [["crm_id:1", "crm_id:2", "email:a@b.example"]]),
        ("strength: ephemeral", [["crm_id:1", "crm_id:2", "email:a@b.example"]]),
    ],
)
def test_a_person_has_so_many_of_a_kind(
    onefold: Stepped, rule: str, groups: list[list[str]]
) -> None:
    onefold.define(f"kind: identifier\nname: crm_id\n{rule}\n")
    onefold.take(said(None, "crm_id:1", "email:a@b.example"))
    onefold.take(said(None, "crm_id:2", "email:a@b.example"))
    assert [known(onefold, one[0]) for one in groups] == groups
    assert held(onefold) == []
    assert_rebuilt(onefold)


def test_what_is_immutable_is_joined_by_no_alias_but_by_a_person(onefold: Stepped) -> None:
    onefold.define("kind: identifier\nname: national_id\nstrength: immutable\n")
    onefold.take(said("ann", "national_id:17"), said("bob", "national_id:18"))
    onefold.take({"type": "alias", "userId": "ann", "previousId": "bob"})
    assert known(onefold, "user_id:bob") == ["national_id:18", "user_id:bob"]
    assert held(onefold) == [("user_id:ann", "user_id:bob", "immutable")]
    decide(onefold, "user_id:ann", "user_id:bob", "same")
    assert who(onefold, "user_id:ann").id == who(onefold, "user_id:bob").id
    assert held(onefold) == []
    assert_rebuilt(onefold)


def test_an_ephemeral_identifier_joins_no_two_people(onefold: Stepped) -> None:
    onefold.define("kind: identifier\nname: session_id\nstrength: ephemeral\n")
    onefold.take(said(None, "session_id:s", "email:a@b.example"))
    onefold.take(said(None, "session_id:s", "email:c@d.example"))
    assert known(onefold, "email:a@b.example") == ["email:a@b.example", "session_id:s"]
    assert known(onefold, "email:c@d.example") == ["email:c@d.example"]


def test_a_recycled_number_is_its_new_owners(onefold: Stepped) -> None:
    onefold.define("kind: identifier\nname: badge\nlifetime_days: 90\n")
    at = {"timestamp": "2024-01-01T00:00:00Z"}
    onefold.take({**said("ann", "badge:7"), **at})
    assert known(onefold, "badge:7") == ["badge:7", "user_id:ann"]
    onefold.take(said("bob", "badge:7"))
    assert known(onefold, "user_id:ann") == ["user_id:ann"]
    assert known(onefold, "user_id:bob") == ["badge:7", "user_id:bob"]
    assert_rebuilt(onefold)


def test_different_people_at_one_address_wait_for_a_word(onefold: Stepped) -> None:
    home = "email:home@example.com"
    onefold.take(said(None, "crm_id:1", home, first_name="Ann", birth_date="1990-05-01"))
    onefold.take(said(None, "crm_id:2", first_name="Tom", birth_date="2015-02-03"))
    onefold.take(said(None, "crm_id:2", home))
    assert known(onefold, "crm_id:2") == ["crm_id:2"]
    assert held(onefold) == [("crm_id:2", home, "names")]
    (item,) = reviews(onefold.settings).items
    assert item.differs == ("birth_date", "first_name")
    review_put_off(onefold.settings, "crm_id:2", home, "later")
    assert (held(onefold), reviews(onefold.settings).waiting) == ([], 0)
    decide(onefold, "crm_id:2", home, "same")
    assert known(onefold, home) == ["crm_id:1", "crm_id:2", home]
    assert_rebuilt(onefold)


def at_home(onefold: Stepped, number: int) -> tuple[str, str]:
    """Two people with one address: their link waits."""
    home, other = f"email:home{number}@example.com", f"crm_id:{number}2"
    onefold.take(
        said(None, f"crm_id:{number}1", home, first_name="Ann", birth_date="1990-05-01"),
        said(None, other, first_name="Tom", birth_date="2015-02-03"),
    )
    onefold.take(said(None, other, home))
    return other, home


def test_what_joins_more_comes_first(onefold: Stepped) -> None:
    at_home(onefold, 1)
    other, home = at_home(onefold, 2)
    onefold.take(*[said(None, end, n=place) for place in range(9) for end in (other, home)])
    assert [(one.left.identifier, one.reason) for one in reviews(onefold.settings).items] == [
        (other, "names"),
        ("crm_id:12", "names"),
    ]


def test_reviewers_do_not_collide(onefold: Stepped) -> None:
    pairs = {at_home(onefold, number) for number in (1, 2)}
    settings = onefold.settings
    (mine,) = review_claim(settings, 1, actor="eve").items
    (theirs,) = review_claim(settings, 5, actor="ben").items
    ends = [(one.left.identifier, one.right.identifier) for one in (mine, theirs)]
    assert set(ends) == pairs
    with pytest.raises(Conflict, match="ben"):
        identity_decide(settings, *ends[1], "same", actor="eve")
    identity_decide(settings, *ends[0], "apart", actor="eve", version=mine.version)
    with pytest.raises(Stale):
        identity_decide(settings, *ends[0], "same", actor="eve", version=mine.version)
    assert review_release(settings, actor="ben") == 1
    with pytest.raises(Stale):
        identity_decide(settings, *ends[1], "same", actor="ben", version=theirs.version)
    onefold.settle()
    assert [one[:2] for one in held(onefold)] == [ends[1]]


def test_many_are_decided_at_once_after_a_look_and_taken_back(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: grown\nrule: birth_date < date '2000-01-01'\n")
    for number in (1, 2, 3):
        at_home(onefold, number)
    settings, wanted = onefold.settings, BulkWanted("same", "names")
    seen = bulk_preview(settings, wanted)
    assert (seen.pairs, seen.people, seen.merges, len(seen.examples)) == (3, 6, 3, 3)
    assert [(one.name, one.before, one.after) for one in seen.segments] == [("grown", 3, 3)]
    with pytest.raises(Stale):
        bulk_decide(settings, BulkWanted("apart", "names"), seen.token)
    done = bulk_decide(settings, wanted, seen.token, actor="eve")
    onefold.settle()
    assert (done.pairs, done.by, held(onefold)) == (3, "eve", [])
    assert len(known(onefold, "crm_id:11")) == 3
    assert_rebuilt(onefold)
    assert bulk_undo(settings, done.at).pairs == 3
    onefold.settle()
    assert len(held(onefold)) == 3
    assert known(onefold, "crm_id:12") == ["crm_id:12"]
    assert_rebuilt(onefold)


def test_a_correction_of_the_name_ends_the_wait(onefold: Stepped) -> None:
    home = "email:home@example.com"
    onefold.take(said(None, "crm_id:1", home, first_name="Ann", birth_date="1990-05-01"))
    onefold.take(said(None, "crm_id:2", first_name="Tom", birth_date="2015-02-03"))
    onefold.take(said(None, "crm_id:2", home))
    assert held(onefold)
    onefold.take(said(None, "crm_id:2", first_name="ANN "))
    assert held(onefold) == []
    assert known(onefold, "crm_id:2") == ["crm_id:1", "crm_id:2", home]
    assert_rebuilt(onefold)


def test_a_legal_hold_keeps_a_profile_as_it_is(onefold: Stepped) -> None:
    at = {"timestamp": "2024-01-01T00:00:00Z"}
    onefold.take({**said("ann", "email:ann@example.com", legal_hold=True), **at})
    onefold.take(said(None, "crm_id:9", "email:ann@example.com"))
    assert known(onefold, "user_id:ann") == ["email:ann@example.com", "user_id:ann"]
    assert held(onefold) == [("crm_id:9", "email:ann@example.com", "hold")]


def test_faults_of_rules_are_told_at_once(onefold: Stepped) -> None:
    with pytest.raises(InvalidInput) as caught:
        onefold.define(
            "kind: identifier\nname: CRM\nstrength: strong\nmax_profiles: 0\nblocked: ['*']\n"
        )
    told = {fault.message for fault in caught.value.faults}
    assert len(told) == 4
    with pytest.raises(InvalidInput):
        onefold.define("kind: identifier\nname: user_id\nstrength: ephemeral\n")
