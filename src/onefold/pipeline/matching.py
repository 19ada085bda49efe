"""Who is alike, kept up to date: the matches of each identifier's claims.

What an identifier's claims say is a record. Who shares a blocking key with a changed record is a candidate; what
more share than the model's cap is divided by further parts, as in a batch of all. When a block grows too
large, or small enough again, all in it are looked at anew. So the matches are a function of all records and the
model, whatever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

import numpy as np

from onefold.model.matching import Matching
from onefold.model.profile import Matched, Node, NodeId
from onefold.pipeline.match_index import Index
from onefold.pipeline.working import Working
from onefold.resolve.matching.clustering import grouped
from onefold.resolve.matching.pairwise import Matcher, Ready, decode_record, matcher_of
from onefold.store import Matches, MatchWrite

Filling = Literal["", "index", "divide"]
"""What is being done to fill the index, if it is not whole."""
INDEXING: Filling = "index"
DIVIDING: Filling = "divide"
MOST_LINKED = 1_000
"""So many who hang together are nobody's records but a model's mistake: people look at them."""
LIVE_TOGETHER = 3.0
"""The logarithm, to base 2, of the odds from which on two people are of one household: 8 to 1."""
_KEPT_READY = 20_000


class Matchings:
    """Matches the records of a batch with all others, by the model in force."""

    def __init__(self, store: Matches) -> None:
        self._store = store
        self._in_force: Matching | None = None
        self._matcher: Matcher | None = None
        self._ready: dict[bytes, Ready] = {}
        self.filling: Filling = ""
        """While the index is being filled nobody is matched: that comes when it is whole."""

    @property
    def in_force(self) -> bool:
        """Is anybody matched?"""
        return self._in_force is not None

    def use(self, in_force: Matching | None) -> None:
        """Put a model in force, or none."""
        if in_force != self._in_force:
            self._in_force = in_force
            self._matcher = None if in_force is None else matcher_of(in_force.model)
            self._ready.clear()

    def match(self, working: Working, again: Collection[NodeId]) -> MatchWrite | None:
        """Match the nodes whose claims changed, and some `again` even if their claims did not.

        Nodes whose matches changed are then in `working.alike`.
        """
        asked = sorted({*working.claimed, *again, *working.forgotten} & working.nodes.keys())
        if not asked:
            return None
        if self._matcher is None or self._in_force is None:
            self._drop(working, asked)
            return None
        index = Index(self._store, self._in_force, self._matcher)
        index.take([working.nodes[one] for one in asked], working.forgotten)
        index.finish(divide=self.filling != INDEXING)
        if self.filling:
            # Who has a record is matched when the index is whole.
            self._drop(working, [one for one in asked if one not in index.numbers])
        else:
            _Batch(index, self._in_force, self._matcher, self._look).link(working, again)
        return index.write

    def divide(self, numbers: Collection[int]) -> None:
        """Divide what too many share, of records that were put into the index undivided."""
        if self._in_force is not None and self._matcher is not None:
            index = Index(self._store, self._in_force, self._matcher)
            index.divide(numbers)
            index.finish(divide=False)
            self._store.keep(index.write)

    def _drop(self, working: Working, nodes: Iterable[NodeId]) -> None:
        """Without a model nobody is alike."""
        for one in nodes:
            node = working.nodes[one]
            for other in list(node.more.matched):
                _set(working, one, other, None)
            live_with(working, one, {})

    def _look(self, record: bytes) -> Ready:
        """A record made ready to be compared."""
        found = self._ready.get(record)
        if found is None:
            assert self._matcher is not None
            if len(self._ready) >= _KEPT_READY:
                self._ready.clear()
            source, person = decode_record(record)
            found = self._ready[record] = self._matcher.ready(person, source)
        return found


class _Batch:
    """The matches of one batch's records."""

    def __init__(
        self, index: Index, in_force: Matching, matcher: Matcher, look: Callable[[bytes], Ready]
    ) -> None:
        self._index, self._in_force, self._matcher, self._look = index, in_force, matcher, look

    def link(self, working: Working, again: Collection[NodeId]) -> None:
        """Find the matches of all records that a change touches, and who of them is one person."""
        index = self._index
        wanted = index.changed | {index.numbers[one] for one in again if one in index.numbers}
        wanted |= index.turned()
        wanted -= set(index.write.gone)
        index.load(wanted)
        found = {one: index.candidates(one) for one in wanted}
        index.load({other for others in found.values() for other in others})
        verdicts = {one: self._verdicts(one, sorted(others)) for one, others in found.items()}
        near = [nodes for pair in verdicts.values() for nodes in pair]
        working.load_nodes({index.records[one].node for one in wanted}.union(*near, index.gone))
        dirty: set[NodeId] = set()
        for one in index.gone | {node for node in again if node not in index.numbers}:
            dirty |= _replace(working, one, {})
            live_with(working, one, {})
        for number in sorted(found):
            node = index.records[number].node
            dirty |= _replace(working, node, verdicts[number][0])
            live_with(working, node, verdicts[number][1])
        self._settle(working, dirty)

    def _verdicts(
        self, number: int, others: list[int]
    ) -> tuple[dict[NodeId, Matched], dict[NodeId, float]]:
        """The others who may be the same person, and those who live with this one; by how much."""
        model = self._in_force.model
        index = self._index
        mine = self._look(index.records[number].record)
        nodes = [index.records[one].node for one in others]
        weights, homes = self._matcher.verdicts(
            mine, [self._look(index.records[one].record) for one in others]
        )
        matches = {
            node: Matched(weight, model.version, False)
            for node, weight in zip(nodes, weights, strict=True)
            if weight >= model.review
        }
        housemates = {
            node: weight
            for node, weight in zip(nodes, homes, strict=True)
            if weight >= LIVE_TOGETHER and node not in matches
        }
        return matches, housemates

    def _settle(self, working: Working, dirty: set[NodeId]) -> None:
        """Say of all matches around these nodes whether they are taken."""
        left = {one for one in dirty if one in working.nodes}
        while left:
            members = self._component(working, left.pop())
            left -= members
            # In an order of values, not of their keyed numbers: it decides where averages are alike.
            ordered = sorted(members, key=lambda one: _value(working.nodes[one]))
            taken = self._taken(working, ordered)
            for one in members:
                for other, match in list(working.nodes[one].more.matched.items()):
                    is_taken = (one, other) in taken or (other, one) in taken
                    if match.taken != is_taken:
                        changed = Matched(match.weight, match.model, is_taken)
                        _set(working, one, other, changed)

    def _component(self, working: Working, start: NodeId) -> set[NodeId]:
        """All who hang together with a node by pairs that are alike enough to be merged."""
        merge = self._in_force.model.merge
        found, frontier = {start}, [start]
        while frontier:
            near = {
                other
                for one in frontier
                for other, match in working.nodes[one].more.matched.items()
                if match.weight >= merge
            }
            frontier = sorted(near - found)
            working.load_nodes(frontier)
            frontier = [one for one in frontier if one in working.nodes]
            found.update(frontier)
        return found

    def _taken(self, working: Working, members: list[NodeId]) -> set[tuple[NodeId, NodeId]]:
        """The pairs of these members that are in one cluster."""
        merge = self._in_force.model.merge
        places = {node: place for place, node in enumerate(members)}
        pairs = {
            (one, other): match.weight
            for one in members
            for other, match in working.nodes[one].more.matched.items()
            if places[one] < places.get(other, -1) and match.weight >= merge
        }
        if len(members) > MOST_LINKED:
            return set()
        if len(pairs) < 2:
            return set(pairs)
        ends = np.array([(places[one], places[two]) for one, two in pairs], dtype=np.int64)
        labels = grouped(
            len(members),
            ends[:, 0],
            ends[:, 1],
            np.array(list(pairs.values())),
            merge,
            lambda parts: self._weigh(members, parts),
        )
        return {(one, two) for one, two in pairs if labels[places[one]] == labels[places[two]]}

    def _weigh(
        self, members: list[NodeId], parts: Mapping[int, list[int]]
    ) -> dict[tuple[int, int], float]:
        """The weights of all pairs within these parts, whether a key found them or not."""
        index = self._index
        index.load_nodes(members)
        ready = [self._look(index.records[index.numbers[node]].record) for node in members]
        found: dict[tuple[int, int], float] = {}
        for numbers in parts.values():
            for place, one in enumerate(numbers):
                others = numbers[place + 1 :]
                weights = self._matcher.weights(ready[one], [ready[two] for two in others])
                found.update(zip([(one, two) for two in others], weights, strict=True))
        return found


