"""The levels of comparisons: their names, their forms, and how an engine tells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from onefold.resolve.matching.comparison import COMPARISONS, MAX_BINS, Comparison

WIDTHS: Mapping[str, int] = {
    one.name: (len(one.levels) + (one.numbers or MAX_BINS * bool(one.same))).bit_length()
    for one in COMPARISONS
}
"""How many bits the level of each comparison takes in a pattern: all fit into 63."""
SHIFTS: Mapping[str, int] = {
    one.name: sum(WIDTHS[other.name] for other in COMPARISONS[:place])
    for place, one in enumerate(COMPARISONS)
}
"""At which bit the level of each comparison begins."""


def bins_of(comparison: Comparison, binned: Mapping[str, int]) -> int:
    """Into how many levels agreement is divided, `binned` by how common values are."""
    return comparison.numbers or binned.get(comparison.common, 0)


def level_names(comparison: Comparison, bins: int) -> list[str]:
    """The names of the levels in their order: agreement by frequency comes last, rarest at the end."""
    names = [name for name, *_ in comparison.levels if name != comparison.same]
    if comparison.numbers:
        half = bins // 2
        names += [f"same, at most one in {4**place}" for place in range(half)]
        names += [f"same characters, at most one in {4**place}" for place in range(half)]
    elif comparison.same:
        names += [f"same, at most one in {4**place}" for place in range(bins)]
    return names


def forms(comparison: Comparison, bins: int) -> list[int]:
    """The number of the form of each level, in their order."""
    names = [
        level[2] if len(level) > 2 else ""
        for level in comparison.levels
        if level[0] != comparison.same
    ]
    order = list(dict.fromkeys(["", *names]))
    return [order.index(name) for name in names] + [0] * bins


def learned_levels(comparison: Comparison, bins: int) -> list[bool]:
    """For each level: is learned from compared pairs how often strangers are at it?"""
    plain = [level for level in comparison.levels if level[0] != comparison.same]
    return [len(one) > 2 and one[2] in comparison.learned for one in plain] + [False] * bins


def levels_sql(comparison: Comparison) -> str:
    """The level of a pair of records `a` and `b`, which hold the bin of each common value."""
    present = " AND ".join(comparison.present.format(r=record) for record in "ab")
    cases, number = [], 0
    above = sum(name != comparison.same for name, *_ in comparison.levels)
    for name, condition, *_ in comparison.levels:
        if name == comparison.same:
            level = f"{above} + {comparison.number or f'a.{comparison.common}_bin'}"
        else:
            number += 1
            level = str(number)
        cases.append(f"WHEN {condition} THEN {level}" if condition != "TRUE" else f"ELSE {level}")
    return f"CASE WHEN NOT ({present}) THEN 0 {' '.join(cases)} END"


def pattern_sql(comparisons: Sequence[Comparison]) -> str:
    """All levels of a pair as one number; a comparison's place is that in `COMPARISONS`."""
    parts = [
        f"({levels_sql(comparison)})::BIGINT * {1 << SHIFTS[comparison.name]}"
        for comparison in comparisons
    ]
    return " + ".join(parts) or "0::BIGINT"


def columns_of(comparisons: Iterable[Comparison]) -> list[str]:
    """The columns of a record that conditions read."""
    texts = " ".join(
        part
        for one in comparisons
        for part in (one.present, one.number, *(level[1] for level in one.levels))
    )
    found = set(re.findall(r"(?:\b[ab]|\{r\})\.(\w+)", texts))
    return sorted(name for name in found if not name.endswith("_bin"))


def by_name(names: Iterable[str]) -> tuple[Comparison, ...]:
    """The comparisons of these names, in the order of their places."""
    wanted = set(names)
    return tuple(one for one in COMPARISONS if one.name in wanted)


def are_among(comparison: Comparison, bins: int, names: Sequence[str]) -> list[bool]:
    """For each level: is it one of these names?"""
    return [name in names for name in level_names(comparison, bins)]


def agreements(comparison: Comparison, bins: int) -> list[bool]:
    """For each level: do both say the same, as far as they say something?"""
    names = level_names(comparison, bins)
    same = [name.startswith("same") for name in names]
    if bins:
        return [False] * plain_levels(comparison) + [True] * bins
    return same if any(same) else [place == 0 for place in range(len(names))]


def plain_levels(comparison: Comparison) -> int:
    """How many levels there are beside those of agreement by frequency."""
    return sum(level[0] != comparison.same for level in comparison.levels)
