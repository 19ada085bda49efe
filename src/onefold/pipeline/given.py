"""Claims that people and lists make: folded into who is known, kept for who is not known yet.

Being named in a list makes nobody a customer: such a claim waits, and is folded in with the first
event that carries its identifier. So the order of both does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from onefold.model.given import ACCOUNT, ACCOUNTS, HOME, SAME
from onefold.model.profile import NodeId, ProfileId, Statement, statements_of
from onefold.model.records import Event, Identifier
from onefold.pipeline.accounts import GroupCall
from onefold.pipeline.working import Working
from onefold.unify import add_statement

_BOTH = "$both"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Statement).decode


class WaitingClaims(Protocol):
    """The part of the store that keeps claims on who is not known yet."""

    def waiting(self, nodes: Sequence[NodeId]) -> list[tuple[NodeId, bytes]]:
        """The claims on these nodes."""


class Given:
    """The given claims of one batch."""

    def __init__(self, store: WaitingClaims) -> None:
        self._store = store
        self.waits: list[tuple[NodeId, str, bytes]] = []
        self.arrived: list[NodeId] = []
        self.dirty: set[NodeId] = set()

    def concerned(self, joining: Iterable[GroupCall], nodes: Sequence[NodeId]) -> set[NodeId]:
        """Those of these nodes on which claims wait, with all whose owners a `group` call names."""
        return {call.owner for call in joining}.union(
            node for node, _ in self._store.waiting(nodes)
        )

    def fold(
        self, events: Iterable[Event], ids: Mapping[Identifier, NodeId], working: Working
    ) -> None:
        """Fold the batch's given claims and decisions in, after its events."""
        for event in events:
            if event.identifiers[0].kind == ACCOUNTS:
                continue
            node = ids[event.identifiers[0]]
            traits = event.traits
            for _, other in event.asserted:
                traits = {**traits, _BOTH: [node, ids[other]]}
            statement = Statement(event.source, event.time, event.message_id, True, traits)
            self._take(working, node, statement)

    def arrive(self, working: Working) -> None:
        """Fold in what waited for identifiers that came with this batch."""
        if not working.fresh:
            return
        for node, statement in self._store.waiting(sorted(working.fresh)):
            self.arrived.append(node)
            self._take(working, node, _decode(statement))

    def _take(self, working: Working, node: NodeId, statement: Statement) -> None:
        """Fold a claim or a decision in; where nobody has the identifier yet, it waits."""
        both = statement.traits.get(_BOTH)
        working.load_nodes(both or [node])
        for missing in both or [node]:
            if missing not in working.home:
                self.waits.append((missing, statement.message_id, _encode(statement)))
                return
        if both is None:
            self._belong(working, node, statement)
            add_claim(working, node, statement)
        else:
            self._decide(working, both[0], both[1], statement)

    @staticmethod
    def _belong(working: Working, node: NodeId, said: Statement) -> None:
        """Keep with the node to which accounts its owner belongs: that is no trait."""
        for name in [name for name in said.traits if name.startswith(ACCOUNT)]:
            belongs = bool(said.traits.pop(name))
            working.belong(node, name.removeprefix(ACCOUNT), said.time, belongs)

    def _decide(self, working: Working, node: NodeId, other: NodeId, said: Statement) -> None:
        """Keep the last word on two nodes at both of them."""
        if HOME in said.traits:
            live_together(working, node, other, said)
            return
        word = (said.traits.get(SAME), said.time, said.message_id)
        for one, two in ((node, other), (other, node)):
            known = working.nodes[one].more.decided.get(two)
            if known is None or known[1:] < word[1:]:
                decided = {**working.nodes[one].more.decided, two: word}
                working.nodes[one].keep(decided=decided)
                working.changed.add(working.home[one])
                self.dirty.add(one)


def live_together(working: Working, node: NodeId, other: NodeId, said: Statement) -> None:
    """Keep the last word on whether the owners of two nodes live together, at both of them."""
    word = (said.traits[HOME], said.time, said.message_id)
    for one, two in ((node, other), (other, node)):
        known = working.nodes[one].more.homes.get(two)
        if known is None or known[1:] < word[1:]:
            working.note_home(one)
            working.nodes[one].keep(homes={**working.nodes[one].more.homes, two: word})
            working.changed.add(working.home[one])


def add_claim(working: Working, node: NodeId, statement: Statement) -> None:
    """Fold a claim into a node that is known."""
    owner = working.nodes[node]
    statements = statements_of(owner)
    if add_statement(statements, statement):
        owner.statements = msgspec.Raw(_encode(statements))
        working.claimed.add(node)
        working.changed.add(working.home[node])


def keep_refreshed(working: Working, number: ProfileId, trait: str, value: Any, as_of: int) -> None:
    """Keep a refreshed value on a profile that is loaded, with its first identifier."""
    node = working.profiles[number].nodes[0]
    before = node.more.refreshed.get(trait)
    if before is None or before[0] < as_of:
        node.keep(refreshed={**node.more.refreshed, trait: (as_of, value)})
        working.claimed.add(node.id)
        working.changed.add(number)
