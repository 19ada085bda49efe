"""Two sets of identity rules on the same links: merges, splits, and who they concern."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.app.identity.rule_answers import GivenLink, Rivals
from onefold.app.identity.rule_comparison import compare_given, compare_rules
from onefold.model.errors import InvalidInput

FEW = "kind: identifier\nname: email\nmax_profiles: 1\n"


def seen(user: str, email: str) -> GivenLink:
    return GivenLink("user_id", user, "email", email, 1)


def alias(one: str, other: str) -> GivenLink:
    return GivenLink("user_id", one, "user_id", other, 0)


def test_rules_are_the_same_as_themselves() -> None:
    found = compare_given(Rivals([seen("ann", "a@x.com"), alias("ann", "bo")], FEW, FEW))
    assert (found.merges, found.splits, found.profiles_before) == (0, 0, 1)
    assert found.merge_examples == found.split_examples == ()


def test_stricter_rules_split_and_the_other_way_round_merge() -> None:
    links = [alias("ann", "bo"), alias("bo", "eve"), seen("kim", "k@x.com")]
    strict = "kind: identifier\nname: user_id\nstrength: immutable\n"
    found = compare_given(Rivals(links, "", strict))
    assert (found.links, found.identifiers) == (3, 5)
    assert (found.profiles_before, found.profiles_after) == (2, 4)
    assert (found.merges, found.splits) == (0, 2)
    (example,) = found.split_examples
    assert example.before == (("user_id:ann", "user_id:bo", "user_id:eve"),)
    assert example.after == (("user_id:ann",), ("user_id:bo",), ("user_id:eve",))
    back = compare_given(Rivals(links, strict, ""))
    assert (back.merges, back.splits) == (2, 0)
    assert (back.merge_examples[0].before, back.merge_examples[0].after) == (
        example.after,
        example.before,
    )


def test_files_and_folders(tmp_path: Path) -> None:
    links = tmp_path / "links.csv"
    links.write_text("left_kind,left_value,right_kind,right_value,rank\nuser_id,ann,user_id,bo,0\n")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "users.yaml").write_text("kind: identifier\nname: user_id\nstrength: immutable\n")
    assert compare_rules(links, None, rules).splits == 1
    with pytest.raises(InvalidInput):
        compare_rules(tmp_path / "none.csv", None, rules)


def test_rules_that_cannot_be_read_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        compare_given(Rivals([seen("ann", "a@x.com")], "", "kind: identifier\nname: email\nmax: 3"))
    assert "max" in str(refused.value)
