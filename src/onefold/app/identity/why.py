"""Why two identifiers are one person, or are not: the chain of evidence, or what stands between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from onefold.app.answers import RANKS
from onefold.app.identity.decisions import (
    ChainLink,
    Obstacle,
    WhyIdentity,
    known,
)
from onefold.app.identity.evidence import decisions, with_events, with_rules
from onefold.app.in_force import load_definitions
from onefold.app.matching.explained import Explaining
from onefold.app.workspace import id_maker, node_key, open_store
from onefold.config import Settings
from onefold.model.identity import IdentityRules
from onefold.model.profile import DECIDED, MATCHED, Node, NodeId, identifier_text, profile_name
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.resolve import Link, Partition, is_blocked, is_shared, matched_link, node_id, partition


def identity_why(settings: Settings, left: str, right: str) -> WhyIdentity:
    """The chain of evidence between two identifiers, or what stands between them."""
    with open_store(settings, cache_mb=4) as store:
        rules = load_definitions(store)[0].identity
        key = node_key(store)
        ends = [known(store, one, settings.default_country) for one in (left, right)]
        ids = [node_id(key, one) for one in ends]
        working = Working(store, id_maker(), Rows(0), rules)
        closure = working.closure(set(ids))
        found = partition(closure, rules)
        names = tuple(dict.fromkeys(profile_name(working.home[one]) for one in ids))
        cluster_of = {node.id: at for at, nodes in enumerate(found.clusters) for node in nodes}
        same = cluster_of[ids[0]] == cluster_of[ids[1]]
        matches = Explaining(store)
        chain = _chain(found.joins, ids[0], ids[1], matches) if same else []
        obstacles = (
            () if same else tuple(_obstacles(closure, found, cluster_of, ids, rules, matches))
        )
        evidence = with_events(settings, store, chain, closure, rules)
        obstacles = with_rules(obstacles, found, closure, rules)
        known_by = {identifier_text(node): node for node in closure.values()}
        texts = [(one.left, one.right) for one in evidence]
        texts += [(one.left, one.right) for one in obstacles]
        between = [(known_by[one], known_by[two]) for one, two in texts]
        between.append((closure[ids[0]], closure[ids[1]]))
        decided = decisions(settings, store, between)
    return WhyIdentity(
        identifier_text(closure[ids[0]]),
        identifier_text(closure[ids[1]]),
        same,
        names,
        evidence,
        obstacles,
        decided,
    )


def _chain(
    joins: Iterable[Link], start: NodeId, goal: NodeId, matches: Explaining
) -> list[ChainLink]:
    """The links from one node to another; joins are a forest, so there is one way."""
    around: dict[NodeId, list[tuple[NodeId, Link]]] = {}
    for link in joins:
        around.setdefault(link.left.id, []).append((link.right.id, link))
        around.setdefault(link.right.id, []).append((link.left.id, link))
    came: dict[NodeId, tuple[NodeId, Link] | None] = {start: None}
    waiting = [start]
    while goal not in came:
        here = waiting.pop()
        for other, link in around.get(here, ()):
            if other not in came:
                came[other] = (here, link)
                waiting.append(other)
    chain = []
    step = came[goal]
    while step is not None:
        before, link = step
        ends = (link.left, link.right) if link.left.id == before else (link.right, link.left)
        match = matches.why(*ends) if link.rank == MATCHED else None
        evidence = RANKS[link.rank]
        texts = identifier_text(ends[0]), identifier_text(ends[1])
        chain.append(ChainLink(*texts, evidence, link.time, match=match))
        step = came[before]
    return chain[::-1]


def _obstacles(
    nodes: Mapping[NodeId, Node],
    found: Partition,
    cluster_of: Mapping[NodeId, int],
    ids: Iterable[NodeId],
    rules: IdentityRules,
    matches: Explaining,
) -> Iterator[Obstacle]:
    """What stands between two identifiers of different people."""
    sides = {cluster_of[one] for one in ids}
    held = {(one.link.left.id, one.link.right.id): one.reason for one in found.held}
    across = list(_across(nodes, cluster_of, sides))
    for left, right in across:
        said = left.more.decided.get(right.id)
        if said is not None and said[0] is False:
            yield _obstacle(left, right, DECIDED, said[1], "a person said so")
    for left, right in across:
        seen = left.links.get(right.id) or right.links.get(left.id)
        if seen is not None:
            reason = held.get((left.id, right.id)) or held.get((right.id, left.id))
            silent = _silence(left, rules) or _silence(right, rules)
            yield _obstacle(
                left, right, *seen, reason or silent or "both are known as other people"
            )
        match = left.more.matched.get(right.id)
        if match is not None:
            reason = held.get((left.id, right.id)) or held.get((right.id, left.id))
            silent = _silence(left, rules) or _silence(right, rules)
            words = reason or silent or ("" if match.taken else "alike, but not enough")
            link = matched_link(left, right)
            found_alike = _obstacle(
                left, right, MATCHED, link.time, words or "both are known as other people"
            )
            yield msgspec.structs.replace(found_alike, match=matches.why(left, right))


def _across(
    nodes: Mapping[NodeId, Node], cluster_of: Mapping[NodeId, int], sides: set[int]
) -> Iterator[tuple[Node, Node]]:
    """The pairs of nodes of which anything is known, one of each of the two clusters."""
    done: set[frozenset[NodeId]] = set()
    for node in nodes.values():
        for other_id in [*node.links, *node.more.decided, *node.more.matched]:
            pair = frozenset((node.id, other_id))
            if other_id not in nodes or pair in done:
                continue
            if {cluster_of[node.id], cluster_of[other_id]} == sides:
                done.add(pair)
                yield node, nodes[other_id]


def _silence(node: Node, rules: IdentityRules) -> str:
    if is_blocked(node, rules):
        return f"{identifier_text(node)} is blocked"
    return f"{identifier_text(node)} is shared by too many" if is_shared(node, rules) else ""


def _obstacle(left: Node, right: Node, rank: int, time: int, reason: str) -> Obstacle:
    return Obstacle(identifier_text(left), identifier_text(right), RANKS[rank], time, reason)
