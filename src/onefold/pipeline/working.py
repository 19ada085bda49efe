"""The profiles and nodes that one batch touches, while it is being folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from onefold import resolve
from onefold.model.identity import BUILT_IN, IdentityRules
from onefold.model.profile import (
    Belongs,
    Node,
    NodeId,
    Profile,
    ProfileId,
    decode_profile,
    identifier_text,
    living_with,
    profile_name,
)
from onefold.model.records import Identifier
from onefold.pipeline.first_rows import Newcomer
from onefold.pipeline.rows import Rows
from onefold.pipeline.sessions import place_sessions
from onefold.resolve import (
    Held,
    Renaming,
    is_shared,
    keep_link,
    matched_link,
    name_clusters,
    partition,
    plain_people,
    slot,
)

Led = Mapping[NodeId, NodeId]
"""Nodes that are there no more, and the nodes that they lead to."""
NOWHERE: Led = MappingProxyType({})
NOBODY: NodeId = b""
"""What a node leads to that was taken back, with everybody that it belonged to."""
ALIKE = "alike"
"""Why a match waits for people's eyes: it says too little to be a merge, and too much to be nothing."""
_UNSAID = (None, 0, "")


class ProfileRows(Protocol):
    """The part of the store that a batch reads profiles from."""

    def profiles_of(self, nodes: list[NodeId]) -> dict[NodeId, ProfileId]:
        """Which profile each known node belongs to."""

    def documents(self, profiles: list[ProfileId]) -> dict[ProfileId, bytes]:
        """Stored documents."""


