"""Learning the model: how agreement looks between records of one person, of strangers, of a household.

Strangers (`u`) are seen in random pairs, and in counts of all values. The other two classes are
estimated by expectation and maximization over all blocking keys at once, on counts of patterns: a
pair found by a key says nothing on what the key is made of, so there only the other comparisons
count. The class of a household keeps what its members share (family name, address, telephone)
from adding up to one person; its prior holds it to chance where it says nothing, so it vanishes
where no households are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from onefold.resolve.matching.comparison import PARTS_OF_NAME, WHOLE
from onefold.resolve.matching.strangers import (
    Floats,
    Ints,
    Seen,
    normalized,
    start_match,
    start_strangers,
    strangers_of,
    whole,
    without_matches,
)

M, U, H = 0, 1, 2
OWN = 100.0
ROUNDS = 3
STEPS = 30
# How often two people of one household agree: to start with, with the weight of so many pairs, at most.
PERSONAL = (0.03, 30.0, 0.1)
SHARED = (0.85, 10.0, 1.0)
WAYS = 100.0
"""What is known beforehand of how people of one household differ counts as so many pairs."""
_LITTLE = 1e-300
_POPULATION, _KNOWN_POPULATION = 400_000.0, 50_000.0
"""Of few records the share of matches is that of among so many pairs more, without any; of more pairs these count less."""


class Patterns(NamedTuple):
    """Compared pairs, counted by their pattern."""

    names: Sequence[str]
    levels: Ints  # one column for each comparison
    rules: Ints  # bits of the keys that found them
    sources: Ints  # the number of the pair of sources
    times: Floats
    every: Floats  # the same, with all pairs of rows that are alike in everything


class Learned(NamedTuple):
    """Probabilities of levels, by comparison and class, and how likely a class is."""

    classes: tuple[list[Floats], list[Floats], list[Floats]]
    match: float
    household: float
    source_match: Floats
    source_household: Floats


def train(seen: Sequence[Seen], patterns: Patterns, touches: Floats, pairs: Floats) -> Learned:
    """Estimate everything; `touches[key, comparison]` is 1 where a key says something on it.

    `pairs` is how many pairs there are of each pair of sources.
    """
    total = float(pairs.sum())
    strangers = [strangers_of(one, total) for one in seen]
    classes = (
        [start_match(one) for one in seen],
        [each.copy() for each in strangers],
        [each.copy() for each in strangers],
    )
    classes = _whole_names(seen, classes)
    alike = np.array([PERSONAL[0] if one.personal else SHARED[0] for one in seen])
    differ = [np.zeros(len(one.random)) for one in seen]
    told = _told(patterns, touches)
    columns = _columns(patterns.levels)
    priors = np.tile(np.array([0.5, 0.4, 0.1]), (int(told.kinds.max(initial=-1)) + 1, 1))
    for _ in range(ROUNDS):
        classes = _maximize(seen, classes, alike, differ, told, priors)
        likelihoods = _likelihoods(classes, columns, patterns.names)
        prior = _priors(likelihoods, patterns, pairs)
        share = _shares(likelihoods, prior, patterns.sources)
        others = (share[M] + share[H]) * patterns.every
        strangers = without_matches(seen, classes[U], patterns.levels, others, total)
        households = _households(seen, classes[M], strangers, alike, differ)
        classes = _whole_names(seen, (classes[M], strangers, households))
    prior = _priors(_likelihoods(classes, columns, patterns.names), patterns, pairs)
    overall = (prior * pairs[:, None]).sum(0) / max(total, 1.0)
    return Learned(classes, float(overall[M]), float(overall[H]), prior[:, M], prior[:, H])


def _whole_names(
    seen: Sequence[Seen], classes: tuple[list[Floats], list[Floats], list[Floats]]
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """How often the whole name is the same, from how often its parts are, and in which way from what was seen."""
    places = {one.name: place for place, one in enumerate(seen)}
    if WHOLE in places:
        one = seen[places[WHOLE]]
        for probabilities in (classes[M], classes[H]):
            both = 1.0
            for name in PARTS_OF_NAME:
                place = places[name]
                both *= float(probabilities[place][seen[place].plain + 1 :].sum())
            ways = probabilities[places[WHOLE]][one.plain + 1 :] * (one.shares > 0)
            probabilities[places[WHOLE]] = whole(one, both * ways / max(ways.sum(), _LITTLE))
    return classes


def _household(one: Seen, match: Floats, strangers: Floats, alike: float, differ: Floats) -> Floats:
    """People of one household are alike as one person is, or as strangers are.

    In which way they differ is counted in `differ`.
    """
    mixed = alike * match + (1.0 - alike) * strangers
    mixed[one.shared] = np.maximum(mixed, match)[one.shared]
    ways = [
        values[one.within] / max(values[one.within].sum(), _LITTLE) for values in (match, strangers)
    ]
    start = SHARED[0] * ways[0] + (1.0 - SHARED[0]) * ways[1]
    seen = differ[one.within] + WAYS * start
    mixed[one.within] = mixed[one.within].sum() * seen / max(seen.sum(), _LITTLE)
    return normalized(one, mixed)


class _Told(NamedTuple):
    """What is learned from pairs: those that a kind of key found, counted by what it does not say itself."""

    columns: Sequence[Ints]  # the levels by comparison; 0 where the key says something
    kinds: Ints
    times: Floats


def _told(patterns: Patterns, touches: Floats) -> _Told:
    """Keys that touch the same comparisons are of one kind; a pair may be found by several."""
    kinds, which = np.unique(touches, axis=0, return_inverse=True)
    rows, times = [], []
    for kind, touched in enumerate(kinds):
        keys = sum(1 << key for key in np.flatnonzero(which.ravel() == kind).tolist())
        found = (patterns.rules & keys) != 0
        levels = np.where(touched > 0, 0, patterns.levels[found])
        rows.append(np.column_stack([np.full(len(levels), kind), levels]).astype(np.uint8))
        times.append(patterns.times[found])
    if not rows:
        return _Told(_columns(patterns.levels[:0]), np.zeros(0, dtype=np.int64), np.zeros(0))
    every = np.ascontiguousarray(np.concatenate(rows))
    _, first, place = np.unique(
        every.view(f"V{every.shape[1]}").ravel(), return_index=True, return_inverse=True
    )
    chosen = every[first].astype(np.int64)
    counts = np.bincount(place.ravel(), np.concatenate(times), len(first)).astype(float)
    of_kind, *columns = _columns(chosen)
    return _Told(columns, of_kind, counts)


def _likelihoods(
    classes: Sequence[Sequence[Floats]], columns: Sequence[Ints], names: Sequence[str]
) -> Floats:
    """A row for each class: the logarithm of the probability of all levels of a pattern.

    `columns` are the levels by comparison. That of the whole name stands instead of those of its parts.
    """
    found = np.zeros((len(classes), len(columns[0]) if columns else 0))
    whole = columns[names.index(WHOLE)] > 1 if WHOLE in names else None
    for total, probabilities in zip(found, classes, strict=True):
        for name, one, levels in zip(names, probabilities, columns, strict=True):
            table = np.log(np.maximum(one, _LITTLE))
            table[0] = 0.0
            if name == WHOLE:
                table[1] = 0.0
            each = table[levels]
            if whole is not None and name in PARTS_OF_NAME:
                each[whole] = 0.0
            total += each
    return found


def _shares(likelihoods: Floats, priors: Floats, which: Ints) -> Floats:
    """How likely each class is, a row for each; `which` row of the priors is that of a pattern."""
    logs = likelihoods + np.log(np.maximum(priors, _LITTLE)).T[:, which]
    odds = np.exp(logs - logs.max(axis=0))
    return np.asarray(odds / odds.sum(axis=0))


def _columns(levels: Ints) -> list[Ints]:
    """The levels of each comparison, side by side in memory: all steps go through them so."""
    return list(np.ascontiguousarray(levels.T))


def _maximize(
    seen: Sequence[Seen],
    classes: tuple[list[Floats], list[Floats], list[Floats]],
    alike: Floats,
    differ: list[Floats],
    told: _Told,
    priors: Floats,
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Some steps of the estimation; `alike`, `differ`, and `priors`, by kind of key, are changed in place."""
    names = [one.name for one in seen]
    households = _households(seen, classes[M], classes[U], alike, differ)
    classes = _whole_names(seen, (classes[M], classes[U], households))
    for _ in range(STEPS):
        likelihoods = _likelihoods(classes, told.columns, names)
        share = _shares(likelihoods, priors, told.kinds) * told.times
        for place in (M, U, H):
            priors[:, place] = np.bincount(told.kinds, share[place], len(priors)) + 0.1
        priors /= priors.sum(axis=1, keepdims=True)
        strangers = _learned(seen, classes[U], told.columns, share[U])
        match, change = [], 0.0
        for place, one in enumerate(seen):
            level, size = told.columns[place], len(one.random)
            m = np.bincount(level, share[M], size) + 5 * start_match(one)
            h = np.bincount(level, share[H], size).astype(float)
            h[0] = 0.0
            alike[place] = _alike(one, h, classes[M][place], classes[U][place], alike[place])
            differ[place] = h
            match.append(_tied(one, m))
            if one.name != WHOLE:
                change = max(change, float(np.abs(match[-1] - classes[M][place]).max()))
        households = _households(seen, match, strangers, alike, differ)
        classes = _whole_names(seen, (match, strangers, households))
        if change < 3e-4:
            break
    return classes


