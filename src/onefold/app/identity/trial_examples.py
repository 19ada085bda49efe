"""Examples of what identity rules would do: some of all, drawn evenly, with the links and why."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping

from onefold.app.answers import RANKS
from onefold.app.identity.trial_answers import TrialExample, TriedLink, TriedPerson
from onefold.model.identity import IdentityRules
from onefold.model.profile import Node, NodeId, ProfileId, identifier_text, profile_name
from onefold.pipeline import Shift
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import ProfileRows, Working
from onefold.resolve import Link, Refusal, Refusals, partition, rule_says

_MOST, _IDENTIFIERS, _LINKS = 20, 50, 20
_PRIME, _FACTOR = 2**31 - 1, 1_583_458_089


class Examples:
    """Draws some of all shifts evenly: the same ones every time."""

    def __init__(self, store: ProfileRows, before: IdentityRules, after: IdentityRules) -> None:
        self._store = store
        self._before = before
        self._after = after
        self._drawn: dict[str, list[tuple[int, int, TrialExample]]] = {}

    def offer(self, shift: Shift) -> None:
        """Look at one; explain it if it is among those drawn so far."""
        kinds = [
            name for name, count in (("merge", shift.merged), ("split", shift.parted)) if count
        ]
        first = min(shift.before)
        rank = first % _PRIME * _FACTOR % _PRIME
        example = None
        for kind in kinds or ["move"]:
            drawn = self._drawn.setdefault(kind, [])
            if len(drawn) == _MOST and -drawn[0][0] < rank:
                continue
            example = example or self._explain(shift)
            (heapq.heappush if len(drawn) < _MOST else heapq.heapreplace)(
                drawn, (-rank, -first, example)
            )

    def of(self, kind: str) -> tuple[TrialExample, ...]:
        """Those of a kind, the oldest profiles first."""
        found = sorted(self._drawn.get(kind, ()), key=lambda one: -one[1])
        return tuple(example for _, _, example in found)

    def _explain(self, shift: Shift) -> TrialExample:
        nodes = {node.id for people in shift.before.values() for node in people}
        closure: dict[NodeId, Node] = {}
        for rules in (self._before, self._after):
            closure |= Working(self._store, int, Rows(0), rules).closure(set(nodes))
        was, would = (partition(closure, one) for one in (self._before, self._after))
        old, new = Refusals(was, self._before), Refusals(would, self._after)
        home = {node.id: at for at, people in shift.before.items() for node in people}
        joined = [
            link for link in would.joins if _apart(link, home) and link.left.id in home
        ]  # fmt: skip
        parted = [
            link for link in was.joins if link.left.id in nodes and _apart(link, new.cluster_of)
        ]
        return TrialExample(
            tuple(_people(shift.before, shift.before)),
            tuple(_people(shift.after, shift.before)),
            tuple(_told(joined, old, self._before)),
            tuple(_told(parted, new, self._after)),
        )


def _apart(link: Link, home: Mapping[NodeId, int]) -> bool:
    return home.get(link.left.id) != home.get(link.right.id)


def _people(
    people: Mapping[ProfileId, list[Node]], known: Mapping[ProfileId, object]
) -> Iterator[TriedPerson]:
    for number, nodes in people.items():
        texts = sorted(map(identifier_text, nodes))
        name = profile_name(number) if number in known else None
        yield TriedPerson(name, tuple(texts[:_IDENTIFIERS]), len(texts))


def _told(links: Iterable[Link], against: Refusals, rules: IdentityRules) -> Iterator[TriedLink]:
    for link, _ in zip(links, range(_LINKS), strict=False):
        yield tried_link(link, against.of(link), rules)


def tried_link(link: Link, refusal: Refusal | None, rules: IdentityRules) -> TriedLink:
    """A link with what stands against it."""
    ends = identifier_text(link.left), identifier_text(link.right)
    if refusal is None:
        return TriedLink(*ends, RANKS[link.rank], link.time)
    return TriedLink(
        *ends,
        RANKS[link.rank],
        link.time,
        refusal.reason,
        refusal.kind or "people",
        rule_says(refusal, rules),
        version_of(refusal.kind, rules),
    )


def version_of(kind: str, rules: IdentityRules) -> int:
    """The version of the rule of a kind, or without one of what protects people; 0 if built in."""
    if not kind:
        return rules.protection.version
    own = rules.kinds.get(kind)
    return own.version if own else 0