def _value(node: Node) -> tuple[str, str]:
    return node.kind, node.value


def _replace(working: Working, node: NodeId, matches: Mapping[NodeId, Matched]) -> set[NodeId]:
    """Give a node these matches and no others; the nodes whose matches changed."""
    before = working.nodes[node].more.matched
    dirty: set[NodeId] = set()
    for other in before.keys() | matches.keys():
        old, new = before.get(other), matches.get(other)
        if (
            old is not None
            and new is not None
            and (old.weight, old.model) == (new.weight, new.model)
        ):
            continue
        dirty |= _set(working, node, other, new)
    return dirty


def _set(working: Working, one: NodeId, two: NodeId, match: Matched | None) -> set[NodeId]:
    """Keep a match at both of its ends; the nodes that are there."""
    working.load_nodes([one, two])
    found = set()
    for node, other in ((one, two), (two, one)):
        end = working.nodes.get(node)
        if end is None:
            continue
        found.add(node)
        if end.more.matched.get(other) == match:
            continue
        # Never in place: the default is one for all.
        matched = {key: value for key, value in end.more.matched.items() if key != other}
        end.keep(matched=matched if match is None else {**matched, other: match})
        if node in working.forgotten:
            continue
        working.alike.add(node)
        if node in working.home:
            working.changed.add(working.home[node])
    return found


def live_with(working: Working, node_id: NodeId, housemates: Mapping[NodeId, float]) -> None:
    """Give a node these housemates and no others; each knows it of the other."""
    before = working.nodes[node_id].more.housemates
    for other in before.keys() | housemates.keys():
        weight = housemates.get(other)
        if before.get(other) == weight:
            continue
        working.load_nodes([other])
        for one, two in ((node_id, other), (other, node_id)):
            end = working.nodes.get(one)
            if end is None:
                continue
            working.note_home(one)
            kept = {key: value for key, value in end.more.housemates.items() if key != two}
            end.keep(housemates=kept if weight is None else {**kept, two: weight})
            if one in working.home:
                working.changed.add(working.home[one])
