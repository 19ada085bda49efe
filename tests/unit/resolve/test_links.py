"""Links: the strongest, then earliest evidence, on both ends, within bounds."""

from __future__ import annotations

from itertools import permutations

from onefold.model.profile import ASSERTED, OBSERVED, WITH_USER, Node
from onefold.resolve import add_link
from onefold.resolve.links import MAX_LINKS, MAX_USER_LINKS
from onefold.resolve.partition import is_shared


def node(value: str, kind: str = "anonymous_id") -> Node:
    return Node(value.encode(), kind, value, 0, 0, 0, {})


def test_the_strongest_then_earliest_evidence_is_kept_in_any_order() -> None:
    for order in permutations([(OBSERVED, 1), (WITH_USER, 5), (WITH_USER, 3), (OBSERVED, 2)]):
        left, right = node("a"), node("b")
        for rank, time in order:
            add_link(left, right, rank, time)
        assert left.links == {b"b": (WITH_USER, 3)}
        assert right.links == {b"a": (WITH_USER, 3)}


def test_only_new_evidence_is_news() -> None:
    left, right = node("a"), node("b")
    assert add_link(left, right, OBSERVED, 5)
    assert not add_link(right, left, OBSERVED, 5)
    assert not add_link(left, right, OBSERVED, 6)
    assert add_link(right, left, ASSERTED, 9)


def test_a_placeholder_stops_listing_but_still_counts_for_the_others() -> None:
    placeholder = node("info@example.com", "email")
    others = [node(f"a{number}") for number in range(MAX_LINKS + 50)]
    for other in others:
        assert add_link(placeholder, other, OBSERVED, 1)
        assert not add_link(placeholder, other, OBSERVED, 1)
    assert is_shared(placeholder)
    assert len(placeholder.links) == MAX_LINKS + 1
    assert all(len(other.links) == 1 for other in others)


def test_of_a_user_id_more_is_believed_but_not_everything() -> None:
    user = node("ann", "user_id")
    for number in range(MAX_USER_LINKS):
        add_link(user, node(f"a{number}"), WITH_USER, 1)
    assert not is_shared(user)
    for number in range(50):
        add_link(user, node(f"b{number}"), WITH_USER, 1)
    assert len(user.links) == MAX_USER_LINKS + 1
    assert is_shared(user)
