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
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
M, U, H = 0, 1, 2
OWN = 100.0
ROUNDS = 3
STEPS = 30
# How often two people of one household agree: to start with, with the weight of so many pairs, at most.
PERSONAL = (0.03, 30.0, 0.1)
SHARED = (0.85, 10.0, 1.0)
_LITTLE = 1e-300


class Seen(NamedTuple):
    """What the data shows of one comparison."""

    name: str
    personal: bool
    plain: int
    """How many levels there are beside those of agreement by frequency."""
    shares: Floats
    """For each bin of frequency, the share of records whose value is in it; empty without bins."""
    equal: Floats
    """For each bin, how many pairs of records have the same value."""
    random: Floats
    """How many of the random pairs are at each level, from 0: not known."""
    agrees: int
    """The first level that is full agreement."""
    forms: Ints
    """The form of each level, from 0: not known. Each form's probabilities add up to 1."""
    learned: NDArray[np.bool_]
    """Levels whose share among strangers is learned from compared pairs, as random ones lack them."""
    within: NDArray[np.bool_]
    """Levels that are ways to differ."""
    shared: NDArray[np.bool_]
    """Levels that are as likely in a household as in one person."""
    own: bool
    """Is a value hardly ever that of two people?"""


class Patterns(NamedTuple):
    """Compared pairs, counted by their pattern."""

    levels: Ints  # one column for each comparison
    rules: Ints  # bits of the keys that found them
    sources: Ints  # the number of the pair of sources
    times: Floats


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
    strangers = [_strangers(one, total) for one in seen]
    classes = (
        [_start_match(one) for one in seen],
        [each.copy() for each in strangers],
        [each.copy() for each in strangers],
    )
    alike = np.array([PERSONAL[0] if one.personal else SHARED[0] for one in seen])
    told = _told(patterns, touches)
    priors = np.tile(np.array([0.5, 0.4, 0.1]), (int(told.kinds.max(initial=-1)) + 1, 1))
    for _ in range(ROUNDS):
        classes = _maximize(seen, classes, alike, told, priors)
        prior = _priors(classes, patterns, pairs)
        share = _responsibility(classes, patterns, prior)
        strangers = _without_matches(seen, classes[U], patterns, share, total)
        classes = (classes[M], strangers, _households(seen, classes[M], strangers, alike))
    prior = _priors(classes, patterns, pairs)
    overall = (prior * pairs[:, None]).sum(0) / max(total, 1.0)
    return Learned(classes, float(overall[M]), float(overall[H]), prior[:, M], prior[:, H])


def _strangers(one: Seen, total: float) -> Floats:
    """Levels among all pairs, matches included: few enough to start with."""
    known = one.random[1:].sum()
    found = one.random.copy()
    found[0] = 0.0
    found[1:] += 0.5
    if len(one.shares):
        among = max(total * known / max(one.random.sum(), 1.0), 1.0)
        found[one.plain + 1 :] = (one.equal + 0.5) / among * max(known, 1.0)
    found = np.where(one.learned, _start_strangers(one), found)
    return _one(one, found)


def _start_match(one: Seen) -> Floats:
    """Mostly agreement, sometimes similar, seldom different."""
    start = np.zeros(len(one.random))
    start[1 : one.plain + 1] = 0.14 / max(one.plain - 1, 1)
    start[one.plain] = 0.06
    return _agreeing(one, start, 0.8)


def _household(one: Seen, match: Floats, strangers: Floats, alike: float) -> Floats:
    """People of one household are alike as one person is, or as strangers are."""
    mixed = alike * match + (1.0 - alike) * strangers
    mixed[one.shared] = np.maximum(mixed, match)[one.shared]
    ways = [
        values[one.within] / max(values[one.within].sum(), _LITTLE) for values in (match, strangers)
    ]
    mixed[one.within] = mixed[one.within].sum() * (
        SHARED[0] * ways[0] + (1.0 - SHARED[0]) * ways[1]
    )
    return _one(one, mixed)


def _agreeing(one: Seen, levels: Floats, share: float) -> Floats:
    levels = levels.copy()
    if len(one.shares):
        levels[one.plain + 1 :] += share * one.shares
    else:
        levels[one.agrees] += share
    return _one(one, levels)


def _one(one: Seen, levels: Floats) -> Floats:
    levels[0] = 0.0
    sums = np.bincount(one.forms, levels)
    return np.asarray(levels / np.maximum(sums, _LITTLE)[one.forms])


class _Told(NamedTuple):
    """What is learned from pairs: those that a kind of key found, counted by what it does not say itself."""

    levels: Ints  # 0 where the key says something
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
        return _Told(patterns.levels[:0], np.zeros(0, dtype=np.int64), np.zeros(0))
    every = np.ascontiguousarray(np.concatenate(rows))
    _, first, place = np.unique(
        every.view(f"V{every.shape[1]}").ravel(), return_index=True, return_inverse=True
    )
    chosen = every[first].astype(np.int64)
    counts = np.bincount(place.ravel(), np.concatenate(times), len(first)).astype(float)
    return _Told(chosen[:, 1:], chosen[:, 0], counts)


