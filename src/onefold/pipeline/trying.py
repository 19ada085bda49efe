"""What regrouping, or a batch, would do to people: who would become whom, and what that does to segments."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from onefold.model.profile import Node, NodeId, ProfileId
from onefold.pipeline.prepare import Prepared
from onefold.pipeline.working import Working
from onefold.store import BatchWrite


class Shift(NamedTuple):
    """People as they are, and the people that their identifiers would be.

    An id stands on both sides where somebody keeps it. `entered` and `left` are the segments, one for
    each of the people who would.
    """

    before: dict[ProfileId, list[Node]]
    after: dict[ProfileId, list[Node]]
    entered: list[str]
    left: list[str]

    @property
    def merged(self) -> int:
        """How many people would be no more."""
        return len(self.before.keys() - self.after.keys())

    @property
    def parted(self) -> int:
        """How many people there would be more."""
        return len(self.after.keys() - self.before.keys())

    @property
    def moved(self) -> int:
        """How many identifiers would be somebody else's."""
        home = {node.id: number for number, nodes in self.before.items() for node in nodes}
        return sum(home[node.id] != to for to, nodes in self.after.items() for node in nodes)


class Trial(NamedTuple):
    """What would happen to a page of profiles, and how many links would wait for a person's word.

    What touches people of several pages is told of once: with the one of the smallest id.
    """

    shifts: list[Shift]
    waiting: int


class Tried(NamedTuple):
    """What a batch would do: to whom its events' owners would belong, and who would be what.

    `home` gives the profile of each owner, `traits` the golden record of each that is touched;
    `merged` are profiles that would be no more. `entered` and `left` name segments.
    """

    events: int
    repeats: int
    home: dict[NodeId, ProfileId]
    traits: dict[ProfileId, dict[str, Any]]
    created: set[ProfileId]
    merged: set[ProfileId]
    entered: list[str]
    left: list[str]


def tried_of(given: Prepared, working: Working, write: BatchWrite) -> Tried:
    """What was folded, before anything of it is written."""
    owners = {visit.nodes[0] for visit in given.visits}
    home = {one: working.home[one] for one in owners if one in working.home}
    touched = {*home.values()}
    return Tried(
        len(given.rows),
        given.repeats,
        home,
        {one: working.profiles[one].traits for one in touched},
        working.created & touched,
        set(working.removed),
        [segment for segment, _, _ in write.entered],
        [segment for segment, _ in write.left],
    )


def trial_of(working: Working, page: Collection[ProfileId], write: BatchWrite) -> Trial:
    """What was regrouped, as far as this page tells of it."""
    shifts = []
    for people in _together(working):
        shift = _shift(working, people, write)
        if min(shift.before) in page:
            shifts.append(shift)
    waiting = sum(min(_home_before(working, end) for end in ends) in page for ends in working.held)
    return Trial(shifts, waiting)


def _home_before(working: Working, node: NodeId) -> ProfileId:
    before = working.rehomed.get(node)
    return working.home[node] if before is None else before


def _together(working: Working) -> list[set[ProfileId]]:
    """The ids, before and after, of those between whom identifiers moved."""
    group: dict[ProfileId, set[ProfileId]] = {}
    for node in working.moved:
        ends = (_home_before(working, node), working.home[node])
        one, two = (group.setdefault(end, {end}) for end in ends)
        if one is not two:
            if len(one) < len(two):
                one, two = two, one
            one |= two
            for end in two:
                group[end] = one
    return list({id(one): one for one in group.values()}.values())


def _shift(working: Working, people: set[ProfileId], write: BatchWrite) -> Shift:
    after = {one: working.profiles[one].nodes for one in sorted(people & working.profiles.keys())}
    before: dict[ProfileId, list[Node]] = {}
    for nodes in after.values():
        for node in nodes:
            before.setdefault(_home_before(working, node.id), []).append(node)
    return Shift(
        before,
        after,
        [segment for segment, number, _ in write.entered if number in people],
        [segment for segment, number in write.left if number in people],
    )
