"""Which profile keeps which id when clusters join and part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

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
    Ids grow with time: the smaller is the older.
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
        renamed.append(Renaming(mine[0][0], mine, nodes))
    return renamed
