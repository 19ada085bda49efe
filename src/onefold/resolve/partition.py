"""The partition: nodes and links in, clusters that are one person each out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from onefold.model.identity import BUILT_IN, IdentityRules
from onefold.model.profile import ASSERTED, DECIDED, MATCHED, SESSION, WITH_USER, Node, NodeId
from onefold.resolve.bridges import bridges
from onefold.resolve.groups import Group, obstacle
from onefold.resolve.links import is_full
from onefold.resolve.sessions import slot
from onefold.resolve.values import is_blocked

_DAY = 86_400_000_000
_FIRST, _LAST = -1, 9
_Order = tuple[int, int, int, str, str, str, str]


class Link(NamedTuple):
    """Evidence between two nodes, the smaller in the order of (kind, value) on the left."""

    rank: int
    time: int
    left: Node
    right: Node


class Held(NamedTuple):
    """A link that would have joined two groups, and why it did not: people should look at it."""

    link: Link
    reason: str


class Partition(NamedTuple):
    """Who is one person; the links that made it so; the links that wait for a person's word.

    Of each cluster of n nodes `joins` holds n - 1 links: the only way from any node to any other is
    the chain of evidence between them.
    """

    clusters: list[list[Node]]
    joins: list[Link]
    held: list[Held]


def is_shared(node: Node, rules: IdentityRules = BUILT_IN) -> bool:
    """Does this identifier say nothing about who is who, because too many carry it?

    A device that more users signed in on than its rule allows is a kiosk or a family tablet; a value
    linked with a great many others (`is_full`) is a placeholder. What a person has only one of is never
    shared. Not even an `alias` is evidence then: sign-ups on a kiosk would make all its users one.
    """
    rule = rules.of(node.kind)
    if is_full(node):
        return True
    if rule.strength in ("immutable", "unique") or len(node.links) <= rule.max_profiles:
        return False
    return sum(rank <= WITH_USER for rank, _ in node.links.values()) > rule.max_profiles


def partition(nodes: Mapping[NodeId, Node], rules: IdentityRules = BUILT_IN) -> Partition:
    """The clusters of a set of nodes that is closed under links.

    Links are taken in the order (rank, priority, time, values): first what was seen with an immutable
    identifier, then what an `alias` asserts, then what was seen beside a user id, then the rest,
    then who is only alike, most alike first. Each joins the groups at its ends, unless a rule stands
    against it (`obstacle`). So an anonymous id belongs to the user first seen with it, whatever came in
    first. Then come minutes of shared devices, which join nobody else. Last come people's decisions,
    which join whole groups: whatever evidence gathered on both sides.
    """
    evidence = _evidence(nodes, rules)
    found = _joined(nodes, evidence, rules)
    if rules.protection.bridges and any(len(one) >= LEAST_DENSE for one in found.clusters):
        cut = _bridges(found.clusters, evidence)
        if cut:
            rest = [link for at, link in enumerate(evidence) if at not in cut]
            again = _joined(nodes, rest, rules)
            held = again.held + [Held(evidence[at], "bridge") for at in sorted(cut)]
            return Partition(again.clusters, again.joins, held)
    return found


LEAST_DENSE = 8


def _bridges(clusters: Iterable[Sequence[Node]], evidence: Sequence[Link]) -> set[int]:
    """The places of links, seen without a user id, that alone hold two dense parts together."""
    cluster_of = {
        node.id: number
        for number, nodes in enumerate(clusters)
        if len(nodes) >= LEAST_DENSE
        for node in nodes
    }
    inside: dict[int, list[int]] = {}
    for at, link in enumerate(evidence):
        number = cluster_of.get(link.left.id)
        if number is not None and number == cluster_of.get(link.right.id):
            inside.setdefault(number, []).append(at)
    cut: set[int] = set()
    for places in inside.values():
        found = bridges([(evidence[at].left.id, evidence[at].right.id) for at in places])
        cut.update(places[one] for one in found if evidence[places[one]].rank > WITH_USER)
    return cut


def _joined(
    nodes: Mapping[NodeId, Node], evidence: Sequence[Link], rules: IdentityRules
) -> Partition:
    group_of = {node_id: Group.of(node, rules) for node_id, node in nodes.items()}
    joins: list[Link] = []
    held: list[Held] = []
    for link in evidence:
        one, two = group_of[link.left.id], group_of[link.right.id]
        if one is two:
            continue
        reason = obstacle(one, two, link.rank, link.time, link.left, link.right, rules)
        if reason is None:
            joins.append(link)
            if len(one.nodes) < len(two.nodes):
                one, two = two, one
            one.add(two)
            for node in two.nodes:
                group_of[node.id] = one
        elif reason:
            held.append(Held(link, reason))
    groups = {id(group): group for group in map(group_of.__getitem__, nodes)}
    # Others may have joined them all the same.
    held = [one for one in held if group_of[one.link.left.id] is not group_of[one.link.right.id]]
    return Partition([one.nodes for one in groups.values()], joins, held)


def _evidence(  # noqa: C901 - one kind of evidence after the other
    nodes: Mapping[NodeId, Node], rules: IdentityRules
) -> list[Link]:
    """All links that count, in the order in which they are taken."""
    silent = {
        node.id for node in nodes.values() if is_shared(node, rules) or is_blocked(node, rules)
    }
    found: list[tuple[_Order, Link]] = []
    sessions = rules.sessions
    for node in nodes.values():
        links = node.links
        more = node.more
        if sessions and slot(node, sessions):
            links = {}
            if more.session in nodes and more.session not in silent:
                person = nodes[more.session]
                found.append(_ordered(node, person, SESSION, node.first_seen, rules))
        oldest = valid_since(node, rules)
        for other_id, (rank, time) in links.items():
            other = nodes.get(other_id)
            # Each link lies at both of its ends: take it at the smaller one, or where it is all.
            if other is None or (node.id > other_id and node.id in other.links):
                continue
            if node.id in silent or other_id in silent:
                continue
            if rank > ASSERTED and time < max(oldest, valid_since(other, rules)):
                continue
            found.append(_ordered(node, other, rank, time, rules))
        for other_id, match in more.matched.items():
            other = nodes.get(other_id)
            if not match.taken or other is None or node.id > other_id:
                continue
            if node.id not in silent and other_id not in silent:
                found.append(_alike(node, other, match.weight))
        for other_id, (same, time, _) in more.decided.items():
            other = nodes.get(other_id)
            if same and other is not None and node.id < other_id:
                found.append(_ordered(node, other, DECIDED, time, rules))
    found.sort(key=lambda one: one[0])
    return [link for _, link in found]


def matched_link(node: Node, other: Node) -> Link:
    """The link between two nodes whose claims are alike: as old as the younger of them."""
    left, right = node, other
    if (right.kind, right.value) < (left.kind, left.value):
        left, right = right, left
    return Link(MATCHED, max(left.first_seen, right.first_seen), left, right)


def _alike(node: Node, other: Node, weight: float) -> tuple[_Order, Link]:
    link = matched_link(node, other)
    left, right = link.left, link.right
    # Who is most alike comes first.
    key = (MATCHED, -round(weight * 1e6), 0, left.kind, left.value, right.kind, right.value)
    return key, link


def _ordered(
    node: Node, other: Node, rank: int, time: int, rules: IdentityRules
) -> tuple[_Order, Link]:
    left, right = node, other
    if (right.kind, right.value) < (left.kind, left.value):
        left, right = right, left
    priority = max(rules.of(left.kind).priority, rules.of(right.kind).priority)
    turn = rank
    if rank == DECIDED:
        turn = _LAST
    elif rank != SESSION and "immutable" in (
        rules.of(left.kind).strength,
        rules.of(right.kind).strength,
    ):
        turn = _FIRST
    key = (turn, priority, time, left.kind, left.value, right.kind, right.value)
    return key, Link(rank, time, left, right)


def valid_since(node: Node, rules: IdentityRules) -> int:
    """The time before which its links are no evidence: who had the value then has it no more."""
    days = rules.of(node.kind).lifetime_days
    if not days or not node.links:
        return 0
    return max(time for _, time in node.links.values()) - days * _DAY
