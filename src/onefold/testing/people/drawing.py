"""Drawing from lists as people's names are drawn: a few are everywhere, most are rare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.object_]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Random = np.random.Generator


def zipf(rng: Random, count: int, size: int, power: float = 0.9, flat: float = 5.0) -> Numbers:
    """Places in a list of `count`, the first ones the most often."""
    weights = 1.0 / (np.arange(count) + flat) ** power
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.random(size)), count - 1).astype(np.int64)


def pick(
    rng: Random, pool: Sequence[Any], size: int, power: float = 0.9, flat: float = 5.0
) -> Texts:
    """Entries of a list, the first ones the most often."""
    return texts(pool)[zipf(rng, len(pool), size, power, flat)]


def evenly(rng: Random, pool: Sequence[Any], size: int) -> Texts:
    """Entries of a list, all as often."""
    return texts(pool)[rng.integers(0, len(pool), size)]


def texts(values: Sequence[Any]) -> Texts:
    """A list as an array of objects."""
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def written(numbers: Numbers, width: int = 1) -> Texts:
    """Numbers in digits, with zeros before them."""
    return texts([f"{number:0{width}d}" for number in numbers.tolist()])


def chance(rng: Random, share: float, size: int) -> Flags:
    """True as often as a share says."""
    return rng.random(size) < share


def absent(size: int) -> Texts:
    """Nothing, so often."""
    return np.full(size, None, dtype=object)
