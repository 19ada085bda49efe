"""People whom nobody knew and about whom there is nothing to decide, folded in at once.

An import brings a million of them, and most visitors of a site never came before. Their identifiers are
those of one visit only, so that nothing else of the batch says anything about them. What else they carry may
be known already, if so many carry it that it joins nobody: the telephone number of a shop, a device on show.
What comes of them is what the general way would make of them; it is only found with less work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from onefold.model.identity import IdentityRules
from onefold.model.profile import WITH_USER, NodeId, Profile
from onefold.model.records import Event, Identifier
from onefold.pipeline.first_rows import Newcomer
from onefold.pipeline.golden import Deciding
from onefold.pipeline.prepare import Prepared, identifiers_of
from onefold.pipeline.rows import Rows
from onefold.pipeline.visits import Visit, nodes_of
from onefold.pipeline.working import Working
from onefold.resolve import Newcomers, pairs_of

Concerned = Callable[[Sequence[NodeId]], Iterable[NodeId]]
"""Those of some nodes of which more is said than in the batch's events."""
_decode = msgspec.msgpack.Decoder(tuple[Identifier, ...]).decode


class Left(NamedTuple):
    """What of a batch goes the general way."""

    visits: Sequence[Visit]
    telling: Sequence[Event]


def fold_newcomers(
    given: Prepared,
    working: Working,
    rows: Rows,
    deciding: Deciding,
    rules: IdentityRules,
    concerned: Concerned,
) -> Left:
    """Fold the visits of newcomers in; gives what is left. Nobody is one of whose identifiers more is
    said elsewhere (`concerned`).
    """
    alone = _alone(given, working, concerned)
    if not alone:
        return Left(given.visits, given.telling)
    told = _told(given.telling, given.ids)
    hold = rules.protection.hold
    silent = _Silent(working)
    left: list[Visit] = []
    beside: list[Visit] = []
    people: list[Newcomer] = []
    met: list[tuple[Visit, Sequence[Sequence[int]], Sequence[Sequence[Identifier]]]] = []
    for visit in given.visits:
        whole = alone.issuperset(visit.nodes)
        if not whole and not silent.rest(visit, alone):
            left.append(visit)
            continue
        groups = [range(len(visit.nodes))] if whole else _groups(visit, alone)
        identifiers = _decode(visit.identifiers)
        met.append((visit, groups, [[identifiers[at] for at in one] for one in groups]))
    asked = [(named, len(visit.nodes) - 1) for visit, _, some in met for named in some]
    shaped = iter(Newcomers(rules).shapes(asked))
    for visit, parts, some in met:
        shapes = list(islice(shaped, len(parts)))
        events = told.get(visit.nodes[0], ()) if visit.nodes[0] in alone else ()
        if None in shapes or (events and any(hold in one.traits for one in events)):
            left.append(visit)
            continue
        for places, named, shape in zip(parts, some, shapes, strict=True):
            assert shape is not None
            own = [visit.nodes[at] for at in places]
            count = visit.events if places[0] == 0 else 0
            nodes = nodes_of(own, named, visit.rank, visit.first[0], visit.last, count)
            claims = deciding.first_claims(nodes[0], events) if events else []
            names = [(working.new_id(), nodes[shape.root].id)]
            profile = Profile(names[0][0], names, list(shape.ordered(nodes)), {}, {})
            people.append(Newcomer(profile, shape.owner, visit.rank, visit.first, claims))
        if not alone.issuperset(visit.nodes):
            beside.append(visit)
    if not people:
        return Left(given.visits, given.telling)
    working.add_newcomers(people)
    for visit in beside:
        _add_beside(visit, alone, working, rows)
    ids, done = given.ids, {one.owner.id for one in people}
    return Left(left, [one for one in given.telling if ids[one.identifiers[0]] not in done])


class _Silent(dict[NodeId, bool]):
    """Whether nodes join nobody whatever comes, each asked once."""

    def __init__(self, working: Working) -> None:
        super().__init__()
        self._working = working

    def __missing__(self, node_id: NodeId) -> bool:
        node = self._working.nodes.get(node_id)
        silent = self[node_id] = node is not None and self._working.is_silent(node)
        return silent

    def rest(self, visit: Visit, alone: AbstractSet[NodeId]) -> bool:
        """Is a visit of some newcomers, and all others join nobody? Beside a user id only links with it
        are kept; without one no two others may be linked.
        """
        if visit.rank != WITH_USER and len(visit.nodes) > 2:
            return False
        others = [node for node in visit.nodes if node not in alone]
        return len(others) < len(visit.nodes) and all(self[node] for node in others)


def _groups(visit: Visit, alone: AbstractSet[NodeId]) -> list[Sequence[int]]:
    """The places of those in a visit who are one person: all who are new, if its owner is, else each."""
    new = [place for place, node in enumerate(visit.nodes) if node in alone]
    return [new] if new[0] == 0 else [[place] for place in new]


def _add_beside(visit: Visit, alone: AbstractSet[NodeId], working: Working, rows: Rows) -> None:
    """Fold a visit of newcomers into those of its nodes that are known, which join nobody."""
    first, last = visit.first[0], visit.last
    ends = [working.nodes[one] for one in visit.nodes]
    for node in ends:
        if node.id not in alone:
            working.saw(node, first, last)
            working.changed.add(working.home[node.id])
    if ends[0].id not in alone:
        ends[0].events += visit.events
    for left, right in pairs_of(ends, visit.rank):
        if left.id in alone and right.id in alone:
            continue  # that came with the newcomer
        if working.link(left, right, visit.rank, first, set()):
            rows.link(left, right, visit.rank, visit.first)


def _alone(given: Prepared, working: Working, concerned: Concerned) -> set[NodeId]:
    """The nodes that nobody knows and of which one visit alone says something."""
    home = working.home
    unknown = [node for visit in given.visits for node in visit.nodes if node not in home]
    if not unknown:
        return set()
    alone = {node for node, count in Counter(unknown).items() if count == 1}
    alone.difference_update(concerned(list(alone)))
    others: Iterable[Identifier] = identifiers_of(given.claims)
    asserting = [event for event in given.telling if event.asserted]
    alone.difference_update(given.ids[one] for one in chain(others, identifiers_of(asserting)))
    return alone


def _told(telling: Iterable[Event], ids: Mapping[Identifier, NodeId]) -> dict[NodeId, list[Event]]:
    """Events, by the node that their claims are about."""
    found: dict[NodeId, list[Event]] = {}
    for event in telling:
        found.setdefault(ids[event.identifiers[0]], []).append(event)
    return found
