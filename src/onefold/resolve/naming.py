"""Which profile keeps which id when clusters join and part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from onefold.model.identity import USER
from onefold.model.profile import Node, NodeId, ProfileId


class Renaming(NamedTuple):
    """A cluster with its profile id, and all names it answers to (its own among them)."""

    id: ProfileId
    names: list[tuple[ProfileId, NodeId]]
    nodes: list[Node]


def name_clusters(
    clusters: Sequence[list[Node]],
    names: Iterable[tuple[ProfileId, NodeId]],
    new_id: Callable[[], ProfileId],
) -> list[Renaming]:
    """Give every cluster its id: the oldest among the names whose root node it holds.

    A name stays with its root for ever, so undoing a merge gives each side its old id back.
    Ids grow with time: the smaller is the older. An only name moves its root to a user id, once
    there is one: should the device turn out to be shared, the person keeps the id.
    """
    holder = {node.id: place for place, nodes in enumerate(clusters) for node in nodes}
    held: list[list[tuple[ProfileId, NodeId]]] = [[] for _ in clusters]
    for name in sorted(set(names)):
        held[holder[name[1]]].append(name)
    renamed = []
    for nodes, mine in zip(clusters, held, strict=True):
        if not mine:
            root = min(nodes, key=lambda node: (node.first_seen, node.kind, node.value))
            mine = [(new_id(), root.id)]
        if len(mine) == 1:
            mine = [(mine[0][0], _person_in(nodes, mine[0][1]))]
        renamed.append(Renaming(mine[0][0], mine, nodes))
    return renamed


def _person_in(nodes: Sequence[Node], root: NodeId) -> NodeId:
    """The root itself if it is a user id, else the first user id among the nodes, if any."""
    users = [node for node in nodes if node.kind == USER]
    if not users or any(node.id == root for node in users):
        return root
    return min(users, key=lambda node: (node.first_seen, node.value)).id
