"""From weights to decisions: merge, let a person look, or neither; and how good that is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onefold.resolve.matching.strangers import Floats, Ints

MERGE = float(np.log2(2.0))
"""Two of three such pairs are one person, and of all that is merged ninety-nine in a hundred."""
REVIEW = float(np.log2(1 / 9.0))
_STEPS = 50
# How sure we are of the weights before anybody has decided: a bit of shift, a fifth of the scale.
PRIOR_ERROR, _SCALE = 1.0, 0.2


class Expected(NamedTuple):
    """What probabilities say of the merged pairs; the errors hold if weights are wrong by `error` bits."""

    precision: float
    recall: float
    uncertainty: float
    precision_error: float
    recall_error: float


def probability(weights: Floats) -> Floats:
    """The probability that a weight stands for."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(weights, -60, 60))))


def expected(
    weights: Floats,
    times: Floats,
    merge: float,
    blocking_recall: float,
    blocking_error: float = 0.0,
    error: float = PRIOR_ERROR,
) -> Expected:
    """The precision and recall that are to be expected of merging from a weight on.

    `error` is the standard error of weights.
    """
    middle = _expected(weights, times, merge, blocking_recall)
    low, high = (
        _expected(weights, times, merge, blocking_recall, shift) for shift in (-error, error)
    )
    chance = probability(weights)
    there = float((chance * times).sum()) / max(blocking_recall, 1e-9)
    spread = float(np.sqrt((chance * (1 - chance) * times).sum())) / max(there, 1.0)
    return Expected(
        *middle,
        spread,
        float(np.hypot(spread, (high[0] - low[0]) / 2)),
        float(np.hypot(np.hypot(spread, (high[1] - low[1]) / 2), middle[1] * blocking_error)),
    )


def counted(weights: Floats, times: Floats) -> tuple[tuple[float, float], ...]:
    """How many pairs have which weight, in steps of a quarter of a bit.

    >>> counted(np.array([3.1, 3.2, -50.0]), np.array([1.0, 2.0, 5.0]))
    ((-20.0, 5.0), (3.0, 1.0), (3.25, 2.0))
    """
    steps = np.round(np.clip(weights, -20.0, 40.0) * 4.0) / 4.0
    values, places = np.unique(steps, return_inverse=True)
    counts = np.bincount(places.ravel(), times, len(values))
    return tuple(zip(values.tolist(), counts.tolist(), strict=True))


def _expected(
    weights: Floats, times: Floats, merge: float, blocking_recall: float, shift: float = 0.0
) -> tuple[float, float]:
    """Precision and recall, if weights are in truth greater by a shift."""
    chance = probability(weights + shift)
    merged = weights >= merge
    right = float((chance * times)[merged].sum())
    count = float(times[merged].sum())
    there = float((chance * times).sum()) / max(blocking_recall, 1e-9)
    return right / count if count else 1.0, min(right / there, 1.0) if there else 1.0


def blocking_recall(rules: Ints, chance: Floats, kinds: Ints) -> tuple[float, float]:
    """The share of matching pairs that some key found, from how many only one kind of key found.

    And its standard error.

    Kinds of keys are like hunters: what one alone met says how much all have missed (Chao's
    estimate). Hunters are not independent, so what is missed may as well be none, or twice as much: that is
    in the error, beside that of counting. `kinds` holds the bits of the keys of each kind.
    """
    found_by = sum(((rules & bits) != 0).astype(np.int64) for bits in kinds.tolist())
    once = float(chance[found_by == 1].sum())
    twice = float(chance[found_by == 2].sum())
    total = float(chance.sum())
    missed = once * once / (2.0 * twice) if twice > 0 else once
    if not total:
        return 1.0, 0.0
    ratio = once / twice if twice > 0 else 1.0
    spread = np.sqrt(max(twice, 1.0) * (ratio**4 / 4 + ratio**3 + ratio**2 / 2))
    found = total / (total + missed)
    return found, float(np.hypot(spread * total / (total + missed) ** 2, 1.0 - found))


def calibrated(weights: Floats, same: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Scale and shift of weights that fit decisions of people, and the standard error of the shift.

    Few decisions change little: what was learned without them counts as well.

    >>> scale, shift, _ = calibrated(np.array([4.0, 5.0, 3.0, 4.5]), np.array([False] * 4))
    >>> shift < -1
    True
    """
    target = same.astype(float)
    values = np.array([0.0, 1.0])  # shift, scale
    precision = np.diag([1 / PRIOR_ERROR**2, 1 / _SCALE**2])
    design = np.column_stack([np.ones(len(weights)), weights])
    ln2 = float(np.log(2.0))
    hessian = precision

    def likely(values: Floats) -> float:
        odds, apart = ln2 * (design @ values), values - [0.0, 1.0]
        return float(
            (target * odds - np.logaddexp(0.0, odds)).sum() - apart @ precision @ apart / 2
        )

    for _ in range(_STEPS):
        chance = probability(design @ values)
        gradient = ln2 * design.T @ (target - chance) - precision @ (values - [0.0, 1.0])
        hessian = ln2**2 * (design.T * (chance * (1 - chance))) @ design + precision
        step = np.linalg.solve(hessian, gradient)
        # What is said against very high weights bends so much that a whole step goes past the top, to and fro.
        while likely(values + step) < likely(values) and np.abs(step).max() > 1e-9:
            step /= 2.0
        values = values + step
        if np.abs(step).max() <= 1e-9:
            break
    error = float(np.sqrt(np.linalg.inv(hessian)[0, 0]))
    return float(max(values[1], 0.1)), float(values[0]), error
