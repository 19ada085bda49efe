"""The identity rule once more, slow and obviously right, for tests to compare the engine against.

Evidence goes in, one record per standardized event; a partition of all identifiers comes out:

1. Links. An `alias` asserts one. Of an event's identifiers, each pair is linked; beside a user id
   only the pairs with it, since every other identifier is decided by its first user.
2. An identifier that was linked with more than `PLACEHOLDER_ABOVE` others (a user id with more than
   `PLACEHOLDER_USER_ABOVE`), or, unless it is a user id, with more than `SHARED_ABOVE` user ids or asserted
   partners, is shared: its links are no evidence, and it stays alone.
3. What is asserted is joined first, whatever it joins.
4. Then links to a user id, then the others, each by (earliest time, values). Such a link
   joins two groups unless each already holds a user id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from onefold.model.records import Event, Identifier

SHARED_ABOVE = 3
PLACEHOLDER_ABOVE = 200
PLACEHOLDER_USER_ABOVE = 1_000
USER = "user_id"

Partition = frozenset[frozenset[Identifier]]
Link = tuple[Identifier, Identifier]


class Evidence(NamedTuple):
    """What one event says about who is who."""

    identifiers: tuple[Identifier, ...]
    time: int
    asserted: tuple[Link, ...] = ()


def evidence_of(events: Iterable[Event]) -> Iterator[Evidence]:
    """The evidence in standardized events."""
    for event in events:
        yield Evidence(event.identifiers, event.time, event.asserted)


def partition(evidence: Iterable[Evidence]) -> Partition:
    """Which identifiers are one person, by the deterministic rule.

    >>> phone, ann = Identifier("phone", "+8613800138000"), Identifier("user_id", "ann")
    >>> [sorted(group) for group in partition([Evidence((phone, ann), time=1)])]
    [[Identifier(kind='phone', value='+8613800138000'), Identifier(kind='user_id', value='ann')]]
    """
    everything = list(evidence)
    asserted, observed = _asserted(everything), _first_seen(everything)
    shared = _shared(asserted, observed.keys())
    group_of: dict[Identifier, set[Identifier]] = {node: {node} for node in _nodes(everything)}
    for link in sorted(asserted):
        if not shared.intersection(link):
            _join(group_of, link)
    for link in sorted(observed, key=lambda link: (not _has_user(link), observed[link], link)):
        both_have_users = all(_has_user(group_of[node]) for node in link)
        if not shared.intersection(link) and not both_have_users:
            _join(group_of, link)
    return frozenset(frozenset(group) for group in group_of.values())


def shared_identifiers(evidence: Iterable[Evidence]) -> frozenset[Identifier]:
    """The identifiers that so many people use that they say nothing about who somebody is."""
    everything = list(evidence)
    return frozenset(_shared(_asserted(everything), _first_seen(everything).keys()))


def _nodes(everything: list[Evidence]) -> set[Identifier]:
    nodes = {node for item in everything for node in item.identifiers}
    return nodes | {node for item in everything for pair in item.asserted for node in pair}


def _link(one: Identifier, other: Identifier) -> Link:
    return (one, other) if one <= other else (other, one)


def _asserted(everything: list[Evidence]) -> set[Link]:
    return {_link(*pair) for item in everything for pair in item.asserted}


def _first_seen(everything: list[Evidence]) -> dict[Link, int]:
    first: dict[Link, int] = {}
    for item in everything:
        seen = sorted(set(item.identifiers))
        for link in combinations(seen, 2):
            if _has_user(link) or not _has_user(seen):
                first[link] = min(item.time, first.get(link, item.time))
    return first


def _shared(asserted: Iterable[Link], observed: Iterable[Link]) -> set[Identifier]:
    strong: dict[Identifier, set[Identifier]] = defaultdict(set)
    others: dict[Identifier, set[Identifier]] = defaultdict(set)
    declared = set(asserted)
    for link in declared | set(observed):
        for node, other in (link, link[::-1]):
            others[node].add(other)
            if link in declared or other.kind == USER:
                strong[node].add(other)
    return {
        node
        for node in others
        if (node.kind != USER and len(strong[node]) > SHARED_ABOVE)
        or len(others[node]) > (PLACEHOLDER_USER_ABOVE if node.kind == USER else PLACEHOLDER_ABOVE)
    }


def _has_user(nodes: Iterable[Identifier]) -> bool:
    return any(node.kind == USER for node in nodes)


def _join(group_of: dict[Identifier, set[Identifier]], link: Link) -> None:
    one, other = group_of[link[0]], group_of[link[1]]
    if one is not other:
        one |= other
        for node in other:
            group_of[node] = one