class Working:
    """What is loaded, and what of it has changed."""

    def __init__(
        self,
        store: ProfileRows,
        new_id: Callable[[], ProfileId],
        rows: Rows,
        rules: IdentityRules = BUILT_IN,
        node_key: bytes = b"",
    ) -> None:
        self._store = store
        self._rules = rules
        self._node_key = node_key
        self.sessions: Mapping[str, int] = rules.sessions
        self.new_id = new_id
        self._rows = rows
        self.profiles: dict[ProfileId, Profile] = {}
        self.nodes: dict[NodeId, Node] = {}
        self.home: dict[NodeId, ProfileId] = {}
        self.newcomers: dict[ProfileId, Newcomer] = {}
        self.arrived: dict[ProfileId, Profile] = {}
        self.loaded_due: dict[ProfileId, int] = {}
        self.changed: set[ProfileId] = set()
        self.told: set[ProfileId] = set()
        self.overdue: set[ProfileId] = set()
        self.regrouped: set[ProfileId] = set()
        self.created: set[ProfileId] = set()
        self.removed: dict[ProfileId, Profile] = {}
        self.aliases: dict[ProfileId, ProfileId] = {}
        self.reclaimed: set[ProfileId] = set()
        self.moved: set[NodeId] = set()
        self.fresh: set[NodeId] = set()
        self.rehomed: dict[NodeId, ProfileId | None] = {}
        self.claimed: set[NodeId] = set()
        self.retold: dict[ProfileId, set[str]] = {}
        self.partitioned: set[NodeId] = set()
        self.aged: set[NodeId] = set()
        self.alike: set[NodeId] = set()
        self.unmatched: set[NodeId] = set()
        self.forgotten: set[NodeId] = set()
        self.belongs: set[NodeId] = set()
        self.living: dict[NodeId, set[NodeId]] = {}
        self.held: dict[tuple[NodeId, NodeId], Held] = {}

    def load_nodes(self, nodes: Iterable[NodeId]) -> None:
        """Load the profiles of nodes, as far as they are known and not loaded yet."""
        asked = [one for one in nodes if one not in self.home and one not in self.forgotten]
        self.load(self._store.profiles_of(asked).values())

    def name(self, identifier: Identifier) -> NodeId:
        """The node of an identifier."""
        return resolve.node_id(self._node_key, identifier)

    def known(self, nodes: Sequence[NodeId]) -> set[NodeId]:
        """Those of these nodes that there are."""
        asked = [one for one in nodes if one not in self.nodes]
        return {one for one in nodes if one in self.nodes} | self._store.profiles_of(asked).keys()

    def owners(self, nodes: Sequence[NodeId]) -> dict[NodeId, ProfileId]:
        """Whose these nodes are, as the store knows it."""
        return self._store.profiles_of(list(nodes))

    def load(self, profiles: Iterable[ProfileId]) -> None:
        """Load profiles that are not loaded yet."""
        missing = [one for one in set(profiles) if one not in self.profiles]
        if not missing:
            return
        decode = decode_profile
        for document in self._store.documents(missing).values():
            profile: Profile = decode(document)
            number = profile.id
            self.profiles[number] = profile
            self.loaded_due[number] = profile.due
            for node in profile.nodes:
                self.nodes[node.id] = node
                self.home[node.id] = number

    def node(self, node_id: NodeId, identifier: Identifier, time: int) -> Node:
        """The node of an identifier that was seen, made where it is new."""
        node = self.nodes.get(node_id)
        if node is None:
            return self.new_node(node_id, identifier, time, time)
        self.saw(node, time, time)
        return node

    def regroup_all(self, profiles: Iterable[ProfileId]) -> bool:
        """Partition all that these profiles' identifiers reach; say whether there was anything."""
        self.load(profiles)
        linked = {
            node.id
            for profile in self.profiles.values()
            for node in profile.nodes
            if node.links or node.more.decided or node.more.matched or node.kind in self.sessions
        }
        if linked:
            self.regroup(linked)
        return bool(linked)

    def new_node(self, node_id: NodeId, identifier: Identifier, first: int, last: int) -> Node:
        """The node of an identifier that nobody knows yet."""
        node = Node(node_id, identifier[0], identifier[1], first, last, 0, {})
        self.nodes[node_id] = node
        self.fresh.add(node_id)
        return node

    def add_newcomers(self, people: Iterable[Newcomer]) -> None:
        """Add people whose identifiers nobody knows yet."""
        for one in people:
            number = one.profile.id
            self.newcomers[number] = one
            self.profiles[number] = one.profile
            for node in one.profile.nodes:
                self.nodes[node.id] = node
                self.home[node.id] = number
        for those in (self.created, self.changed, self.regrouped):
            those.update(self.newcomers)

    def add_arrived(self, people: Iterable[Profile]) -> None:
        """Add people who were made ready, and are evaluated as they are: nobody's evidence leads to them."""
        self.arrived = {one.id: one for one in people}
        self.profiles.update(self.arrived)
        self.overdue.update(self.arrived)
        for number, one in self.arrived.items():
            for node in one.nodes:
                self.nodes[node.id] = node
                self.home[node.id] = number

    def _met(self, newcomer: Newcomer) -> None:
        """Somebody's evidence leads to a newcomer, who from then on is like all others."""
        number, owner = newcomer.profile.id, newcomer.owner
        del self.newcomers[number]
        for node in newcomer.profile.nodes:
            self.fresh.add(node.id)
            self.moved.add(node.id)
            self._rows.change(number, "identifier", identifier_text(node), None, True)
            if node is not owner:
                self._rows.link(owner, node, newcomer.rank, newcomer.seen)
        if newcomer.statements:
            self.claimed.add(owner.id)

    def saw(self, node: Node, first: int, last: int) -> None:
        """A node was seen between two times."""
        if last > node.last_seen:
            node.last_seen = last
            if node.kind in self.sessions:
                self.aged.add(node.id)
        if first < node.first_seen:
            node.first_seen = first
            if node.kind in self.sessions or self._rules.of(node.kind).per_days:
                self.aged.add(node.id)

    def link(self, left: Node, right: Node, rank: int, time: int, dirty: set[NodeId]) -> bool:
        """Keep evidence between two nodes; say whether it is news, and note whose evidence is new.

        What too many carried before joined nobody, and joins nobody now: it is not looked at again, or
        all that ever carried it were loaded with each event.
        """
        known = left.links.get(right.id)
        if known is not None and known <= (rank, time):
            return False
        still = [one.id for one in (left, right) if one.links and self.is_silent(one)]
        if not keep_link(left, right, rank, time, self.sessions):
            return False
        dirty.update(one.id for one in (left, right) if one.id not in still)
        return True

    def is_silent(self, node: Node) -> bool:
        """Do so many carry it that it joins nobody, whatever comes?"""
        return is_shared(node, self._rules) and not (self.sessions and slot(node, self.sessions))

    def belong(self, node_id: NodeId, account: str, time: int, belongs: bool) -> None:
        """Keep a word on whether the owner of a node that is there belongs to an account."""
        node = self.nodes[node_id]
        before = node.more.accounts.get(account, Belongs())
        after = before.with_word(time, belongs)
        if after != before:
            # Never in place: the default is one for all.
            node.keep(accounts={**node.more.accounts, account: after})
            self.changed.update([self.home[node_id]] if node_id in self.home else [])
        if (after.holds, after.first) != (before.holds, before.first):
            self.belongs.add(node_id)

    def note_home(self, node_id: NodeId) -> None:
        """What is said of living with the owner of this node is about to change."""
        if node_id not in self.living:
            node = self.nodes.get(node_id)
            self.living[node_id] = living_with(node) if node is not None else set()

    def regroup(self, dirty: set[NodeId]) -> None:
        """Partition everything that the dirty nodes' evidence reaches, and rename the clusters."""
        if self.sessions:
            dirty = dirty | place_sessions(self, dirty)
        closure = self.closure(dirty)
        names = [
            name
            for number in {self.home[node] for node in closure if node in self.home}
            for name in self.profiles[number].names
        ]
        before = {self.home[node] for node in closure if node in self.home}
        plain, others = plain_people(closure, self._rules)
        found = partition(others, self._rules)
        self.partitioned.update(closure)
        for ends, waiting in list(self.held.items()):
            inside = sum(end in closure for end in ends)
            if inside == len(ends) or (inside and waiting.reason == ALIKE):
                del self.held[ends]
        for held in found.held:
            self.held[held.link.left.id, held.link.right.id] = held
        renamed = name_clusters([*plain, *found.clusters], names, self.new_id)
        after = {one.id for one in renamed}
        for gone in before - after:
            self.removed[gone] = self.profiles.pop(gone)
            self.changed.discard(gone)
            self.regrouped.discard(gone)
        for one in renamed:
            self._settle(one)
        self._hold_alike(closure)

    def _hold_alike(self, closure: Mapping[NodeId, Node]) -> None:
        """Hold for people's eyes who is alike, but neither one person nor said to be or not to be."""
        for node in closure.values():
            for other_id, match in node.more.matched.items():
                if match.taken or node.more.decided.get(other_id, _UNSAID)[0] is not None:
                    continue
                self.load_nodes([other_id])
                other = self.nodes.get(other_id)
                if other is not None and self.home.get(other_id) != self.home[node.id]:
                    link = matched_link(node, other)
                    self.held[link.left.id, link.right.id] = Held(link, ALIKE)

    def replace(
        self, clusters: list[list[Node]], rewritten: Led = NOWHERE, *, taken_back: bool = False
    ) -> None:
        """Put these clusters of nodes, folded elsewhere, in the place of what is there.

        Nodes that are `rewritten` are there no more: what they were called leads to what they are now.
        Those that lead to `NOBODY` leave nothing: a profile of nothing else is gone.
        """
        given = {node.id: node for nodes in clusters for node in nodes}
        self.load_nodes([*given, *rewritten])
        self.forgotten.update(one for one in rewritten if one in self.home and one not in given)
        before = {self.home[one] for one in [*given, *self.forgotten] if one in self.home}
        for node in given.values():
            # What was computed from everybody is not made of events: it stays.
            if node.id in self.nodes:
                node.keep(refreshed=self.nodes[node.id].more.refreshed)
        names = [
            (number, rewritten.get(root, root) if root in self.forgotten else root)
            for one in before
            for number, root in self.profiles[one].names
        ]
        names = [name for name in names if name[1] in given]
        for left in self.forgotten:
            if (to := given.get(rewritten[left])) and not taken_back:
                to.keep(refreshed={**self.nodes[left].more.refreshed, **to.more.refreshed})
            text = identifier_text(self.nodes[left])
            self._rows.change(self.home.pop(left), "identifier", text, True, None)
        for node in given.values():
            old = self.nodes.get(node.id)
            if node.more.accounts != (old.more.accounts if old else {}):
                self.belongs.add(node.id)
            self.note_home(node.id)
        self.nodes.update(given)
        self.fresh.update(given.keys() - self.home.keys())
        renamed = name_clusters(clusters, names, self.new_id)
        for gone in before - {one.id for one in renamed}:
            self.removed[gone] = self.profiles.pop(gone)
        for one in renamed:
            self._settle(one, anew=True)

    def closure(self, dirty: set[NodeId]) -> dict[NodeId, Node]:
        """All nodes of the profiles that links reach; through shared nodes only if dirty."""
        closure: dict[NodeId, Node] = {}
        frontier = set(dirty)
        while frontier:
            self.load_nodes(node for node in frontier if node not in self.nodes)
            found: set[NodeId] = set()
            for node_id in frontier:
                number = self.home.get(node_id)
                own = [self.nodes[node_id]] if number is None else self.profiles[number].nodes
                if number in self.newcomers:
                    self._met(self.newcomers[number])
                for node in own:
                    if node.id in closure:
                        continue
                    closure[node.id] = node
                    more = node.more
                    found.update(more.decided)
                    if self.sessions and slot(node, self.sessions):
                        found.update([more.session] if more.session else [])
                    elif node.id in dirty or not is_shared(node, self._rules):
                        found.update(node.links)
                    else:
                        continue
                    found.update(one for one, match in more.matched.items() if match.taken)
            frontier = found - closure.keys()
        return closure

    def _settle(self, cluster: Renaming, *, anew: bool = False) -> None:
        """Make the profile of one cluster what the cluster says."""
        profile = self.profiles.get(cluster.id)
        nodes = sorted(cluster.nodes, key=lambda node: (node.first_seen, node.kind, node.value))
        if profile is not None and profile.names == cluster.names and not anew:
            same = len(nodes) == len(profile.nodes)
            if same and all(self.home.get(node.id) == cluster.id for node in nodes):
                return
        if profile is None and cluster.id in self.removed:
            # Merged away and parted again within one batch: it was never gone.
            profile = self.profiles[cluster.id] = self.removed.pop(cluster.id)
            self.aliases.pop(cluster.id, None)
        if profile is None:
            profile = Profile(cluster.id, [], [], {}, {})
            self.profiles[cluster.id] = profile
            self.created.add(cluster.id)
            # It may have been an alias since it was merged away: it gets its id back.
            self.reclaimed.add(cluster.id)
        self.aliases.update((name, cluster.id) for name, _ in cluster.names if name != cluster.id)
        if cluster.id in self.created:
            homes = {self.home[node.id] for node in nodes if node.id in self.home}
            for parted in sorted(homes & self.profiles.keys()):
                self._rows.change(parted, "split", profile_name(cluster.id), None, True)
        for node in nodes:
            self._move(node, cluster.id)
            if anew:
                # Whatever profile its events were written under, it may not be this one.
                self.rehomed[node.id] = None
        profile.names = cluster.names
        profile.nodes = nodes
        self.changed.add(cluster.id)
        self.regrouped.add(cluster.id)

    def _move(self, node: Node, profile: ProfileId) -> None:
        old = self.home.get(node.id)
        if old == profile:
            return
        text = identifier_text(node)
        if old is not None:
            self._rows.change(old, "identifier", text, True, None)
            self.rehomed.setdefault(node.id, old)
        self._rows.change(profile, "identifier", text, None, True)
        self.home[node.id] = profile
        self.moved.add(node.id)
