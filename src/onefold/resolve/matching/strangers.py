"""What is seen of each comparison, and how often strangers are at each of its levels.

Random pairs and counts of all values tell it, without those that are one person or one household. Of few
records little is known: then what is so in any population counts as well, or two who share a rare name would be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onefold.resolve.matching.comparison import WHOLE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LITTLE = 1e-300
FEW = 2_000.0
"""So many pairs of strangers are known beforehand, by what is so in any population."""
_MANY = 5_000.0
"""Of more pairs that are looked at what was known beforehand counts less."""


class Seen(NamedTuple):
    """What the data shows of one comparison."""

    name: str
    personal: bool
    plain: int
    """How many levels there are beside those of agreement by frequency."""
    shares: Floats
    """For each bin of frequency, the share of records whose value is in it; empty without bins."""
    equal: Floats
    """For each bin, how many pairs of rows have the same value."""
    copied: Floats
    """How many of these are of rows that are alike in everything."""
    random: Floats
    """How many of the random pairs are at each level, from 0: not known."""
    agrees: NDArray[np.bool_]
    """Levels that are full agreement, where there are no bins."""
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
    chance: float
    """How often strangers agree in a population of any kind."""


def strangers_of(one: Seen, total: float) -> Floats:
    """Levels among all pairs, matches included: few enough to start with."""
    known = one.random[1:].sum()
    found = one.random.copy()
    found[0] = 0.0
    found[1:] += 0.5
    among = _among(one, total)
    if len(one.shares):
        found[one.plain + 1 :] = (one.equal - one.copied + 0.5) / among * max(known, 1.0)
    found += _before(one)
    if one.name == WHOLE:
        return whole(one, found[one.plain + 1 :] / (max(known, 1.0) + _strength(one)))
    found = np.where(one.learned, start_strangers(one), found)
    return normalized(one, found)


def _among(one: Seen, total: float) -> float:
    """How many of all pairs say something on this."""
    every = one.random.sum()
    return max(total * float(one.random[1:].sum() / every) if every else total, 1.0)


def _strength(one: Seen) -> float:
    """How many pairs what is known beforehand counts for."""
    return FEW * min(1.0, _MANY / max(float(one.random[1:].sum()), 1.0))


def _before(one: Seen) -> Floats:
    """What is known of strangers before any is seen: in any population few agree."""
    start = np.full(len(one.random), 0.004)
    start[:-1][one.forms[:-1] != one.forms[1:]] = 1.0
    start[one.plain + 1 :] = 0.0
    start[one.plain] = 1.0
    if not len(one.shares):
        start[one.agrees] = 0.0
    start = normalized(one, start) * (1.0 - one.chance)
    if len(one.shares):
        start[one.plain + 1 :] = one.chance * one.shares
    else:
        start[one.agrees] = one.chance
    return _strength(one) * start


def whole(one: Seen, bins: Floats) -> Floats:
    """The same whole name, by its levels; another one, and a level that nobody has, say nothing: its parts do."""
    return np.concatenate([[0.0], np.ones(one.plain), np.where(one.shares > 0, bins, 1.0)])


def start_strangers(one: Seen) -> Floats:
    """Of levels that are learned, mostly the last of a form."""
    start = np.full(len(one.forms), 0.02)
    start[:-1][one.forms[:-1] != one.forms[1:]] = 1.0
    return normalized(one, start)


def start_match(one: Seen) -> Floats:
    """Mostly agreement, sometimes similar, seldom different."""
    start = np.zeros(len(one.random))
    start[1 : one.plain + 1] = 0.14 / max(one.plain - 1, 1)
    start[one.plain] = 0.06
    return _agreeing(one, start, 0.8)


def _agreeing(one: Seen, levels: Floats, share: float) -> Floats:
    levels = levels.copy()
    if len(one.shares):
        levels[one.plain + 1 :] += share * one.shares
    else:
        levels[one.agrees] += share / max(int(one.agrees.sum()), 1)
    return normalized(one, levels)


def normalized(one: Seen, levels: Floats) -> Floats:
    """The levels of each form as shares of it; that nothing is known is no level."""
    levels[0] = 0.0
    sums = np.bincount(one.forms, levels)
    return np.asarray(levels / np.maximum(sums, _LITTLE)[one.forms])


def without_matches(
    seen: Sequence[Seen],
    strangers: list[Floats],
    levels: Ints,
    others: Floats,
    total: float,
) -> list[Floats]:
    """Levels among strangers: all pairs, less those that are one person or one household."""
    found = []
    for place, one in enumerate(seen):
        size = len(one.random)
        known = max(one.random[1:].sum(), 1.0)
        among = _among(one, total)
        all_pairs = one.random * (among / known)
        least = np.full(size, 0.5 * among / known)
        if len(one.shares):
            all_pairs[one.plain + 1 :] = one.equal
            least[one.plain + 1 :] = 0.5 + (0.005 if one.name == WHOLE else 0.02) * one.equal
        gone = np.bincount(levels[:, place], others, size)
        fresh = np.maximum(all_pairs - gone, least) * (known / among) + _before(one)
        if one.name == WHOLE:
            found.append(whole(one, fresh[one.plain + 1 :] / (known + _strength(one))))
        else:
            found.append(normalized(one, np.where(one.learned, strangers[place], fresh)))
    return found
