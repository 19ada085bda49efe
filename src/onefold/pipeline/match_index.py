"""The key index as a batch changes it: which records share which blocking keys.

What an identifier's claims say is a record. A changed record changes its keys. What more than the model's
cap share is divided: then each record in it also has the keys of its parts, until it is small
enough again. So what the index holds is a function of all records, whatever came first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from onefold.model.given import INTERNAL
from onefold.model.matching import Matching
from onefold.model.profile import Node, NodeId, statements_of
from onefold.resolve.matching.pairwise import Blocks, Matcher, decode_record, encode_record
from onefold.standardize.people.traits import person_of_traits
from onefold.store import Matches, MatchRecord, MatchWrite

_PERSONAL = frozenset({"email", "phone", "national_id"})


class Index:
    """The records of one batch before the index that is in the store."""

    def __init__(self, store: Matches, in_force: Matching, matcher: Matcher) -> None:
        self._store, self._in_force, self._matcher = store, in_force, matcher
        self.records: dict[int, MatchRecord] = {}
        self.numbers: dict[NodeId, int] = {}
        self.gone: set[NodeId] = set()
        self._before: dict[int, Blocks] = {}
        self._after: dict[int, Blocks] = {}
        self.changed: set[int] = set()
        self._added: dict[int, set[int]] = {}
        self._removed: dict[int, set[int]] = {}
        self._blocks: dict[int, tuple[set[int], set[int]]] = {}
        self.write = MatchWrite()

    def take(self, nodes: Iterable[Node], forgotten: Collection[NodeId] = ()) -> None:
        """Change the records of these nodes to what their claims say; nothing is said of `forgotten` ones."""
        how = self._in_force.columns, self._in_force.region
        said = {node.id: None if node.id in forgotten else record_of(node, *how) for node in nodes}
        known = {one.node: one for one in self._store.of_nodes(said)}
        number = self._store.newest()
        for node in sorted(said):
            old, new = known.get(node), said[node]
            if old is not None:
                self.numbers[node] = old.id
                self.records[old.id] = old
            if new == (None if old is None else old.record):
                continue
            if old is None:
                number += 1
            place = number if old is None else old.id
            self.changed.add(place)
            if old is not None:
                self._before[place] = self._keyed(old)
            if new is None:
                assert old is not None
                self.gone.add(node)
                self.write.gone.append(place)
                continue
            self.records[place] = MatchRecord(place, node, new)
            self.numbers[node] = place
            self._after[place] = self._keyed(self.records[place])
            self.write.records.append(self.records[place])
        self._note_keys()

    def finish(self, *, divide: bool) -> None:
        """Say what is to be written; `divide` what too many share, too."""
        if divide:
            self._divide()
        self.write.added = [(key, one) for key, ones in self._added.items() for one in ones]
        self.write.removed = [(key, one) for key, ones in self._removed.items() for one in ones]

    def _keyed(self, record: MatchRecord) -> Blocks:
        return self._matcher.blocks(decode_record(record.record)[1])

    def _note_keys(self) -> None:
        for place in self.changed:
            before, after = (
                found[place].keys.keys() if place in found else set()
                for found in (self._before, self._after)
            )
            self._note(place, before, after)

    def _note(self, place: int, before: AbstractSet[int], after: AbstractSet[int]) -> None:
        for key in after - before:
            self._added.setdefault(key, set()).add(place)
        for key in before - after:
            self._removed.setdefault(key, set()).add(place)

    def _divide(self) -> None:
        """What too many share is divided: keep the keys of its parts, for as long as it is."""
        whole: dict[int, set[int]] = {}
        for key in self._turned(self._added.keys() | self._removed.keys()):
            for place in self._blocks[key][0] | self._blocks[key][1]:
                whole.setdefault(place, set()).add(key)
        self.load(whole.keys() - self.changed)
        for place in self.changed | whole.keys():
            parts = []
            for at, found in enumerate((self._before, self._after)):
                if place not in self.changed:
                    parts.append(self._parts(self._keys_of(place), at, whole[place]))
                elif place in found:
                    parts.append(self._parts(found[place], at))
                else:
                    parts.append(set())
            self._note(place, *parts)

    def _parts(self, blocks: Blocks, at: int, keys: Iterable[int] | None = None) -> set[int]:
        """The keys of the parts of those of a record's blocks that are too large."""
        asked = blocks.keys if keys is None else keys
        return {one for key in asked if self._is_large(key, at) for one in blocks.divided(key)}

    def _turned(self, keys: Iterable[int]) -> list[int]:
        """The blocks that have become too large by this batch, or small enough again."""
        return [key for key in keys if self._is_large(key, 0) != self._is_large(key, 1)]

    def _keys_of(self, number: int) -> Blocks:
        """The keys that a record has after this batch."""
        found = self._after.get(number)
        if found is None:
            found = self._after[number] = self._keyed(self.records[number])
        return found

    def divide(self, numbers: Collection[int]) -> None:
        """Divide what too many share, of records that are in the index but were never divided."""
        self.load(numbers)
        for number in numbers:
            self._note(number, set(), set(self._parts(self._keys_of(number), 1)))

    def turned(self) -> set[int]:
        """The records in blocks that became too large by this batch, or small enough again."""
        found: set[int] = set()
        for key in self._turned(self._added.keys() | self._removed.keys()):
            found |= self._blocks[key][0] | self._blocks[key][1]
        return found

    def candidates(self, number: int) -> set[int]:
        """The other records with which one is compared."""
        found: set[int] = set()
        blocks = self._keys_of(number)
        for key in blocks.keys:
            for one in blocks.divided(key) if self._is_large(key, 1) else (key,):
                if not self._is_large(one, 1):
                    found |= self._block(one)[1]
        found.discard(number)
        return found

    def _is_large(self, key: int, at: int) -> bool:
        """Is a block too large to be compared whole, before this batch (`at` 0) or after it (1)?"""
        return len(self._block(key)[at]) > self._in_force.model.cap

    def _block(self, key: int) -> tuple[set[int], set[int]]:
        """Who has a key before and after this batch; of too many, before and after, only some."""
        found = self._blocks.get(key)
        if found is None:
            added, removed = self._added.get(key, set()), self._removed.get(key, set())
            most = self._in_force.model.cap + len(removed) + 1
            before = set(self._store.sharing(key, most))
            found = self._blocks[key] = before, (before - removed) | added
        return found

    def load_nodes(self, nodes: Iterable[NodeId]) -> None:
        """Load the records about some identifiers."""
        for one in self._store.of_nodes([node for node in nodes if node not in self.numbers]):
            self.records[one.id] = one
            self.numbers[one.node] = one.id

    def load(self, numbers: Collection[int]) -> None:
        """Load the records of these numbers."""
        missing = [one for one in numbers if one not in self.records]
        for one in self._store.records(missing):
            self.records[one.id] = one
            self.numbers[one.node] = one.id


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
