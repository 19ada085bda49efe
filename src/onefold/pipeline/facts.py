"""Identifiers, links and claims of a batch, folded into the nodes that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from onefold.model.identity import IdentityRules
from onefold.model.profile import ASSERTED, NodeId
from onefold.model.records import Event, Identifier
from onefold.pipeline.admitting import admit
from onefold.pipeline.golden import Deciding
from onefold.pipeline.newcomers import Concerned, Left, fold_newcomers
from onefold.pipeline.prepare import Prepared
from onefold.pipeline.rows import Rows
from onefold.pipeline.stopwatch import Stopwatch
from onefold.pipeline.visits import add_visit
from onefold.pipeline.working import Working
from onefold.resolve import protected, protection_reads


def fold_facts(
    given: Prepared,
    working: Working,
    rows: Rows,
    deciding: Deciding,
    rules: IdentityRules,
    watch: Stopwatch,
    concerned: Concerned | None = None,
    *,
    whole: bool = False,
) -> Prepared:
    """Fold identifiers, links and claims in; newcomers at once, where that may be (`concerned`). Gives the
    batch where arrivals are only those who were admitted: as `whole` people, or without identifiers.
    """
    with watch("arrivals"):
        given = admit(given, working, concerned if deciding.plain else None, whole=whole)
    with watch("load"):
        # Nearly always the other identifiers are of the owner's profile: then it brings them.
        working.load_nodes(visit.nodes[0] for visit in given.visits)
        working.load_nodes(node for visit in given.visits for node in visit.nodes[1:])
        visited = set(chain.from_iterable([visit.nodes for visit in given.visits]))
        working.load_nodes(set(given.ids.values()) - visited)
    left = Left(given.visits, given.telling)
    with watch("newcomers"):
        if concerned is not None:
            left = fold_newcomers(given, working, rows, deciding, rules, concerned)
    dirty: set[NodeId] = set()
    with watch("facts"):
        for visit in left.visits:
            add_visit(visit, working, rows, dirty)
        for event in left.telling:
            _add_telling(event, given.ids, working, rows, dirty, deciding, rules)
    with watch("regroup"):
        dirty |= working.aged
        if dirty:
            working.regroup(dirty)
    return given


def _add_telling(
    event: Event,
    ids: Mapping[Identifier, NodeId],
    working: Working,
    rows: Rows,
    dirty: set[NodeId],
    deciding: Deciding,
    rules: IdentityRules,
) -> None:
    """Fold the claims and the asserted links of an event in; note the nodes whose evidence is new."""
    owner = working.nodes[ids[event.identifiers[0]]]
    if event.traits:
        reads = protection_reads(event.traits, rules.protection)
        protects = reads and not working.is_silent(owner)
        before = protected(owner, rules) if protects else None
        deciding.claim(owner, event, working)
        if protects and protected(owner, rules) != before:
            dirty.add(owner.id)
    home, seen = working.home, (event.time, event.message_id, event.source)
    for left, right in event.asserted:
        # An alias may name identifiers that the event does not carry itself.
        one = working.node(ids[left], left, event.time)
        two = working.node(ids[right], right, event.time)
        # It may have been seen then, whether that joins it to anybody or not.
        working.changed.update(home[end] for end in (one.id, two.id) if end in home)
        if working.link(one, two, ASSERTED, event.time, dirty):
            rows.link(one, two, ASSERTED, seen)
