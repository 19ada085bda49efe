"""Why a link joins nobody: which rule stands against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from onefold.model.identity import IdentityRules
from onefold.model.profile import ASSERTED, Node, NodeId
from onefold.resolve.groups import Group, exceeding, obstacle
from onefold.resolve.links import is_full
from onefold.resolve.partition import Link, Partition, is_shared, valid_since
from onefold.resolve.values import is_blocked


class Refusal(NamedTuple):
    """The reason, and the kind of identifier whose rule it is; no kind: what protects people.

    Beside the reasons for a review there are `blocked`, `shared`, `placeholder`, `lifetime`, `limit`,
    `ephemeral` and `apart` (a person's word).
    """

    reason: str
    kind: str = ""


class Refusals:
    """Says of links why they joined nobody in a partition."""

    def __init__(self, found: Partition, rules: IdentityRules) -> None:
        self._rules = rules
        self._held = {frozenset((one.link.left.id, one.link.right.id)): one for one in found.held}
        self.cluster_of: Mapping[NodeId, int] = {
            node.id: at for at, nodes in enumerate(found.clusters) for node in nodes
        }
        self._clusters = found.clusters

    def of(self, link: Link) -> Refusal | None:
        """Why its ends are not one person; None if they are, or nothing stands against it."""
        one, two = (self.cluster_of[end.id] for end in (link.left, link.right))
        if one == two:
            return None
        for end in (link.left, link.right):
            if reason := self._silence(end, link):
                return Refusal(reason, end.kind)
        held = self._held.get(frozenset((link.left.id, link.right.id)))
        return self._between(
            self._group(one), self._group(two), link, held.reason if held else None
        )

    def _silence(self, end: Node, link: Link) -> str:
        if is_blocked(end, self._rules):
            return "blocked"
        if is_full(end):
            return "placeholder"
        if is_shared(end, self._rules):
            return "shared"
        old = link.rank > ASSERTED and link.time < valid_since(end, self._rules)
        return "lifetime" if old else ""

    def _between(
        self, one: Group, two: Group, link: Link, held: str | None = None
    ) -> Refusal | None:
        """What stands between the groups that came out: groups grow, so it stood there before."""
        rules = self._rules
        found = obstacle(one, two, link.rank, link.time, link.left, link.right, rules)
        reason = held or found
        if reason is None:
            return None
        for kind in sorted(one.limited.keys() & two.limited.keys()):
            if reason == "immutable" and rules.of(kind).strength == "immutable":
                return Refusal(reason, kind)
            times = one.limited[kind] + two.limited[kind]
            if not reason and exceeding(times, rules.of(kind)):
                return Refusal("limit", kind)
        if reason:
            return Refusal(reason)
        if {node.id for node in one.nodes} & two.apart or {n.id for n in two.nodes} & one.apart:
            return Refusal("apart")
        for end in (link.left, link.right):
            if rules.of(end.kind).strength == "ephemeral":
                return Refusal("ephemeral", end.kind)
        return None

    def _group(self, cluster: int) -> Group:
        nodes = self._clusters[cluster]
        group = Group.of(nodes[0], self._rules)
        for node in nodes[1:]:
            group.add(Group.of(node, self._rules))
        return group


def rule_says(refusal: Refusal, rules: IdentityRules) -> str:
    """The words of the rule behind a refusal, as its definition has them.

    >>> rule_says(Refusal("shared", "email"), IdentityRules())
    'max_profiles: 3'
    """
    rule, protection = rules.of(refusal.kind), rules.protection
    if refusal.reason == "limit" and rule.max_per_profile:
        days = f", per_days: {rule.per_days}" if rule.per_days else ""
        return f"max_per_profile: {rule.max_per_profile}{days}"
    return {
        "blocked": "blocked",
        "placeholder": "linked with more than 200 others",
        "shared": f"max_profiles: {rule.max_profiles}",
        "lifetime": f"lifetime_days: {rule.lifetime_days}",
        "limit": f"strength: {rule.strength}",
        "immutable": "strength: immutable",
        "ephemeral": "strength: ephemeral",
        "apart": "a person's word",
        "contradiction": "a person's word",
        "names": "names, birth_dates",
        "hold": f"hold: {protection.hold}",
        "consent": "consent: true",
        "size": f"max_identifiers: {protection.max_identifiers}",
        "bridge": "bridges: true",
    }.get(refusal.reason, refusal.reason)
