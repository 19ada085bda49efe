"""What the members of a group add up to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from onefold.unify.contest import comparable
from onefold.unify.rules import value_key


def aggregated(how: str, values: Iterable[Any]) -> Any:
    """One value of those of the members; None where none of them has one.

    Neither their order nor how they are split up matters: ties go to the greater value.

    >>> aggregated("sum", [1, None, 2.5]), aggregated("most_frequent", ["a", "b", "b"])
    (3.5, 'b')
    """
    return AGGREGATES[how]([one for one in values if one is not None])


def _sum(values: list[Any]) -> Any:
    numbers = _numbers(values)
    if not numbers:
        return None
    return sum(numbers) if all(isinstance(one, int) for one in numbers) else math.fsum(numbers)


def _average(values: list[Any]) -> Any:
    numbers = _numbers(values)
    return math.fsum(numbers) / len(numbers) if numbers else None


def _numbers(values: list[Any]) -> list[int | float]:
    return [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]


def _most_frequent(values: list[Any]) -> Any:
    counts = Counter(map(value_key, values))
    return max(values, key=lambda one: (counts[value_key(one)], value_key(one)), default=None)


AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": _sum,
    "average": _average,
    "min": lambda values: min(values, key=comparable, default=None),
    "max": lambda values: max(values, key=comparable, default=None),
    "most_frequent": _most_frequent,
}
"""How values of members become one."""
