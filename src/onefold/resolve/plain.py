"""People about whom there is nothing to decide: most of those who come for the first time.

An import brings a million of them. Each is one identifier with others that nothing else knows, no two
of a kind, and only one with claims: no rule can stand between them, so the links need no order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from onefold.model.identity import INVALID, USER, IdentifierRule, IdentityRules
from onefold.model.profile import NO_STATEMENTS, Node, NodeId
from onefold.model.records import Identifier
from onefold.resolve.placeholders import placeholders
from onefold.resolve.values import is_blocked, matches

_MOST = 7
"""Of more identifiers, groups may be dense and the links between them bridges."""


def plain_people(
    nodes: Mapping[NodeId, Node], rules: IdentityRules
) -> tuple[list[list[Node]], Mapping[NodeId, Node]]:
    """The clusters of which this can be said at once, and the other nodes: what `partition` would
    make of all is both together.
    """
    if rules.sessions:
        return [], nodes
    plain = _Plain(nodes, rules)
    clusters: list[list[Node]] = []
    taken: set[NodeId] = set()
    for node in nodes.values():
        if node.id not in taken and (cluster := plain.around(node)):
            clusters.append(cluster)
            taken.update([one.id for one in cluster])
    if not clusters:
        return [], nodes
    return clusters, {one: node for one, node in nodes.items() if one not in taken}


def _most(rules: IdentityRules) -> int:
    """So many identifiers a plain person has at most."""
    return min(_MOST, rules.protection.max_identifiers)


def _holds(rule: IdentifierRule, links: int) -> bool:
    """Is an identifier with so many links evidence for all of them, at any time?"""
    few = rule.strength in ("immutable", "unique") or links <= rule.max_profiles
    return few and not rule.lifetime_days


class _Plain:
    def __init__(self, nodes: Mapping[NodeId, Node], rules: IdentityRules) -> None:
        self._nodes = nodes
        self._rules = rules
        self._of: dict[str, IdentifierRule] = {}
        self._hold = rules.protection.hold.encode()
        self._most = _most(rules)

    def around(self, middle: Node) -> list[Node] | None:
        """The person in whose middle a node stands, if that is plain."""
        if not 0 < len(middle.links) < self._most or self._rule(middle).strength == "ephemeral":
            return None
        cluster = [middle]
        for other in middle.links:
            end = self._nodes.get(other)
            if end is None or len(end.links) != 1 or middle.id not in end.links:
                return None
            cluster.append(end)
        if len({one.kind for one in cluster}) != len(cluster) or not self._unopposed(cluster):
            return None
        return cluster if all(map(self._is_evidence, cluster)) else None

    def _unopposed(self, cluster: Sequence[Node]) -> bool:
        telling = [one for one in cluster if one.statements != NO_STATEMENTS]
        return len(telling) < 2 and not any(self._hold in bytes(one.statements) for one in telling)

    def _is_evidence(self, node: Node) -> bool:
        holds = node.extras is None and _holds(self._rule(node), len(node.links))
        return holds and not is_blocked(node, self._rules)

    def _rule(self, node: Node) -> IdentifierRule:
        rule = self._of.get(node.kind)
        if rule is None:
            rule = self._of[node.kind] = self._rules.of(node.kind)
        return rule


class Shape(NamedTuple):
    """How identifiers of some kinds, seen together, become a person: what brings them into the order that the
    profile has (`ordered`), where that puts the first (`owner`), and with which (`root`) its name stays. The
    values of some can be nobody's (`judged`).
    """

    ordered: Callable[[Sequence[Any]], Sequence[Any]]
    owner: int
    root: int
    judged: Sequence[int]


_UNSEEN = Shape(tuple, 0, 0, ())


class Newcomers:
    """Says of identifiers that came together, and that nothing else knows, whether they are plainly one
    person: the same as `plain_people`, before there are any nodes.
    """

    def __init__(self, rules: IdentityRules) -> None:
        self._rules = rules
        self._shapes: dict[tuple[int, tuple[str, ...]], Shape | None] = {}

    def shapes(self, asked: Sequence[tuple[Sequence[Identifier], int]]) -> list[Shape | None]:
        """What becomes of each of these; None if that is not so plain. They are in the order of their event,
        and the first has so many links: with all others, and with what is known and joins nobody.
        """
        shapes = [self._known((links, tuple([one[0] for one in some]))) for some, links in asked]
        judged: dict[str, list[str]] = {}
        for (identifiers, _), shape in zip(asked, shapes, strict=True):
            if shape is not None:
                for place in shape.judged:
                    kind, value = identifiers[place]
                    judged.setdefault(kind, []).append(value)
        nobodys = {kind: self._nobodys(kind, values) for kind, values in judged.items()}
        if any(nobodys.values()):
            for at, ((identifiers, _), shape) in enumerate(zip(asked, shapes, strict=True)):
                if shape is not None and any(
                    identifiers[place].value in nobodys[identifiers[place].kind]
                    for place in shape.judged
                ):
                    shapes[at] = None
        return shapes

    def _nobodys(self, kind: str, values: Sequence[str]) -> set[str]:
        found = placeholders(kind, values)
        if blocked := self._rules.of(kind).blocked:
            found.update(one for one in values if matches(one, blocked))
        return found

    def _known(self, key: tuple[int, tuple[str, ...]]) -> Shape | None:
        shape = self._shapes.get(key, _UNSEEN)
        if shape is _UNSEEN:
            links, kinds = key
            shape = self._shapes[key] = self._shape_of(kinds, links)
        return shape

    def _shape_of(self, kinds: tuple[str, ...], links: int) -> Shape | None:
        if self._rules.sessions or links >= _most(self._rules) or len(set(kinds)) < len(kinds):
            return None
        # Without a user id each is linked with each.
        if len(kinds) > 2 and kinds[0] != USER:
            return None
        for place, kind in enumerate(kinds):
            rule = self._rules.of(kind)
            plain = rule.strength != "ephemeral" and _holds(rule, 1 if place else links)
            if len(kinds) > 1 and (kind.startswith(INVALID) or not plain):
                return None
        order = sorted(range(len(kinds)), key=kinds.__getitem__)
        # Whatever a user id is, it is no placeholder; and who came with nothing else is one person all the same.
        judged = [
            place
            for place, kind in enumerate(kinds)
            if len(kinds) > 1 and (kind != USER or self._rules.of(kind).blocked)
        ]
        root = kinds.index(USER) if USER in kinds else order[0]
        ordered = itemgetter(*order) if len(order) > 1 else tuple
        return Shape(ordered, order.index(0), root, judged)
