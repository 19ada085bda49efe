"""The partition: nodes and links in, clusters that are one person each out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onefold.model.profile import ASSERTED, WITH_USER, Node, NodeId
from onefold.resolve.links import USER, is_full

MAX_USERS = 3


def is_shared(node: Node) -> bool:
    """Does this identifier say nothing about who is who, because too many carry it?

    A device that more than `MAX_USERS` users signed in on is a kiosk or a family tablet; a value
    linked with a great many others (`is_full`) is a placeholder. A user id is never shared. Not even
    an `alias` is evidence then: sign-ups on a kiosk would make all its users one.
    """
    if node.kind == USER or len(node.links) <= MAX_USERS:
        return False
    if is_full(node):
        return True
    return sum(rank <= WITH_USER for rank, _ in node.links.values()) > MAX_USERS


def _evidence(
    nodes: Mapping[NodeId, Node],
) -> list[tuple[int, int, str, str, str, str, Node, Node]]:
    shared = {node.id for node in nodes.values() if is_shared(node)}
    found = []
    for node in nodes.values():
        for other_id, (rank, time) in node.links.items():
            other = nodes.get(other_id)
            # Each link lies at both of its ends: take it at the smaller one.
            if other is None or node.id > other_id:
                continue
            if node.id in shared or other_id in shared:
                continue
            left, right = sorted((node, other), key=lambda end: (end.kind, end.value))
            found.append((rank, time, left.kind, left.value, right.kind, right.value, left, right))
    found.sort(key=lambda link: link[:6])
    return found


def partition(nodes: Mapping[NodeId, Node]) -> list[list[Node]]:
    """The clusters of a set of nodes that is closed under links.

    Links are taken in the order (rank, time, values). Each joins the clusters at its ends, unless
    both hold a user id already: users become one only where an `alias` asserts it. So an
    anonymous id belongs to the user first seen with it, whatever came in first.
    """
    parent: dict[NodeId, NodeId] = {node_id: node_id for node_id in nodes}
    has_user = {node_id: node.kind == USER for node_id, node in nodes.items()}

    def find(node: NodeId) -> NodeId:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for rank, _, _, _, _, _, left, right in _evidence(nodes):
        one, two = find(left.id), find(right.id)
        if one == two or (rank != ASSERTED and has_user[one] and has_user[two]):
            continue
        parent[two] = one
        has_user[one] = has_user[one] or has_user[two]
    return _grouped(nodes.values(), find)


def _grouped(nodes: Iterable[Node], find: object) -> list[list[Node]]:
    clusters: dict[NodeId, list[Node]] = {}
    for node in nodes:
        clusters.setdefault(find(node.id), []).append(node)  # type: ignore[operator]
    return list(clusters.values())
