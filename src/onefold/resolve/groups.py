"""Groups of nodes on the way to clusters, and what stands against joining two of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

import msgspec

from onefold.model.identity import DEVICES, IdentifierRule, IdentityRules, Protection
from onefold.model.profile import (
    ASSERTED,
    DECIDED,
    MATCHED,
    NO_STATEMENTS,
    OBSERVED,
    SESSION,
    Node,
    NodeId,
    statements_of,
)
from onefold.model.records import CONSENT
from onefold.resolve.placeholders import is_filling

_DAY = 86_400_000_000
NOT_HELD = ""
"""The obstacle of everyday: two users of one device, say. Nobody need look at it."""


class About(msgspec.Struct):
    """What protects a group: first names, dates of birth, since when it is held, and of each purpose
    what is agreed to: no, if anything says no.
    """

    names: set[str]
    births: set[str]
    consent: dict[str, bool]
    held_since: int | None


class Group(msgspec.Struct):
    """Nodes that are one person so far. `limited` are times first seen, by kinds with a limit.

    `known` if an identifier names a person rather than a thing; `lasting` if one is more than
    ephemeral; `apart` are the nodes that people say are somebody else.
    """

    nodes: list[Node]
    limited: dict[str, list[int]]
    known: bool
    lasting: bool
    apart: set[NodeId]

    @staticmethod
    def of(node: Node, rules: IdentityRules) -> Group:
        """A node alone."""
        rule = rules.of(node.kind)
        limited = {node.kind: [node.first_seen]} if _limit(rule) else {}
        apart = {other for other, (same, _, _) in node.more.decided.items() if same is False}
        ephemeral = rule.strength == "ephemeral"
        known = not ephemeral and node.kind not in DEVICES
        return Group([node], limited, known, not ephemeral, apart)

    def add(self, other: Group) -> None:
        """Take another group in."""
        self.nodes.extend(other.nodes)
        for kind, times in other.limited.items():
            self.limited.setdefault(kind, []).extend(times)
        self.known |= other.known
        self.lasting |= other.lasting
        self.apart |= other.apart


def obstacle(
    one: Group, two: Group, rank: int, time: int, left: Node, right: Node, rules: IdentityRules
) -> str | None:
    """What stands against joining two groups by a link; None if nothing does.

    `NOT_HELD` is the obstacle that nobody need look at; any other is a reason for a person to decide.
    A person's word joins whatever no other person's word keeps apart.
    """
    if one.apart or two.apart:
        if any(node.id in one.apart for node in two.nodes):
            return "contradiction" if rank == DECIDED else NOT_HELD
        if any(node.id in two.apart for node in one.nodes):
            return "contradiction" if rank == DECIDED else NOT_HELD
    if rank in (DECIDED, SESSION):
        return None
    for kind in one.limited.keys() & two.limited.keys():
        rule = rules.of(kind)
        if rule.strength == "immutable":
            return "immutable"
        if rank != ASSERTED and exceeding(one.limited[kind] + two.limited[kind], rule):
            # Two users that are alike: one person who signed up twice, or two people.
            return "unique" if rank == MATCHED else NOT_HELD
    if (
        one.lasting
        and two.lasting
        and "ephemeral"
        in (
            rules.of(left.kind).strength,
            rules.of(right.kind).strength,
        )
    ):
        return NOT_HELD
    protection = rules.protection
    if len(one.nodes) + len(two.nodes) > protection.max_identifiers:
        return "size"
    if one.known and two.known:
        return _protected(one, two, rank, time, protection)
    return None


def _limit(rule: IdentifierRule) -> int:
    return rule.max_per_profile or int(rule.strength in ("immutable", "unique"))


def exceeding(times: list[int], rule: IdentifierRule) -> bool:
    """Are these more values of a kind than a person has, ever or within the days that count?"""
    limit = _limit(rule)
    if not rule.per_days:
        return len(times) > limit
    ordered = sorted(times)
    window = rule.per_days * _DAY
    return any(last - first < window for first, last in zip(ordered, ordered[limit:], strict=False))


def _protected(one: Group, two: Group, rank: int, time: int, protection: Protection) -> str | None:
    """What protects one known person from becoming another."""
    if not (_has_claims(one) and _has_claims(two)):
        held = next((g for g in (one, two) if _has_claims(g)), None)
        if held is None:
            return None
        since = about(held, protection).held_since
        return "hold" if since is not None and time > since else None
    first, second = about(one, protection), about(two, protection)
    for side in (first, second):
        if side.held_since is not None and time > side.held_since:
            return "hold"
    if _differ(first.names, second.names) and _differ(first.births, second.births):
        return "names"
    if protection.consent and rank >= OBSERVED:
        for purpose in first.consent.keys() & second.consent.keys():
            if first.consent[purpose] != second.consent[purpose]:
                return "consent"
    return None


def _has_claims(group: Group) -> bool:
    return any(node.statements != NO_STATEMENTS for node in group.nodes)


def _differ(some: set[str], others: set[str]) -> bool:
    return bool(some and others and not some & others)


def about(group: Group, protection: Protection) -> About:
    """What the claims of a group say that protects it."""
    found = About(set(), set(), {}, None)
    for node in group.nodes:
        for name, value, time in protected_claims(node, protection):
            if name in protection.names:
                found.names.add(_folded(value))
            elif name in protection.birth_dates:
                # The first of January 1900 and its like say that nobody knows.
                if not is_filling(text := _folded(value)):
                    found.births.add(text)
            elif name == protection.hold:
                if value is True and (found.held_since is None or time < found.held_since):
                    found.held_since = time
            elif isinstance(value, bool):
                found.consent[name] = value and found.consent.get(name, True)
    found.names.discard("")
    found.births.discard("")
    return found


def protected(node: Node, rules: IdentityRules) -> About:
    """What the claims of a node say that protects whoever it belongs to."""
    return about(Group.of(node, rules), rules.protection)


def protection_reads(traits: Mapping[str, object], protection: Protection) -> bool:
    """Is any of these traits one that protects people?"""
    return any(
        name.startswith(CONSENT)
        or name == protection.hold
        or name in protection.names
        or name in protection.birth_dates
        for name in traits
    )


def protected_claims(node: Node, protection: Protection) -> Iterator[tuple[str, object, int]]:
    """The claims of a node that its protection reads: name, value, time."""
    if node.statements == NO_STATEMENTS:
        return
    names = {*protection.names, *protection.birth_dates, protection.hold}
    for statement in statements_of(node):
        for name, value in statement.traits.items():
            if name in names or (protection.consent and name.startswith(CONSENT)):
                yield name, value, statement.time


def _folded(value: object) -> str:
    return unicodedata.normalize("NFKC", str(value or "")).strip().casefold()
