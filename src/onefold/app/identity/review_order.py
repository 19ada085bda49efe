"""In which order reviews are worth a person's time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from onefold.model.profile import NodeId, Profile
from onefold.store.reviews import Review


def most_useful_first(
    found: Sequence[Review], homes: Mapping[NodeId, int], profiles: Mapping[int, Profile]
) -> list[tuple[float, Review]]:
    """Reviews with what a word on each is worth; both ends of each have a home.

    Worth is doubt (1 where the weight says as much for as against, or a rule stands against evidence) times
    what it would join (the logarithm of the events on the smaller side) times how many reviews the
    word settles (all between the same two profiles) times how much it teaches (the logarithm of how
    many wait for the same reason at the same weight).
    """
    events = {number: sum(node.events for node in one.nodes) for number, one in profiles.items()}
    between = Counter(_sides(one, homes) for one in found)
    alike = Counter(_sort(one) for one in found)
    worths = [
        (
            round(
                _doubt(one.weight)
                * (1 + math.log2(1 + min(events[home] for home in _sides(one, homes))))
                * between[_sides(one, homes)]
                * (1 + math.log10(alike[_sort(one)])),
                3,
            ),
            one,
        )
        for one in found
    ]
    return sorted(worths, key=lambda each: (-each[0], each[1].since, each[1].left, each[1].right))


def _sides(one: Review, homes: Mapping[NodeId, int]) -> tuple[int, int]:
    left, right = sorted((homes[one.left], homes[one.right]))
    return left, right


def _sort(one: Review) -> tuple[str, int | None]:
    return one.reason, None if one.weight is None else math.floor(one.weight)


def _doubt(weight: float | None) -> float:
    """1 for a probability of a half, 0 for certainty."""
    if weight is None:
        return 1.0
    chance = 1.0 / (1.0 + math.pow(2.0, -min(max(weight, -60.0), 60.0)))
    return 1.0 - abs(2.0 * chance - 1.0)
