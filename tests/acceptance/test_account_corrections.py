"""Values of accounts that people correct."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onefold.app.folding.rebuild import check_rebuild, rebuild
from onefold.app.groups.account_correcting import account_correct, account_release
from onefold.app.groups.accounts import account, account_as_of, account_claims, account_history
from onefold.app.profiles.finding import profile
from onefold.app.workspace import now_us
from onefold.model.errors import InvalidInput, NotFound
from onefold.testing.patience import wait_until
from tests.acceptance.conftest import Stepped

JANUARY = 1_767_225_600_000_000


def group(day: int, **traits: Any) -> dict[str, Any]:
    at = f"2026-01-{day:02}T00:00Z"
    return {"type": "group", "userId": "ann", "groupId": "acme", "traits": traits, "timestamp": at}


def later(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def traits(onefold: Stepped) -> dict[str, Any]:
    return account(onefold.settings, "acme").traits


def correct(onefold: Stepped, trait: str, value: object, **how: Any) -> None:
    account_correct(onefold.settings, "acme", trait, value, actor="eve", **how)
    onefold.settle()


def assert_rebuilt(onefold: Stepped) -> None:
    assert check_rebuild(onefold.settings).differences == ()


def test_a_person_corrects_a_value_for_ever_and_takes_it_back(onefold: Stepped) -> None:
    onefold.take(group(1, plan="free", seats=5))
    correct(onefold, "plan", "pro")
    onefold.take({**group(2, plan="basic"), "timestamp": later(1)})
    assert traits(onefold) == {"plan": "pro", "seats": 5}
    (why,) = account_claims(onefold.settings, "acme", "plan").traits
    assert [(one.outcome, one.value, one.why) for one in why.claims] == [
        ("won", "pro", "corrected, for ever"),
        ("lost", "basic", "corrected by eve"),
    ]
    (change, *_) = account_history(onefold.settings, "acme").items
    assert (change.old, change.new) == ({"plan": "free"}, {"plan": "pro"})
    assert_rebuilt(onefold)
    account_release(onefold.settings, "acme", "plan", actor="eve")
    onefold.settle()
    assert traits(onefold)["plan"] == "basic"
    assert_rebuilt(onefold)


def test_nobody_belongs_to_the_account_by_it(onefold: Stepped) -> None:
    onefold.take(group(1, plan="free"))
    correct(onefold, "plan", None)
    assert (traits(onefold), account(onefold.settings, "acme").members) == ({}, 1)
    assert profile(onefold.settings, "user_id:ann").traits == {}
    assert len(onefold.store.profile_ids(0, 10)) == 1


def test_it_holds_until_a_source_says_something_new(onefold: Stepped) -> None:
    onefold.take(group(1, plan="free"))
    correct(onefold, "plan", "pro", holds="next")
    onefold.take({**group(2, plan="free"), "timestamp": later(1)})
    assert traits(onefold) == {"plan": "pro"}
    onefold.take({**group(2, plan="basic"), "timestamp": later(2)})
    assert traits(onefold) == {"plan": "basic"}
    assert_rebuilt(onefold)


def test_it_ends_by_itself(onefold: Stepped) -> None:
    onefold.take(group(1, plan="free"))
    correct(onefold, "plan", "pro", holds="until", until=now_us() + 3_600_000_000)
    assert traits(onefold) == {"plan": "pro"}
    correct(onefold, "plan", "pro", holds="until", until=now_us() + 2_000_000)

    def ended() -> bool:
        onefold.worker.answer()
        return traits(onefold) == {"plan": "free"}

    wait_until(ended, "the correction ends")
    assert not onefold.store.accounts.due(now_us(), 1)
    assert_rebuilt(onefold)


def test_it_survives_a_rebuild_and_other_rules(onefold: Stepped) -> None:
    onefold.take(group(1, plan="free"))
    correct(onefold, "plan", "pro")
    onefold.define("kind: account_trait\nname: plan\ntype: text\nsurvivorship: most_frequent\n")
    onefold.settle()
    assert traits(onefold) == {"plan": "pro"}
    rebuild(onefold.settings)
    assert traits(onefold) == {"plan": "pro"}
    assert account_as_of(onefold.settings, "acme", JANUARY + 1).traits == {"plan": "free"}
    assert account_as_of(onefold.settings, "acme", now_us()).traits == {"plan": "pro"}


def test_what_cannot_be_corrected_is_refused(onefold: Stepped) -> None:
    onefold.take(group(1, plan="free"))
    onefold.define(
        "kind: account_trait\nname: plan\ntype: text\nallowed: [free, pro]\n---\n"
        "kind: account_trait\nname: people\naggregate: count\n"
    )
    onefold.settle()
    with pytest.raises(NotFound):
        account_correct(onefold.settings, "zeta", "plan", "pro")
    for trait, value in (("plan", "gold"), ("people", 7), ("$correct.plan", 1)):
        with pytest.raises(InvalidInput):
            account_correct(onefold.settings, "acme", trait, value)
