"""The weight of a pair: the logarithm, to base 2, of the odds that both records are one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from onefold.model.matching import MatchModel
from onefold.resolve.matching.comparison import PARTS_OF_NAME, WHOLE
from onefold.resolve.matching.levels import SHIFTS, WIDTHS
from onefold.resolve.matching.strangers import Floats, Ints


class Part(NamedTuple):
    """What one comparison says of a pair."""

    comparison: str
    level: str
    weight: float


class Score(NamedTuple):
    """The weight of a pair, its probability, and what it is made of.

    The parts are against strangers; `household` is what is taken off because people of one household
    share as much.
    """

    weight: float
    probability: float
    prior: float
    parts: tuple[Part, ...]
    household: float


def unpack(patterns: Ints, names: Sequence[str]) -> Ints:
    """The levels of patterns, a column for each comparison that is named."""
    shifts = np.array([SHIFTS[name] for name in names], dtype=np.int64)
    masks = np.array([(1 << WIDTHS[name]) - 1 for name in names], dtype=np.int64)
    return np.asarray((patterns[:, None] >> shifts) & masks)


def said(levels: Ints, model: MatchModel) -> Ints:
    """The levels that count: where the whole name is the same, its parts say nothing more.

    In a way that was not seen in training they do, and the whole says nothing.
    """
    names = [one.name for one in model.comparisons]
    if WHOLE not in names:
        return levels
    place = names.index(WHOLE)
    seen = np.array([False, *(level.m < 1.0 for level in model.comparisons[place].levels)])
    whole = seen[levels[:, place]]
    found = levels.copy()
    for part in PARTS_OF_NAME:
        found[whole, names.index(part)] = 0
    found[~whole, place] = 0
    return found


class Scorer:
    """A model made ready to score patterns."""

    def __init__(self, model: MatchModel) -> None:
        self.model = model
        self._names = [one.name for one in model.comparisons]
        self._tables = [
            [_logs([getattr(level, name) for level in one.levels]) for one in model.comparisons]
            for name in ("m", "u", "h")
        ]
        self._sources = {(one.left, one.right): one for one in model.sources}

    def weights(self, patterns: Ints, match: Floats, household: Floats) -> Floats:
        """The weights of patterns; the last two are the priors of their sources."""
        m, u, h = self._classes(patterns, match, household)
        weight = m - np.logaddexp2(u, h)
        return np.asarray(self.model.scale * weight + self.model.shift)

    def households(self, patterns: Ints, match: Floats, household: Floats) -> Floats:
        """The logarithm, to base 2, of the odds that both are two people of one household."""
        m, u, h = self._classes(patterns, match, household)
        return np.asarray(h - np.logaddexp2(u, m))

    def _classes(
        self, patterns: Ints, match: Floats, household: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """How likely patterns are as those of one person, of strangers and of a household, with the priors."""
        levels = said(unpack(patterns, self._names), self.model)
        m, u, h = (
            sum(
                (table[levels[:, place]] for place, table in enumerate(tables)),
                np.zeros(len(levels)),
            )
            for tables in self._tables
        )
        rest = np.log2(np.maximum(1.0 - match - household, 1e-3))
        return m + np.log2(match), u + rest, h + np.log2(household)

    def priors(self, left: str | None, right: str | None) -> tuple[float, float]:
        """How likely a match and a household are between records of two sources."""
        pair = sorted((left or "", right or ""))
        found = self._sources.get((pair[0], pair[1]))
        if found is None:
            return self.model.match, self.model.household
        return found.match, found.household

    def explain(self, pattern: int, left: str | None, right: str | None) -> Score:
        """The weight of one pair, and what it is made of."""
        match, household = self.priors(left, right)
        one = np.array([pattern], dtype=np.int64)
        weight = float(self.weights(one, np.array([match]), np.array([household]))[0])
        parts = []
        for place, level in enumerate(said(unpack(one, self._names), self.model)[0]):
            if level:
                comparison = self.model.comparisons[place]
                against = float(self._tables[0][place][level] - self._tables[1][place][level])
                parts.append(Part(comparison.name, comparison.levels[level - 1].name, against))
        prior = float(np.log2(match / max(1.0 - match - household, 1e-3)))
        off = weight - prior - sum(part.weight for part in parts)
        return Score(weight, 1.0 / (1.0 + 2.0**-weight), prior, tuple(parts), off)


def _logs(probabilities: Sequence[float]) -> Floats:
    return np.concatenate([[0.0], np.log2(np.maximum(np.array(probabilities), 1e-300))])
