"""Evidence that two identifiers are one person, as one event gives it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import combinations
from typing import TypeVar

from onefold.model.identity import USER
from onefold.model.profile import OBSERVED, WITH_USER, Node, NodeId
from onefold.model.records import Identifier

MAX_LINKS, MAX_USER_LINKS = 200, 1_000
"""What is linked with more others than that is a placeholder; of a user id more are believed."""
_End = TypeVar("_End")


def node_id(key: bytes, identifier: Identifier) -> NodeId:
    """The keyed 128-bit hash of an identifier, the same on every engine.

    The key belongs to the workspace; without it a node tells nothing about its value.
    """
    return node_ids(key, (identifier,))[identifier]


def node_ids(key: bytes, identifiers: Iterable[Identifier]) -> dict[Identifier, NodeId]:
    """The same of many, each hashed once."""
    named = dict.fromkeys(identifiers)
    texts = [f"{kind}\0{value}".encode() for kind, value in named]
    nodes = [blake2b(text, digest_size=16, key=key).digest() for text in texts]
    return dict(zip(named, nodes, strict=True))


def rank_of(identifiers: Sequence[Identifier]) -> int:
    """How strongly an event links the identifiers that it carries, its owner first."""
    return WITH_USER if identifiers[0][0] == USER else OBSERVED


def pairs_of(ends: Sequence[_End], rank: int) -> Iterable[tuple[_End, _End]]:
    """The pairs that an event links of all that it carries.

    Beside a user id only the pairs with it count: each other identifier is decided by its first
    user, so pairs among the others could add nothing.
    """
    if rank == WITH_USER:
        return ((ends[0], other) for other in ends[1:])
    return combinations(ends, 2)


def add_link(left: Node, right: Node, rank: int, time: int) -> bool:
    """Keep the strongest, then earliest, evidence between two nodes; say whether it is news.

    A node that already has so many links that none is evidence lists no more of them. The
    other end still does, so that its own number of links depends on no order of arrival.
    """
    evidence = (rank, time)
    known = left.links.get(right.id)
    if known is not None and known <= evidence:
        return False
    news = False
    for node, other in ((left, right), (right, left)):
        known = node.links.get(other.id)
        if not is_full(node) if known is None else evidence < known:
            node.links[other.id] = evidence
            news = True
    return news


def is_full(node: Node) -> bool:
    """Does it have so many links that it is a placeholder, and no evidence?"""
    links = len(node.links)
    return links > MAX_LINKS and (node.kind != USER or links > MAX_USER_LINKS)
