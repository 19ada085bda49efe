"""How good what is known of a profile is: complete, valid, fresh, consistent.

Whether values are unique takes a look at everybody; that is counted where everybody is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from onefold.model.given import INTERNAL
from onefold.model.profile import Statement
from onefold.unify.golden import Golden, Nodes
from onefold.unify.rules import GoldenRules, value_key

Dimension = Literal["complete", "valid", "fresh", "consistent", "unique"]
DIMENSIONS: tuple[Dimension, ...] = ("complete", "valid", "fresh", "consistent", "unique")


class Finding(NamedTuple):
    """One thing that is good or not, of a trait; `source` is empty where it is of the golden value."""

    trait: str
    source: str
    dimension: Dimension
    good: bool


def findings(
    nodes: Nodes, golden: Golden, rules: GoldenRules, declared: Collection[str], fresh_since: int
) -> Iterator[Finding]:
    """All that can be found good or not of one profile."""
    last = _last(nodes)
    names = {trait for trait, _ in last}
    won = golden.traits
    for trait in declared:
        yield Finding(trait, "", "complete", trait in won)
    said: dict[str, set[bytes]] = defaultdict(set)
    sources: dict[str, int] = defaultdict(int)
    for (trait, source), statements in last.items():
        valid = []
        for statement in statements:
            value = statement.traits[trait]
            good = not _invalid(rules, trait, value)
            yield Finding(trait, source, "valid", good)
            yield Finding(trait, source, "fresh", statement.time >= fresh_since)
            if good:
                valid.append(value_key(value))
        if valid and trait in won:
            key = value_key(won[trait].value)
            yield Finding(trait, source, "consistent", all(one == key for one in valid))
        if valid:
            said[trait].update(valid)
            sources[trait] += 1
    for trait in sorted(names & won.keys()):
        yield Finding(trait, "", "fresh", won[trait].time >= fresh_since)
    for trait, values in said.items():
        if sources[trait] > 1:
            yield Finding(trait, "", "consistent", len(values) == 1)


def _last(nodes: Nodes) -> Mapping[tuple[str, str], list[Statement]]:
    """What each source says last of each trait about each identifier, unless it took it back."""
    found: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for statements in nodes:
        last: dict[tuple[str, str], Statement] = {}
        for statement in statements:
            if statement.source == INTERNAL:
                continue
            for trait in statement.traits:
                key = (trait, statement.source)
                if key not in last or statement.order > last[key].order:
                    last[key] = statement
        for key, statement in last.items():
            if statement.traits[key[0]] is not None:
                found[key].append(statement)
    return found


def _invalid(rules: GoldenRules, trait: str, value: Any) -> str:
    unit = None if rules.plain else rules.unit(trait)
    check = unit.checks.get(trait) if unit else None
    return check(value) if check else ""


class Tally:
    """How many are good of how many, by dimension."""

    def __init__(self) -> None:
        self._good: dict[Dimension, int] = defaultdict(int)
        self._all: dict[Dimension, int] = defaultdict(int)

    def add(self, dimension: Dimension, good: int, of: int = 1) -> None:
        """Count some."""
        self._good[dimension] += good
        self._all[dimension] += of

    def share(self, dimension: Dimension) -> float | None:
        """The share that is good; None where there is nothing to judge."""
        of = self._all[dimension]
        return round(self._good[dimension] / of, 4) if of else None

    @property
    def score(self) -> float | None:
        """The mean of all dimensions that can be judged."""
        shares = [one for name in DIMENSIONS if (one := self.share(name)) is not None]
        return round(sum(shares) / len(shares), 4) if shares else None
