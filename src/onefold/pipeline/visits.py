"""Events of one batch that carry the same identifiers, added up.

What most events tell of who is who is only that their identifiers were seen together, and when. Of a
backlog a visitor has several events: then he is looked up and touched once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from onefold.model.profile import Node, NodeId
from onefold.model.records import Event, Identifier
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.resolve import pairs_of, rank_of

Moment = tuple[int, str, str]
"""When an event was, its message id and its source."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Identifier, ...]).decode


class Visit(msgspec.Struct, array_like=True, gc=False):
    """So many `events` with the same identifiers, their owner's first.

    `rank` is how they link them. `first` tells when the earliest was, and which, `last` the time of the
    latest (µs UTC). The identifiers stay encoded: of who is known only the `nodes` are needed.
    """

    nodes: tuple[NodeId, ...]
    identifiers: msgspec.Raw
    rank: int
    events: int
    first: Moment
    last: int

    def identifier(self, place: int) -> Identifier:
        """One of the identifiers."""
        return _decode(self.identifiers)[place]

    def only(self, moments: Sequence[Moment]) -> Visit:
        """The same visit with only those of its events."""
        first, last = min(moments), max(moments)[0]
        return msgspec.structs.replace(self, events=len(moments), first=first, last=last)


def visit_of(events: Sequence[Event], nodes: Iterable[NodeId]) -> Visit:
    """The visit that these events are; all carry the same identifiers."""
    one = events[0]
    first = last = (one.time, one.message_id, one.source)
    for other in events[1:]:
        moment = (other.time, other.message_id, other.source)
        if moment < first:
            first = moment
        elif moment > last:
            last = moment
    encoded = msgspec.Raw(_encode(one.identifiers))
    rank = rank_of(one.identifiers)
    return Visit(tuple(nodes), encoded, rank, len(events), first, last[0])


def add_visit(visit: Visit, working: Working, rows: Rows, dirty: set[NodeId]) -> None:
    """Fold a visit into its nodes; note the nodes whose evidence is new."""
    nodes, home, changed = working.nodes, working.home, working.changed
    first, last, sessions = visit.first[0], visit.last, working.sessions
    ends: list[Node] = []
    for place, node_id in enumerate(visit.nodes):
        node = nodes.get(node_id)
        if node is None:
            node = working.new_node(node_id, visit.identifier(place), first, last)
        else:
            working.saw(node, first, last)
        number = home.get(node_id)
        if number is not None:
            changed.add(number)
        if number is None or node.kind in sessions:
            dirty.add(node_id)
        ends.append(node)
    ends[0].events += visit.events
    for left, right in pairs_of(ends, visit.rank):
        if working.link(left, right, visit.rank, first, dirty):
            rows.link(left, right, visit.rank, visit.first)


def nodes_of(
    ids: Sequence[NodeId],
    identifiers: Sequence[Identifier],
    rank: int,
    first: int,
    last: int,
    events: int,
) -> list[Node]:
    """The nodes that a visit makes of these; the first is linked with all others, and has its events."""
    owner, evidence = ids[0], (rank, first)
    nodes = [
        Node(node, kind, value, first, last, 0, {owner: evidence})
        for node, (kind, value) in zip(ids, identifiers, strict=True)
    ]
    nodes[0].links = dict.fromkeys(ids[1:], evidence)
    nodes[0].events = events
    return nodes