def _learned(
    seen: Sequence[Seen], strangers: list[Floats], columns: Sequence[Ints], weights: Floats
) -> list[Floats]:
    """Strangers, with what is learned of them from compared pairs."""
    found = []
    for place, one in enumerate(seen):
        u = strangers[place]
        if one.learned.any():
            counts = np.bincount(columns[place], weights, len(u))
            u = normalized(one, np.where(one.learned, counts + 20 * start_strangers(one), u))
        found.append(u)
    return found


def _alike(one: Seen, counts: Floats, match: Floats, strangers: Floats, alike: float) -> float:
    """In which share of households this is as it is in one person."""
    as_one, as_strangers = alike * match, (1.0 - alike) * strangers
    for values in (as_one, as_strangers):
        values[one.within] = values[one.within].sum()
    share = as_one / np.maximum(as_one + as_strangers, _LITTLE)
    start, strength, most = PERSONAL if one.personal else SHARED
    found = ((counts * share).sum() + start * strength) / (counts.sum() + strength)
    return float(min(found, most))


def _households(
    seen: Sequence[Seen],
    match: list[Floats],
    strangers: list[Floats],
    alike: Floats,
    differ: list[Floats],
) -> list[Floats]:
    return [
        _household(one, m, u, share, ways)
        for one, m, u, share, ways in zip(seen, match, strangers, alike, differ, strict=True)
    ]


