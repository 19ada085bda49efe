"""The partition of very many links at once: components, and the rules only where they can decide.

In most components no rule has anything to say: nobody has two of what a person has one of, nothing is
ephemeral, no bridge is possible. They are one person each, whatever the order of evidence. The rest,
a few in a hundred, go through `partition` as ever, so both ways give the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onefold.model.identity import USER, IdentityRules
from onefold.model.profile import ASSERTED, WITH_USER, Node
from onefold.resolve.links import MAX_LINKS, MAX_USER_LINKS
from onefold.resolve.matching.clustering import components
from onefold.resolve.partition import LEAST_DENSE, partition
from onefold.resolve.values import matches

Ints = NDArray[np.int64]
Marks = NDArray[np.bool_]
_DAY = 86_400_000_000
_NODES_A_PART = 20_000
_NEVER = 1 << 62


class Links(NamedTuple):
    """Evidence, one row for each pair: the numbers of two identifiers, rank and time (µs)."""

    left: Ints
    right: Ints
    rank: Ints
    time: Ints

    def where(self, marks: Marks) -> Links:
        """Some of them."""
        return Links(*(column[marks] for column in self))


def bulk_partition(
    kinds: Sequence[str],
    kind_of: Ints,
    links: Links,
    values: Callable[[Ints], Sequence[str]],
    rules: IdentityRules,
) -> Ints:
    """The number of the cluster of each identifier.

    Identifiers are numbers from 0: `kind_of` is the place of each one's kind in `kinds`, `values` gives
    the values of some. That of a cluster is the smallest number in it.
    """
    found = links.where(_evidence(kinds, kind_of, links, values, rules))
    labels = components(len(kind_of), found.left, found.right)
    doubtful = _doubtful(kinds, kind_of, labels, found, rules)[labels]
    inner = found.where(doubtful[found.left])
    # Also by links that do not count: these may lead out of a component.
    touching = links.where(doubtful[links.left] | doubtful[links.right])
    first_seen = _first_seen(touching, len(kind_of))
    for numbers, own in _parts(labels, np.flatnonzero(doubtful), inner):
        names = [kinds[one] for one in kind_of[numbers]]
        nodes = {
            number: Node(number.to_bytes(16, "big"), kind, value, first, 0, 0, {})
            for number, kind, value, first in zip(
                numbers.tolist(), names, values(numbers), first_seen[numbers].tolist(), strict=True
            )
        }
        _decide(labels, nodes, own, rules)
    return labels


def _first_seen(links: Links, size: int) -> Ints:
    """When each identifier was seen first, be it in a link that does not count."""
    first = np.full(size, _NEVER, dtype=np.int64)
    for ends in (links.left, links.right):
        np.minimum.at(first, ends, links.time)
    return first


def _evidence(
    kinds: Sequence[str],
    kind_of: Ints,
    links: Links,
    values: Callable[[Ints], Sequence[str]],
    rules: IdentityRules,
) -> Marks:
    """Which links count: no end is silent, and none is older than its value's lifetime."""
    size = len(kind_of)
    known = links.rank <= WITH_USER
    degree = _ends(links, size)
    users = _ends(links.where(known), size)
    of = [rules.of(kind) for kind in kinds]
    one = np.array([rule.strength in ("immutable", "unique") for rule in of], dtype=bool)
    most = np.array([rule.max_profiles for rule in of], dtype=np.int64)
    silent = (users > most[kind_of]) & ~one[kind_of]
    full = np.array([MAX_USER_LINKS if kind == USER else MAX_LINKS for kind in kinds])
    silent |= degree > full[kind_of]
    for place, rule in enumerate(of):
        if rule.blocked:
            numbers = np.flatnonzero(kind_of == place)
            silent[numbers] |= [matches(value, rule.blocked) for value in values(numbers)]
    counts: Marks = ~(silent[links.left] | silent[links.right])
    days = np.array([rule.lifetime_days for rule in of], dtype=np.int64)
    if days.any():
        last = np.zeros(size, dtype=np.int64)
        for ends in (links.left, links.right):
            np.maximum.at(last, ends, links.time)
        valid = np.where(days[kind_of] > 0, last - days[kind_of] * _DAY, 0)
        old = links.time < np.maximum(valid[links.left], valid[links.right])
        counts &= ~(old & (links.rank > ASSERTED))
    return counts


def _ends(links: Links, size: int) -> Ints:
    """How many links each identifier has."""
    return np.bincount(links.left, minlength=size) + np.bincount(links.right, minlength=size)


def _doubtful(
    kinds: Sequence[str], kind_of: Ints, labels: Ints, links: Links, rules: IdentityRules
) -> Marks:
    """By label: can a rule stand against a link in this component?"""
    size = len(labels)
    sizes = np.bincount(labels, minlength=size)
    found: Marks = sizes > rules.protection.max_identifiers
    if rules.protection.bridges:
        inside = np.bincount(labels[links.left], minlength=size)
        loose = links.rank > WITH_USER
        bridged = np.bincount(labels[links.left[loose]], minlength=size) > 0
        found |= (sizes >= LEAST_DENSE) & (inside > sizes) & bridged
    for place, kind in enumerate(kinds):
        rule = rules.of(kind)
        limit = rule.max_per_profile or int(rule.strength in ("immutable", "unique"))
        if limit:
            held = np.bincount(labels[kind_of == place], minlength=size)
            found |= held > limit
        if rule.strength == "ephemeral":
            held = np.bincount(labels[kind_of == place], minlength=size)
            found |= (held > 0) & (sizes > 2)
    return found


def _parts(labels: Ints, numbers: Ints, links: Links) -> Iterator[tuple[Ints, Links]]:
    """Doubtful components, some thousand identifiers at a time, each whole, with their links."""
    numbers = numbers[np.argsort(labels[numbers], kind="stable")]
    links = Links(*(one[np.argsort(labels[links.left], kind="stable")] for one in links))
    names, link_names = labels[numbers], labels[links.left]
    start = 0
    while start < len(numbers):
        end = min(start + _NODES_A_PART, len(numbers))
        if end < len(numbers):
            first = int(np.searchsorted(names, names[end], "left"))
            end = first if first > start else int(np.searchsorted(names, names[end], "right"))
        low = np.searchsorted(link_names, names[start], "left")
        high = np.searchsorted(link_names, names[end - 1], "right")
        yield numbers[start:end], Links(*(one[low:high] for one in links))
        start = end


def _decide(labels: Ints, nodes: dict[int, Node], links: Links, rules: IdentityRules) -> None:
    """Partition some components by all rules, and write their labels."""
    for left, right, rank, time in zip(*(one.tolist() for one in links), strict=True):
        for node, other in ((nodes[left], nodes[right]), (nodes[right], nodes[left])):
            node.links[other.id] = (rank, time)
    for cluster in partition({node.id: node for node in nodes.values()}, rules).clusters:
        members = [int.from_bytes(node.id, "big") for node in cluster]
        labels[members] = min(members)
