"""Undoing a merge: which pairs of nodes have to be kept apart so that two sides are two again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain

from msgspec.structs import replace

from onefold.model.identity import IdentityRules
from onefold.model.profile import Node, NodeId
from onefold.resolve.partition import Link, Partition, partition

Pair = tuple[NodeId, NodeId]


def parting(
    nodes: Mapping[NodeId, Node],
    left: Collection[NodeId],
    right: Collection[NodeId],
    rules: IdentityRules,
    now: int,
) -> list[Pair]:
    """The pairs, one of each side, that have to be apart so that no cluster holds nodes of both.

    Where evidence leads from one side to the other, its ends are kept apart: so each side keeps all
    that its own evidence joins, whatever the order in which evidence is taken. Nodes of neither
    side go where their evidence leads first. None if the sides are not one person.
    """
    world = {one: replace(node) for one, node in nodes.items()}
    sides = dict.fromkeys(left, 0) | dict.fromkeys(right, 1)
    pairs: list[Pair] = []
    while found := _crossings(partition(world, rules), sides):
        for one, two in chain(found, () if pairs else _seen_together(world, left, right)):
            if (one, two) not in pairs:
                pairs.append((one, two))
                for end, other in ((one, two), (two, one)):
                    word = (False, now, "")
                    world[end].keep(decided={**world[end].more.decided, other: word})
    return pairs


def _seen_together(
    nodes: Mapping[NodeId, Node], left: Collection[NodeId], right: Collection[NodeId]
) -> list[Pair]:
    """All direct evidence between the sides: what one partition did not need, the next might."""
    return [
        (one, two)
        for one in sorted(left)
        for two in sorted(right)
        if two in nodes[one].links or one in nodes[two].links or two in nodes[one].more.matched
    ]


def _crossings(found: Partition, sides: Mapping[NodeId, int]) -> list[Pair]:
    """The ends, one of each side, of the chains that lead from side to side through neither."""
    around: dict[NodeId, list[Link]] = {}
    for link in found.joins:
        around.setdefault(link.left.id, []).append(link)
        around.setdefault(link.right.id, []).append(link)
    pairs = []
    for nodes in found.clusters:
        held = {sides[node.id] for node in nodes if node.id in sides}
        if len(held) < 2:
            continue
        for start in [node.id for node in nodes if sides.get(node.id) == 0]:
            pairs += [(start, end) for end in _reached(start, around, sides)]
    return pairs


def _reached(
    start: NodeId, around: Mapping[NodeId, list[Link]], sides: Mapping[NodeId, int]
) -> list[NodeId]:
    """The nodes of the other side that the joins lead to, with no node of a side in between."""
    reached, waiting, seen = [], [start], {start}
    while waiting:
        here = waiting.pop()
        for link in around.get(here, ()):
            other = link.right.id if link.left.id == here else link.left.id
            if other in seen:
                continue
            seen.add(other)
            if other not in sides:
                waiting.append(other)
            elif sides[other] == 1:
                reached.append(other)
    return reached
