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
"""Weights count up to that: one pair must not outvote all others."""
AGAINST = 4.0
"""Against it they count less: of two records of one person three in a hundred have nothing in common (it moved, married,
is called otherwise), so that two are unlike says no more than that, whatever the sum of what differs."""
_FITS = 1 << 31


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
    small = np.int32 if size < _FITS else np.int64
    labels: Ints = np.arange(size, dtype=small)
    left, right = left.astype(small), right.astype(small)
    while True:
        one, two = labels[left], labels[right]
        apart = one != two
        left, right, one, two = (ends[apart] for ends in (left, right, one, two))
        if not len(left):
            return labels.astype(np.int64)
        # Both ends are the smallest of what they hang together with so far: the greater goes to the smaller.
        np.minimum.at(labels, np.maximum(one, two), np.minimum(one, two))
        while True:
            further = labels[labels]
            if np.array_equal(further, labels):
                break
            labels = further


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


def agglomerate(weights: Floats, merge: float) -> Ints:
    """The number of the part of each record, from all weights between them (-inf: not known).

    Of many components of one size at once: the first axis counts components.

    >>> w = np.array([[[0, 9, 3], [9, 0, -12], [3, -12, 0.0]]])
    >>> agglomerate(w, 3.0).tolist()
    [[0, 0, 2]]
    """
    many, size, _ = weights.shape
    own = np.arange(size)
    sums, best = np.clip(weights, -AGAINST, FULL), weights.copy()
    best[:, own, own] = -np.inf
    counts = np.ones((many, size))
    parts = np.tile(own, (many, 1))
    going = np.arange(many)
    for _ in range(size - 1):
        means = sums[going] / (counts[going, :, None] * counts[going, None, :])
        means[best[going] < merge] = -np.inf
        place = np.round(means, 9).reshape(len(going), -1).argmax(axis=1)
        joined = means.reshape(len(going), -1)[np.arange(len(going)), place] >= LINK
        going, place = going[joined], place[joined]
        if not len(going):
            break
        one, two = np.sort(np.stack(np.divmod(place, size)), axis=0)
        sums[going, one] += sums[going, two]
        sums[going, :, one] += sums[going, :, two]
        best[going, one] = np.maximum(best[going, one], best[going, two])
        best[going, :, one] = best[going, one]
        best[going, one, one] = -np.inf
        # Of what is part of another one nothing more is asked.
        best[going, two] = best[going, :, two] = -np.inf
        counts[going, one] += counts[going, two]
        parts[going] = np.where(parts[going] == two[:, None], one[:, None], parts[going])
    return np.asarray(parts)


LINK = 0.0
"""Two parts are joined while the average weight between them is at least this."""
_AT_ONCE = 2_000_000
"""So many weights are held at once."""


def settle(
    members: Mapping[int, list[int]], known: Mapping[tuple[int, int], float], merge: float
) -> dict[int, int]:
    """The part of each record of doubtful components, named by its smallest number."""
    by_size: dict[int, list[list[int]]] = {}
    for numbers in members.values():
        by_size.setdefault(len(numbers), []).append(numbers)
    found: dict[int, int] = {}
    for size, every in by_size.items():
        step = max(1, _AT_ONCE // size**2)
        for start in range(0, len(every), step):
            some = every[start : start + step]
            parts = agglomerate(_weights(some, known), merge).tolist()
            for numbers, places in zip(some, parts, strict=True):
                for number, place in zip(numbers, places, strict=True):
                    found[number] = numbers[place]
    return found


def _weights(components: list[list[int]], known: Mapping[tuple[int, int], float]) -> Floats:
    """The weights within components of one size; what is not known is against."""
    size = len(components[0])
    left, right = np.triu_indices(size, 1)
    flat = [
        known.get((numbers[i], numbers[j]), -FULL)
        for numbers in components
        for i, j in zip(left.tolist(), right.tolist(), strict=True)
    ]
    weights = np.full((len(components), size, size), -FULL)
    weights[:, left, right] = np.array(flat).reshape(len(components), -1)
    weights[:, right, left] = weights[:, left, right]
    return weights