def _logs(classes: Sequence[Sequence[Floats]], levels: Ints) -> list[Floats]:
    """For each class the logarithm of the probability of each comparison's level."""
    logs = []
    for probabilities in classes:
        columns = []
        for place, one in enumerate(probabilities):
            table = np.log(np.maximum(one, _LITTLE))
            table[0] = 0.0
            columns.append(table[levels[:, place]])
        logs.append(np.column_stack(columns) if columns else np.zeros((len(levels), 0)))
    return logs


def _shares(logs: Floats) -> Floats:
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _maximize(
    seen: Sequence[Seen],
    classes: tuple[list[Floats], list[Floats], list[Floats]],
    alike: Floats,
    told: _Told,
    priors: Floats,
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Some steps of the estimation; `alike` and `priors`, by kind of key, are changed in place."""
    classes = (classes[M], classes[U], _households(seen, classes[M], classes[U], alike))
    for _ in range(STEPS):
        logs = np.column_stack([one.sum(axis=1) for one in _logs(classes, told.levels)])
        share = _shares(logs + np.log(priors)[told.kinds]) * told.times[:, None]
        for place in (M, U, H):
            priors[:, place] = np.bincount(told.kinds, share[:, place], len(priors)) + 0.1
        priors /= priors.sum(axis=1, keepdims=True)
        strangers = _learned(seen, classes[U], told.levels, share[:, U])
        match, change = [], 0.0
        for place, one in enumerate(seen):
            level, size = told.levels[:, place], len(one.random)
            m = np.bincount(level, share[:, M], size) + 5 * _start_match(one)
            h = np.bincount(level, share[:, H], size).astype(float)
            h[0] = 0.0
            alike[place] = _alike(one, h, classes[M][place], classes[U][place], alike[place])
            match.append(_tied(one, m))
            change = max(change, float(np.abs(match[-1] - classes[M][place]).max()))
        classes = (match, strangers, _households(seen, match, strangers, alike))
        if change < 3e-4:
            break
    return classes


def _learned(
    seen: Sequence[Seen], strangers: list[Floats], levels: Ints, weights: Floats
) -> list[Floats]:
    """Strangers, with what is learned of them from compared pairs."""
    found = []
    for place, one in enumerate(seen):
        u = strangers[place]
        if one.learned.any():
            counts = np.bincount(levels[:, place], weights, len(u))
            u = np.where(one.learned, counts + 20 * _start_strangers(one), u)
        found.append(_one(one, u))
    return found


def _start_strangers(one: Seen) -> Floats:
    """Of levels that are learned, mostly the last of a form."""
    start = np.full(len(one.forms), 0.02)
    start[:-1][one.forms[:-1] != one.forms[1:]] = 1.0
    return _one(one, start)


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
    seen: Sequence[Seen], match: list[Floats], strangers: list[Floats], alike: Floats
) -> list[Floats]:
    return [
        _household(one, m, u, share)
        for one, m, u, share in zip(seen, match, strangers, alike, strict=True)
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
    return _one(one, counts)


def _priors(classes: Sequence[Sequence[Floats]], patterns: Patterns, pairs: Floats) -> Floats:
    """How likely the classes are, for each pair of sources: what makes the data most likely."""
    total = max(float(pairs.sum()), 1.0)
    likelihood = np.column_stack([one.sum(axis=1) for one in _logs(classes, patterns.levels)])
    overall = np.array([1.0 / np.sqrt(2 * total), 1.0, 0.2 / np.sqrt(2 * total)])
    prior = np.tile(overall, (len(pairs), 1))
    for _ in range(60):
        share = _shares(likelihood + np.log(np.maximum(prior[patterns.sources], _LITTLE)))
        expected = np.column_stack(
            [
                np.bincount(patterns.sources, share[:, place] * patterns.times, len(pairs))
                for place in range(3)
            ]
        )
        overall = np.maximum(expected.sum(axis=0), 0.5) / total
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


def _responsibility(
    classes: Sequence[Sequence[Floats]], patterns: Patterns, prior: Floats
) -> Floats:
    likelihood = np.column_stack([one.sum(axis=1) for one in _logs(classes, patterns.levels)])
    return _shares(likelihood + np.log(np.maximum(prior[patterns.sources], _LITTLE)))


def _without_matches(
    seen: Sequence[Seen],
    strangers: list[Floats],
    patterns: Patterns,
    share: Floats,
    total: float,
) -> list[Floats]:
    """Levels among strangers: all pairs, less those that are one person or one household."""
    others = (share[:, M] + share[:, H]) * patterns.times
    found = []
    for place, one in enumerate(seen):
        size = len(one.random)
        known = max(one.random[1:].sum(), 1.0)
        among = max(total * known / max(one.random.sum(), 1.0), 1.0)
        all_pairs = one.random * (among / known)
        least = np.full(size, 0.5 * among / known)
        if len(one.shares):
            all_pairs[one.plain + 1 :] = one.equal
            least[one.plain + 1 :] = 0.5 + 0.02 * one.equal
        gone = np.bincount(patterns.levels[:, place], others, size)
        fresh = np.maximum(all_pairs - gone, least)
        found.append(_one(one, np.where(one.learned, strangers[place], fresh)))
    return found
