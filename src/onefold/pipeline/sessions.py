"""Sessions on shared devices, placed anew round the minutes that a batch touches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from onefold.model.profile import Node, NodeId, ProfileId
from onefold.model.records import Identifier
from onefold.resolve import around, is_end, slot, whose


class Nodes(Protocol):
    """The part of what a batch holds that minutes are found in."""

    nodes: dict[NodeId, Node]
    home: dict[NodeId, ProfileId]
    changed: set[ProfileId]
    sessions: Mapping[str, int]

    def name(self, identifier: Identifier) -> NodeId:
        """The node of an identifier."""

    def known(self, nodes: Sequence[NodeId]) -> set[NodeId]:
        """Those of these nodes that there are."""

    def load_nodes(self, nodes: Collection[NodeId]) -> None:
        """Load the profiles of nodes."""


def place_sessions(working: Nodes, dirty: Collection[NodeId]) -> set[NodeId]:
    """Say anew whose the minutes are that belong to the sessions of these; give those that changed hands.

    Whose a minute is depends on nothing but the minutes round it, up to the next in which somebody
    is known: so whatever comes in, in whatever order, the same is said in the end.
    """
    working.load_nodes([one for one in dirty if one not in working.nodes])
    changed: set[NodeId] = set()
    for node_id in sorted(dirty):
        node = working.nodes.get(node_id)
        if node is None or slot(node, working.sessions) is None:
            continue
        minutes = working.sessions[node.kind]
        before, after = (_walk(working, node, minutes, step) for step in (-1, 1))
        chain = [*reversed(before), node, *after]
        ends = (bool(some) and is_end(some[-1]) for some in (before, after))
        more_before, more_after = ends
        for one, target in whose(chain, minutes, more_before=more_before, more_after=more_after):
            if one.more.session != target:
                one.keep(session=target)
                changed.add(one.id)
                if one.id in working.home:
                    working.changed.add(working.home[one.id])
    return changed


def _walk(working: Nodes, start: Node, minutes: int, step: int) -> list[Node]:
    """The minutes on one side, up to one that ends a run of minutes of nobody known."""
    found: list[Node] = []
    here = start
    while True:
        ids = [working.name(one) for one in around(here, minutes, step)]
        known = working.known(ids)
        nearest = next((one for one in ids if one in known), None)
        if nearest is None:
            return found
        working.load_nodes([nearest])
        here = working.nodes[nearest]
        found.append(here)
        if is_end(here):
            return found
