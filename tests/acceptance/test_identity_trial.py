"""Rules tried before they are in force: what is told then is what applying them does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onefold.app.identity.trial import try_identity
from onefold.app.identity.trial_answers import IdentityTrial
from onefold.app.profiles.finding import profile
from onefold.model.errors import Canceled, InvalidInput
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_identity import said

BUYERS = "kind: segment\nname: buyers\nrule: count_of('Order Completed') >= 2\n"
ONE_EMAIL = "kind: identifier\nname: crm_id\nstrength: unique\n"


def order(anonymous: str) -> dict[str, Any]:
    return {"type": "track", "anonymousId": anonymous, "event": "Order Completed"}


def tried(onefold: Stepped, folder: Path, rules: str, **asked: Any) -> IdentityTrial:
    folder.mkdir(exist_ok=True)
    (folder / "identity.yaml").write_text(rules)
    return try_identity(onefold.settings, folder, **asked)


def figures(onefold: Stepped) -> tuple[int, dict[str, int]]:
    return onefold.store.counters()["profiles"], onefold.store.segment_sizes()


def shop(onefold: Stepped) -> None:
    """Twenty-four people who share an office's address, and one who has two orders by two devices."""
    onefold.define(BUYERS)
    office = "email:office@shop.example"
    onefold.take(*[said(None, f"crm_id:{number}", office) for number in range(1, 25)])
    onefold.take(order("a"), order("b"))
    onefold.take(
        {**said(None, "crm_id:a"), "anonymousId": "a"},
        {**said(None, "crm_id:b"), "anonymousId": "b"},
        said(None, "crm_id:a", "email:ann@example.com"),
        said(None, "crm_id:b", "email:ann@example.com"),
    )


def test_a_stricter_rule_is_told_of_as_it_then_comes(onefold: Stepped, tmp_path: Path) -> None:
    shop(onefold)
    before = figures(onefold)
    assert before == (2, {"buyers": 1})
    found = tried(onefold, tmp_path / "rules", ONE_EMAIL)
    assert figures(onefold) == before
    assert (found.merges, found.splits, found.profiles, found.profiles_then) == (0, 24, 2, 26)
    (segment,) = found.segments
    assert (segment.segment, segment.now, segment.then, segment.left) == ("buyers", 1, 0, 1)
    onefold.define(ONE_EMAIL)
    onefold.settle()
    assert figures(onefold) == (26, {})
    again = tried(onefold, tmp_path / "rules", ONE_EMAIL)
    assert (again.merges, again.splits, again.moved, again.segments) == (0, 0, 0, ())


def test_examples_say_who_and_why(onefold: Stepped, tmp_path: Path) -> None:
    shop(onefold)
    found = tried(onefold, tmp_path / "rules", ONE_EMAIL)
    assert len(found.split_examples) == 2
    example = found.split_examples[1]
    assert [one.count for one in example.before] == [5]
    assert sorted(one.identifiers for one in example.after) == [
        ("anonymous_id:a", "crm_id:a", "email:ann@example.com"),
        ("anonymous_id:b", "crm_id:b"),
    ]
    assert [one.profile is None for one in example.after] == [False, True]
    (link,) = example.parted
    assert (link.left, link.right, link.evidence) == (
        "crm_id:b",
        "email:ann@example.com",
        "observed",
    )
    assert (link.reason, link.rule, link.says, link.version) == (
        "limit",
        "crm_id",
        "strength: unique",
        1,
    )
    assert example.joined == ()


def test_a_looser_rule_would_merge(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define("kind: identifier\nname: email\nmax_profiles: 1\n")
    home = "email:home@example.com"
    onefold.take(said("ann"), said("bob"), said(None, "crm_id:1"))
    onefold.take(said("ann", home), said("bob", home), said(None, "crm_id:1", home))
    rules = "kind: identifier\nname: email\nmax_profiles: 5\n"
    found = tried(onefold, tmp_path / "rules", rules)
    assert (found.merges, found.splits, found.profiles_then) == (2, 0, 2)
    (example,) = found.merge_examples
    reasons = {(one.left, one.reason, one.says, one.version) for one in example.joined}
    assert ("crm_id:1", "shared", "max_profiles: 1", 1) in reasons
    onefold.define(rules)
    onefold.settle()
    assert onefold.store.counters()["profiles"] == 2
    assert len(profile(onefold.settings, "user_id:ann").identifiers) == 3


def test_what_cannot_be_used_is_not_tried(onefold: Stepped, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        tried(onefold, tmp_path / "rules", "kind: identifier\nname: email\nmax_profiles: 0\n")


def test_rules_left_out_count_only_without_prune(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define("kind: identifier\nname: email\nblocked: ['office@*']\n")
    shop(onefold)
    assert tried(onefold, tmp_path / "none", BUYERS).merges == 0
    assert tried(onefold, tmp_path / "none", BUYERS, prune=True).merges == 24


def test_it_can_be_canceled(onefold: Stepped, tmp_path: Path) -> None:
    shop(onefold)

    def stop(done: int, total: int = 0, step: str = "") -> None:
        raise Canceled("enough")

    with pytest.raises(Canceled):
        tried(onefold, tmp_path / "rules", ONE_EMAIL, tell=stop)
