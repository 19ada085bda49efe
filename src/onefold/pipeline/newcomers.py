"""People whom nobody knew and about whom there is nothing to decide, folded in at once.

An import brings a million of them, and most visitors of a site never came before. Their identifiers are
those of one visit only, so that nothing else of the batch says anything about them. What comes of them is
what the general way would make of them; it is only found with less work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from onefold.model.identity import IdentityRules
from onefold.model.profile import Node, NodeId, Profile
from onefold.model.records import Event, Identifier
from onefold.pipeline.first_rows import Newcomer
from onefold.pipeline.golden import Deciding
from onefold.pipeline.prepare import Prepared, identifiers_of
from onefold.pipeline.visits import Visit
from onefold.pipeline.working import Working
from onefold.resolve import Newcomers

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
    plain, hold = Newcomers(rules), rules.protection.hold
    left: list[Visit] = []
    people: list[Newcomer] = []
    for visit in given.visits:
        if alone.issuperset(visit.nodes):
            identifiers = _decode(visit.identifiers)
            shape = plain.shape(identifiers)
            events = told.get(visit.nodes[0], ())
            if shape is not None and not (events and any(hold in one.traits for one in events)):
                nodes = _nodes(visit, identifiers)
                claims = deciding.first_claims(nodes[0], events) if events else []
                number = working.new_id()
                names = [(number, visit.nodes[shape.root])]
                profile = Profile(number, names, [nodes[at] for at in shape.order], {}, {})
                people.append(Newcomer(profile, shape.owner, visit.rank, visit.first, claims))
                continue
        left.append(visit)
    if not people:
        return Left(given.visits, given.telling)
    working.add_newcomers(people)
    ids, done = given.ids, {one.owner.id for one in people}
    return Left(left, [one for one in given.telling if ids[one.identifiers[0]] not in done])


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


def _nodes(visit: Visit, identifiers: Sequence[Identifier]) -> list[Node]:
    """The nodes of a visit, its owner's first and linked with all others."""
    first, last, owner = visit.first[0], visit.last, visit.nodes[0]
    evidence = visit.rank, first
    nodes = [
        Node(node, kind, value, first, last, 0, {owner: evidence})
        for node, (kind, value) in zip(visit.nodes, identifiers, strict=True)
    ]
    nodes[0].links = dict.fromkeys(visit.nodes[1:], evidence)
    nodes[0].events = visit.events
    return nodes
