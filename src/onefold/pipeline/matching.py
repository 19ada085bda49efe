"""Who is alike, kept up to date: the key index, and the matches of each identifier's claims.

What an identifier's claims say is a record. A changed record changes its keys; who shares a key is a
candidate, unless too many share it: when a block grows too large, or small enough again, all in it are
looked at anew. So the matches are a function of all records and the model, whatever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np

from onefold.model.given import INTERNAL
from onefold.model.matching import Matching
from onefold.model.profile import Matched, Node, NodeId, statements_of
from onefold.pipeline.working import Working
from onefold.resolve.matching.clustering import grouped
from onefold.resolve.matching.pairwise import (
    Matcher,
    Ready,
    decode_record,
    encode_record,
    matcher_of,
)
from onefold.standardize.people.traits import person_of_traits
from onefold.store import Matches, MatchRecord, MatchWrite

MOST_LINKED = 1_000
"""So many who hang together are nobody's records but a model's mistake: people look at them."""
_KEPT_READY = 20_000
_PERSONAL = frozenset({"email", "phone", "national_id"})


class Matchings:
    """Matches the records of a batch with all others, by the model in force."""

    def __init__(self, store: Matches) -> None:
        self._store = store
        self._in_force: Matching | None = None
        self._matcher: Matcher | None = None
        self._ready: dict[bytes, Ready] = {}
        self.indexing = False
        """While the index is being filled nobody is matched: that comes when it is whole."""

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
        asked = sorted({*working.claimed, *again} & working.nodes.keys())
        if not asked:
            return None
        if self._matcher is None or self._in_force is None:
            self._drop(working, asked)
            return None
        batch = _Batch(self._store, self._in_force, self._matcher, self._look)
        batch.take([working.nodes[one] for one in asked])
        if not self.indexing:
            batch.link(working, again)
        return batch.write

    def _drop(self, working: Working, nodes: Iterable[NodeId]) -> None:
        """Without a model nobody is alike."""
        for one in nodes:
            node = working.nodes[one]
            for other in list(node.matched):
                _set(working, one, other, None)

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
    """The records of one batch before the index that is in the store."""

    def __init__(
        self, store: Matches, in_force: Matching, matcher: Matcher, look: Callable[[bytes], Ready]
    ) -> None:
        self._store, self._in_force, self._matcher, self._look = store, in_force, matcher, look
        self._records: dict[int, MatchRecord] = {}
        self._numbers: dict[NodeId, int] = {}
        self._gone: set[NodeId] = set()
        self._touched: set[int] = set()
        self._added: dict[int, set[int]] = {}
        self._removed: dict[int, set[int]] = {}
        self._blocks: dict[int, tuple[set[int] | None, set[int] | None]] = {}
        self.write = MatchWrite()

    def take(self, nodes: Iterable[Node]) -> None:
        """Change the records of these nodes to what their claims say."""
        said = {
            node.id: record_of(node, self._in_force.columns, self._in_force.region)
            for node in nodes
        }
        known = {one.node: one for one in self._store.of_nodes(said)}
        number = self._store.newest()
        for node in sorted(said):
            old, new = known.get(node), said[node]
            if old is not None:
                self._numbers[node] = old.id
                self._records[old.id] = old
            if new == (None if old is None else old.record):
                continue
            if old is None:
                number += 1
            place = number if old is None else old.id
            before = set() if old is None else set(self._matcher.keys(self._person(old.record)))
            after = set() if new is None else set(self._matcher.keys(self._person(new)))
            for key in after - before:
                self._added.setdefault(key, set()).add(place)
            for key in before - after:
                self._removed.setdefault(key, set()).add(place)
            if new is None:
                assert old is not None
                self._gone.add(node)
                self.write.gone.append(old.id)
                continue
            self._records[place] = MatchRecord(place, node, new)
            self._numbers[node] = place
            self._touched.add(place)
            self.write.records.append(self._records[place])
        self.write.added = [(key, one) for key, ones in self._added.items() for one in ones]
        self.write.removed = [(key, one) for key, ones in self._removed.items() for one in ones]

    def _person(self, record: bytes) -> Any:
        return decode_record(record)[1]

    def link(self, working: Working, again: Collection[NodeId]) -> None:
        """Find the matches of all records that a change touches, and who of them is one person."""
        wanted = set(self._touched) | {self._numbers[one] for one in again if one in self._numbers}
        for key in self._added.keys() | self._removed.keys():
            before, after = self._block(key)
            if (before is None) != (after is None):
                wanted |= (before or set()) | (after or set())
        wanted -= set(self.write.gone)
        found = {one: self._candidates(one) for one in wanted}
        self._load({other for others in found.values() for other in others} | wanted)
        working.load_nodes(self._records[one].node for one in self._records)
        dirty: set[NodeId] = set()
        for one in self._gone | {node for node in again if node not in self._numbers}:
            dirty |= _replace(working, one, {})
        for number, others in sorted(found.items()):
            matches = self._matches(number, sorted(others))
            dirty |= _replace(working, self._records[number].node, matches)
        self._settle(working, dirty)

    def _candidates(self, number: int) -> set[int]:
        found: set[int] = set()
        self._load([number])
        for key in self._matcher.keys(self._person(self._records[number].record)):
            found |= self._block(key)[1] or set()
        found.discard(number)
        return found

    def _block(self, key: int) -> tuple[set[int] | None, set[int] | None]:
        """Who has a key before and after this batch; None where these are too many."""
        found = self._blocks.get(key)
        if found is None:
            added, removed = self._added.get(key, set()), self._removed.get(key, set())
            cap = self._in_force.model.cap
            before = set(self._store.sharing(key, cap + len(removed) + 1))
            after = (before - removed) | added
            found = (
                None if len(before) > cap else before,
                None if len(after) > cap else after,
            )
            self._blocks[key] = found
        return found

    def _load(self, numbers: Collection[int]) -> None:
        missing = [one for one in numbers if one not in self._records]
        for one in self._store.records(missing):
            self._records[one.id] = one
            self._numbers[one.node] = one.id

    def _matches(self, number: int, others: list[int]) -> dict[NodeId, Matched]:
        """The others who may be the same person, by how much they are alike."""
        model = self._in_force.model
        mine = self._look(self._records[number].record)
        weights = self._matcher.weights(
            mine, [self._look(self._records[one].record) for one in others]
        )
        return {
            self._records[one].node: Matched(weight, model.version, False)
            for one, weight in zip(others, weights, strict=True)
            if weight >= model.review
        }

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
                for other, match in list(working.nodes[one].matched.items()):
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
                for other, match in working.nodes[one].matched.items()
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
            for other, match in working.nodes[one].matched.items()
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
        missing = [node for node in members if node not in self._numbers]
        for record in self._store.of_nodes(missing):
            self._records[record.id] = record
            self._numbers[record.node] = record.id
        ready = [self._look(self._records[self._numbers[node]].record) for node in members]
        found: dict[tuple[int, int], float] = {}
        for numbers in parts.values():
            for place, one in enumerate(numbers):
                others = numbers[place + 1 :]
                weights = self._matcher.weights(ready[one], [ready[two] for two in others])
                found.update(zip([(one, two) for two in others], weights, strict=True))
        return found


def _value(node: Node) -> tuple[str, str]:
    return node.kind, node.value


def record_of(node: Node, columns: Mapping[str, str], region: str | None) -> bytes | None:
    """What the claims of a node say about a person, of each trait what was said last; None if nothing."""
    last: dict[str, tuple[tuple[bool, int, str], str, Any]] = {}
    newest = ((False, -1, ""), "")
    for said in statements_of(node):
        if said.source == INTERNAL:
            continue
        for name, value in said.traits.items():
            if name not in last or (said.order, said.source) > last[name][:2]:
                last[name] = (said.order, said.source, value)
        newest = max(newest, (said.order, said.source))
    if not last:
        return None
    traits = {name: value for name, (_, _, value) in last.items()}
    if node.kind in _PERSONAL:
        traits.setdefault(node.kind, node.value)
    person = person_of_traits(traits, columns, region)
    return None if person is None else encode_record(person, newest[1])


def _replace(working: Working, node: NodeId, matches: Mapping[NodeId, Matched]) -> set[NodeId]:
    """Give a node these matches and no others; the nodes whose matches changed."""
    before = working.nodes[node].matched
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
        if end.matched.get(other) == match:
            continue
        # Never in place: the default is one for all.
        matched = {key: value for key, value in end.matched.items() if key != other}
        end.matched = matched if match is None else {**matched, other: match}
        working.alike.add(node)
        if node in working.home:
            working.changed.add(working.home[node])
    return found
