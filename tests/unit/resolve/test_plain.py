"""People about whom there is nothing to decide are those that the partition makes of them."""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.profile import Extras, Node, Statement
from onefold.resolve import add_link, partition, plain_people
from tests.identity_rules import badges

DAY = 86_400_000_000
KINDS = ("user_id", "crm_id", "email", "device_id", "badge")
NODES = [(kind, f"{kind}{number}") for kind in KINDS for number in range(4)]
PLACES = st.integers(0, len(NODES) - 1)
PAIRS = st.tuples(PLACES, PLACES, st.integers(0, 3), st.integers(1, 9))
STARS = st.builds(
    lambda middle, ends: [(middle, end, rank, day) for end, rank, day in ends],
    PLACES,
    st.lists(st.tuples(PLACES, st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=3),
)
CLAIMS = st.sampled_from(
    [
        {"first_name": "Eva", "birthday": "1980-03-03"},
        {"first_name": "Bob", "birthday": "1990-05-05"},
        {"legal_hold": True},
    ]
)
RULES = st.builds(
    lambda email, badge, most, crm: IdentityRules(
        {one.name: one for one in (email, badge, crm)}, Protection(max_identifiers=most)
    ),
    st.builds(
        IdentifierRule,
        st.just("email"),
        max_per_profile=st.integers(0, 1),
        max_profiles=st.integers(1, 3),
        blocked=st.sampled_from([(), ("EMAIL1",)]),
    ),
    badges(3),
    st.sampled_from([2, 1_000]),
    st.builds(IdentifierRule, st.just("crm_id"), st.sampled_from(["immutable", "shareable"])),
)


def world(
    pairs: list[tuple[int, int, int, int]], claims: dict[int, dict[str, Any]], parted: list[int]
) -> dict[bytes, Node]:
    nodes = [
        Node(number.to_bytes(16, "big"), kind, value, DAY, 9 * DAY, 1, {})
        for number, (kind, value) in enumerate(NODES)
    ]
    for left, right, rank, day in pairs:
        if left != right:
            add_link(nodes[left], nodes[right], rank, day * DAY)
    for place, traits in claims.items():
        said = [Statement("crm", 2 * DAY, f"m{place}", True, traits)]
        nodes[place].statements = msgspec.Raw(msgspec.msgpack.encode(said))
    for place in parted:
        other = nodes[(place + 1) % len(nodes)]
        nodes[place].extras = Extras(decided={other.id: (False, DAY, "m")})
    return {node.id: node for node in nodes}


@settings(max_examples=500, deadline=None)
@given(
    st.lists(STARS, max_size=4),
    st.lists(PAIRS, max_size=3),
    st.dictionaries(PLACES, CLAIMS, max_size=12),
    st.lists(PLACES, max_size=2),
    RULES,
)
def test_they_are_whom_the_partition_finds(
    stars: list[list[tuple[int, int, int, int]]],
    pairs: list[tuple[int, int, int, int]],
    claims: dict[int, dict[str, Any]],
    parted: list[int],
    rules: IdentityRules,
) -> None:
    nodes = world([*chain(*stars), *pairs], claims, parted)
    plain, others = plain_people(nodes, rules)
    rest, whole = partition(others, rules), partition(nodes, rules)
    together = [*plain, *rest.clusters]
    assert sorted(map(_ids, together)) == sorted(map(_ids, whole.clusters))
    assert rest.held == whole.held


def test_somebody_new_is_plain() -> None:
    nodes = world([(0, 8, 1, 1), (0, 12, 1, 1)], {0: {"first_name": "Eva"}}, [])
    plain, others = plain_people(nodes, IdentityRules())
    assert [_ids(one) for one in plain] == [
        _ids([nodes[n.to_bytes(16, "big")] for n in (0, 8, 12)])
    ]
    assert len(others) == len(nodes) - 3


def test_who_is_held_is_not() -> None:
    nodes = world([(0, 8, 1, 1)], {0: {"legal_hold": True}}, [])
    assert plain_people(nodes, IdentityRules())[0] == []


def test_who_may_have_lost_a_value_is_not() -> None:
    nodes = world([(16, 0, 1, 1), (16, 8, 1, 9)], {}, [])
    rules = IdentityRules({"badge": IdentifierRule("badge", lifetime_days=3)})
    assert plain_people(nodes, rules)[0] == []


def _ids(cluster: list[Node]) -> list[bytes]:
    return sorted(node.id for node in cluster)
