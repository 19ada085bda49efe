"""From pairs to people: which records are one person, when all pairs among them are looked at.

Pairs that are merged make components. One wrong pair makes one component of two people, so a component in which not
all agree is put together again, step by step: those two parts first that are linked best, on the
average of all pairs between them. What contradicts keeps apart; a bridge alone does not hold two dense parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from onefold.resolve.matching.strangers import Floats, Ints

MOST = 60
"""A component of more records is first divided at its weaker pairs."""
FULL = 12.0
"""Weights count up to that, for and against: one pair must not outvote all others."""


Weigh = Callable[[Mapping[int, list[int]]], Mapping[tuple[int, int], float]]
"""Gives the weights of all pairs `(smaller, greater)` within each of some components."""


def grouped(size: int, left: Ints, right: Ints, weight: Floats, merge: float, weigh: Weigh) -> Ints:
    """The label of each number from 0 to `size` - 1: who has the same is one person.

    Of the pairs that are given each is alike enough to be merged.
    """
    labels = divide(components(size, left, right), left, right, weight)
    inside = labels[left] == labels[right]
    members: dict[int, list[int]] = {}
    for number in np.flatnonzero(doubtful(labels, left[inside], right[inside])).tolist():
        members.setdefault(int(labels[number]), []).append(number)
    if members:
        for number, part in settle(members, weigh(members), merge).items():
            labels[number] = part
    return labels


def components(size: int, left: Ints, right: Ints) -> Ints:
    """The smallest number in the component of each of the numbers from 0 to `size` - 1.

    >>> components(5, np.array([1, 3]), np.array([3, 4])).tolist()
    [0, 1, 2, 1, 1]
    """
    labels = np.arange(size)
    while True:
        lowest = np.minimum(labels[left], labels[right])
        before = labels.copy()
        np.minimum.at(labels, left, lowest)
        np.minimum.at(labels, right, lowest)
        np.minimum.at(labels, before[left], lowest)
        np.minimum.at(labels, before[right], lowest)
        while True:
            further = labels[labels]
            if np.array_equal(further, labels):
                break
            labels = further
        if np.array_equal(labels, before):
            return labels


def doubtful(labels: Ints, left: Ints, right: Ints) -> NDArray[np.bool_]:
    """For each number: is it in a component of which not all pairs are given?"""
    sizes = np.bincount(labels, minlength=len(labels))
    pairs = np.bincount(labels[left], minlength=len(labels))
    return np.asarray((sizes * (sizes - 1) // 2 != pairs)[labels])


def divide(labels: Ints, left: Ints, right: Ints, weight: Floats) -> Ints:
    """Divide components of more than `MOST` records, by leaving out their weaker pairs."""
    least = float(weight.min(initial=0.0))
    labels = labels.copy()
    large = np.bincount(labels, minlength=len(labels))[labels] > MOST
    while large.any():
        least += 2.0
        kept = large[left] & (weight >= least)
        fresh = components(len(labels), left[kept], right[kept])
        labels[large] = fresh[large]
        sizes = np.bincount(labels, minlength=len(labels))
        large = large & (sizes[labels] > MOST) & bool(kept.any())
    return labels


def agglomerate(weights: Floats, merge: float) -> list[int]:
    """The number of the part of each record, from all weights between them (-inf: not known).

    >>> w = np.array([[0, 9, 9], [9, 0, -12], [9, -12, 0.0]])
    >>> agglomerate(w, 3.0)
    [0, 0, 2]
    """
    size = len(weights)
    links = np.clip(weights, -FULL, FULL)
    sums = links.copy()
    best = weights.copy()
    np.fill_diagonal(best, -np.inf)
    counts = np.ones(size)
    parts = list(range(size))
    alive = np.ones(size, dtype=bool)
    while alive.sum() > 1:
        means = sums / np.outer(counts, counts)
        means[~alive, :] = means[:, ~alive] = -np.inf
        np.fill_diagonal(means, -np.inf)
        means[best < merge] = -np.inf
        place = int(np.argmax(np.round(means, 9)))
        one, two = sorted(divmod(place, size))
        if means[one, two] < LINK:
            break
        sums[one] += sums[two]
        sums[:, one] += sums[:, two]
        best[one] = np.maximum(best[one], best[two])
        best[:, one] = best[one]
        best[one, one] = -np.inf
        counts[one] += counts[two]
        alive[two] = False
        parts = [one if part == two else part for part in parts]
    return parts


LINK = 0.0
"""Two parts are joined while the average weight between them is at least this."""


def settle(
    members: Mapping[int, list[int]], known: Mapping[tuple[int, int], float], merge: float
) -> dict[int, int]:
    """The part of each record of doubtful components, named by its smallest number."""
    found: dict[int, int] = {}
    for numbers in members.values():
        place = {number: i for i, number in enumerate(numbers)}
        weights = np.full((len(numbers), len(numbers)), -FULL)
        for one in numbers:
            for two in numbers:
                if one < two and (one, two) in known:
                    weights[place[one], place[two]] = weights[place[two], place[one]] = known[
                        one, two
                    ]
        for number, part in zip(numbers, agglomerate(weights, merge), strict=True):
            found[number] = numbers[part]
    return found
