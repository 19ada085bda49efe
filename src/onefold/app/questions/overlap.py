"""Overlap: how many are in which of several segments or unsaved rules at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from onefold.app.questions.audiences import Overlap, OverlapQuestion, Pair, Part
from onefold.app.questions.everybody import everybody
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.segment.population import population_query


def overlap(
    settings: Settings, question: OverlapQuestion, before: Callable[[], None] = lambda: None
) -> Overlap:
    """Count who is in which of the rules now, all evaluated in one pass."""
    now = now_us()
    with everybody(settings, question.rules, now, before) as (people, asked):
        query = population_query(asked.plan, now, people.timezone, people.relations)
        bits = " + ".join(
            f"(case when {column} then {1 << number} else 0 end)"
            for number, column in enumerate(asked.columns.values())
        )
        found = people.rows(
            f"select {bits} as inside, count(*) from ({query}) group by inside"  # noqa: S608 - compiled
        )
    return overlap_of(tuple(question.rules), dict(found), now)


def overlap_of(names: tuple[str, ...], counts: dict[int, int], now: int) -> Overlap:
    """Read the counts of each combination: a number with one bit for each name, the first lowest."""

    def count(mask: int) -> int:
        return sum(n for inside, n in counts.items() if inside & mask == mask)

    sizes = {name: count(1 << number) for number, name in enumerate(names)}
    parts = [
        Part(tuple(name for number, name in enumerate(names) if inside >> number & 1), n)
        for inside, n in counts.items()
        if inside
    ]
    pairs = []
    for (left, first), (right, second) in combinations(enumerate(names), 2):
        both = count(1 << left | 1 << right)
        either = sizes[first] + sizes[second] - both
        pairs.append(Pair(first, second, both, both / either if either else 0.0))
    return Overlap(
        now,
        sum(counts.values()),
        sizes,
        counts.get(0, 0),
        tuple(sorted(parts, key=lambda one: (-one.profiles, one.rules))),
        tuple(pairs),
    )