def _tied(one: Seen, counts: Floats) -> Floats:
    """Which value a person has does not depend on how well it is written down.

    But of values that are one person's the frequent ones are those with many records, so with many pairs.
    """
    counts[0] = 0.0
    if len(one.shares):
        same = counts[one.plain + 1 :]
        tied = same.sum() * one.shares
        counts[one.plain + 1 :] = (
            (same + tied * (OWN / max(same.sum(), OWN))) / (1 + OWN / max(same.sum(), OWN))
            if one.own
            else tied
        )
    return normalized(one, counts)


def _priors(likelihoods: Floats, patterns: Patterns, pairs: Floats) -> Floats:
    """How likely the classes are, for each pair of sources: what makes the data most likely."""
    total = max(float(pairs.sum()), 1.0)
    more = _POPULATION * min(1.0, _KNOWN_POPULATION / total)
    overall = np.array([1.0 / np.sqrt(2 * total), 1.0, 0.2 / np.sqrt(2 * total)])
    prior = np.tile(overall, (len(pairs), 1))
    for _ in range(60):
        share = _shares(likelihoods, prior, patterns.sources) * patterns.times
        expected = np.column_stack(
            [np.bincount(patterns.sources, one, len(pairs)) for one in share]
        )
        overall = np.maximum(expected.sum(axis=0), 0.5) / (total + more)
        before = prior
        prior = np.ones_like(prior)
        for place in (M, H):
            weight = 2.0 / overall[place]
            prior[:, place] = (expected[:, place] + 2.0) / (pairs + weight)
        prior[:, H] = np.maximum(prior[:, H], overall[H])
        prior = np.minimum(prior, 0.5)
        prior[:, U] = np.maximum(1.0 - prior[:, M] - prior[:, H], 1e-3)
        if np.abs(np.log(prior[:, M] / before[:, M])).max() < 1e-3:
            break
    return prior
