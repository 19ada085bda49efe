"""Sessions on shared devices: whose a minute is in which nobody said who they are.

It belongs to whoever is known in the session next to it, before or after: a late login tells who it
was all along. Where two are, or several within a minute, it is nobody's. Signing out ends a session,
so does silence, and midnight (UTC).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from onefold.model.identity import DEVICES
from onefold.model.profile import Node, NodeId
from onefold.model.records import Identifier
from onefold.model.sessions import MINUTE, Slot, slot_of
from onefold.resolve.links import add_link

Sessions = Mapping[str, int]
"""The kinds that are shared devices, with the minutes of silence that end a session."""
NOBODY: NodeId = b""


def slot(node: Node, sessions: Sessions) -> Slot | None:
    """The minute of a shared device that a node is, if it is one."""
    return slot_of(node.value) if node.kind in sessions else None


def keep_link(one: Node, two: Node, rank: int, time: int, sessions: Sessions) -> bool:
    """Keep evidence between two nodes; say whether it is news. A minute keeps who is known in it."""
    if not sessions:
        return add_link(one, two, rank, time)
    first, second = slot(one, sessions), slot(two, sessions)
    if first is None and second is None:
        return add_link(one, two, rank, time)
    minute, person = (one, two) if first else (two, one)
    if (first and second) or person.kind in DEVICES:
        return False
    known = minute.links.get(person.id)
    if known is not None and known <= (rank, time):
        return False
    # Only at the minute: a person has no end of them.
    minute.links[person.id] = (rank, time)
    return known is None


def is_end(node: Node) -> bool:
    """Does a run of minutes of nobody known end here?"""
    found = slot_of(node.value)
    return bool(node.links) or (found is not None and found.out)


def around(node: Node, minutes: int, step: int) -> Iterator[Identifier]:
    """The minutes next to one that may be of the same session, the nearest first; `step` is 1 or -1."""
    here = slot_of(node.value)
    assert here is not None, "only minutes have neighbors"
    if here.out is (step < 0):
        yield Identifier(node.kind, here._replace(out=not here.out).value)
    for away in range(1, minutes + 2):
        minute = here.minute + step * away
        for out in (False, True) if step > 0 else (True, False):
            found = Slot(here.device, minute, out)
            if found.day == here.day:
                yield Identifier(node.kind, found.value)


def whose(
    chain: Sequence[Node], minutes: int, *, more_before: bool, more_after: bool
) -> Iterator[tuple[Node, NodeId]]:
    """Whose each of these minutes is, by those beside it: a person's node, or the minute before.

    The chain is in the order of time, with all that lies between its ends. Where there may be more
    beyond an end, nothing is said of what depends on that.
    """
    run: list[Node] = []
    before: Node | None = None
    for at, node in enumerate(chain):
        last = run[-1] if run else before
        if last is not None and not _together(last, node, minutes):
            yield from _run(run, before, None)
            run, before = [], None
        if node.links:
            yield from _run(run, before, node)
            run, before = [], None if is_out(node) else node
            after = chain[at + 1] if at + 1 < len(chain) else None
            if after is not None or not more_after:
                yield node, _own(node, after)
        elif not is_out(node):
            run.append(node)
        elif at or not more_before:
            yield from _run([*run, node], before, None)
            run, before = [], None
    yield from _run(run, before, None)


def is_out(node: Node) -> bool:
    """Is it a signing out?"""
    found = slot_of(node.value)
    return found is not None and found.out


def _run(
    run: Sequence[Node], before: Node | None, after: Node | None
) -> Iterator[tuple[Node, NodeId]]:
    beside = [node.links.keys() for node in (before, after) if node is not None]
    known = set[NodeId]().union(*beside)
    person = next(iter(known)) if len(known) == 1 else NOBODY
    previous = NOBODY
    for node in run:
        yield node, person or previous
        previous = node.id


def _own(node: Node, after: Node | None) -> NodeId:
    """Who is known in a minute; nobody if several are, or who came after somebody signed out."""
    if len(node.links) != 1:
        return NOBODY
    here = slot_of(node.value)
    then = None if after is None else slot_of(after.value)
    if node.events and here and not here.out and then and then.out and then.minute == here.minute:
        return NOBODY
    return next(iter(node.links))


def _together(one: Node, two: Node, minutes: int) -> bool:
    return two.first_seen - one.last_seen <= minutes * MINUTE
