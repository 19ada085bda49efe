"""One trait's claims competing for the golden value: who wins, and why the others lose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from onefold.unify.rules import Unit, value_key


class Claim(NamedTuple):
    """What a source said of a trait, about the profile's identifier of that number."""

    value: Any
    source: str
    time: int
    message_id: str
    strong: bool
    node: int

    @property
    def order(self) -> tuple[bool, int, str]:
        return (self.strong, self.time, self.message_id)

    @property
    def key(self) -> tuple[int, str, tuple[bool, int, str]]:
        """What tells it from all other claims of its trait."""
        return (self.node, self.source, self.order)


Scores = Mapping[tuple[str, tuple[int, str, tuple[bool, int, str]]], Any]
"""By unit and claim, the value of the rule's expression."""


class Contest(NamedTuple):
    """How it came out. `losers` have the reason; of a union all `winners` have a part in the value."""

    value: Any
    winners: Sequence[Claim]
    losers: Sequence[tuple[Claim, str]]


Score = Callable[[Claim], Any]


class Scoring(NamedTuple):
    """What makes a claim better: the greatest score wins, or the least; how to say it."""

    score: Score
    least: bool
    said: Callable[[Any, Any], str]


def contest(unit: Unit, claims: Iterable[Claim], scores: Scores, facts: Any) -> Contest:
    """Let claims compete; neither their order nor how often one comes matters.

    `scores` are the values of the rule's expression, where it has one. `facts` says of a claim whether it
    was verified.
    """
    losers: list[tuple[Claim, str]] = []
    running: list[Claim] = []
    for claim in claims:
        reason = unit.fault(claim.value)
        if reason:
            losers.append((claim, f"invalid: {reason}"))
        else:
            running.append(claim)
    if unit.way.by == "latest":
        return _latest(running, losers)
    running = _sifted(unit, running, losers)
    if not running:
        return Contest(None, (), losers)
    if unit.way.by == "union":
        return Contest(_union(running), sorted(running, key=_tie, reverse=True), losers)
    return _best(unit, running, losers, _scoring(unit, running, scores, facts))


def _latest(running: list[Claim], losers: list[tuple[Claim, str]]) -> Contest:
    if not running:
        return Contest(None, (), losers)
    winner = max(running, key=lambda claim: (*claim.order, claim.source))
    for claim in running:
        if claim is not winner:
            repeats = winner.strong and not claim.strong
            losers.append((claim, _REPEATED if repeats else "older"))
    return Contest(winner.value, (winner,), losers)


_REPEATED = "only repeats what is known"


def _sifted(unit: Unit, running: list[Claim], losers: list[tuple[Claim, str]]) -> list[Claim]:
    """Those claims that still stand: not taken back, and not only repeated where others state."""
    last: dict[tuple[int, str], tuple[bool, int, str]] = {}
    for claim in running:
        if claim.value is None or unit.way.of == "last":
            by = (claim.node, claim.source)
            last[by] = max(last.get(by, claim.order), claim.order)
    standing = []
    for claim in running:
        before = last.get((claim.node, claim.source))
        if claim.value is None:
            losers.append((claim, "takes the value back"))
        elif before is not None and claim.order < before:
            losers.append((claim, "the source has said something else, or nothing, since"))
        else:
            standing.append(claim)
    stated = [claim for claim in standing if claim.strong]
    if not stated:
        return standing
    losers += [(claim, _REPEATED) for claim in standing if not claim.strong]
    return stated


def _best(
    unit: Unit, running: list[Claim], losers: list[tuple[Claim, str]], scoring: Scoring
) -> Contest:
    found = [(scoring.score(claim), claim) for claim in running]
    scores = [score for score, _ in found]
    best = min(scores) if scoring.least else max(scores)
    winner = max((claim for score, claim in found if score == best), key=_tie)
    for score, claim in found:
        if score != best:
            losers.append((claim, scoring.said(score, best)))
        elif claim is not winner:
            same = value_key(claim.value) == value_key(winner.value)
            losers.append((claim, "says the same" if same else "a tie, and older or less by value"))
    return Contest(winner.value, (winner,), losers)


def _tie(claim: Claim) -> tuple[int, bytes, str, str, int]:
    """Ties go to the later claim, then by value: never by arrival."""
    return claim.time, value_key(claim.value), claim.source, claim.message_id, claim.node


def _union(running: Iterable[Claim]) -> list[Any]:
    found: dict[bytes, Any] = {}
    for claim in running:
        for one in claim.value if isinstance(claim.value, list) else [claim.value]:
            if one is not None:
                found[value_key(one)] = one
    return [found[key] for key in sorted(found)]


def _scoring(unit: Unit, running: Sequence[Claim], scores: Scores, facts: Any) -> Scoring:
    way = unit.way
    if way.by == "source_priority":
        places = {source: place for place, source in enumerate(way.sources)}
        last = len(places)
        return Scoring(
            lambda claim: places.get(claim.source, last),
            True,
            lambda _, best: f"{way.sources[best]} comes before",
        )
    if way.by == "most_frequent":
        counts = Counter(value_key(claim.value) for claim in running)
        return Scoring(
            lambda claim: counts[value_key(claim.value)],
            False,
            lambda own, best: f"said {_times(own)}, the winner {_times(best)}",
        )
    if way.by == "verified_first":
        return Scoring(facts, False, lambda own, best: "not verified")
    if way.by == "expression":
        return Scoring(
            lambda claim: comparable(scores.get((unit.name, claim.key))),
            False,
            lambda own, best: f"preferred less: {_shown(own)}, the winner {_shown(best)}",
        )
    return _by_value(unit)


def _by_value(unit: Unit) -> Scoring:
    by = unit.way.by
    if by == "longest":
        return Scoring(lambda claim: length_of(claim.value), False, _measured("shorter"))
    if by == "most_complete":
        return Scoring(lambda claim: filled(claim.value), False, _measured("less complete"))
    if by == "strictest":
        places = {value_key(value): place for place, value in enumerate(unit.way.order)}

        def strict(claim: Claim) -> Any:
            place = places.get(value_key(claim.value), len(places))
            return place, comparable(claim.value)

        return Scoring(strict, True, lambda own, best: "less strict")
    least = by == "minimum"
    word = "greater" if least else "less"
    return Scoring(lambda claim: comparable(unit.read(claim.value)), least, lambda own, best: word)


def comparable(value: Any) -> tuple[int, Any]:
    """Values of any types in one order: nothing, truth values, numbers, texts, all else."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return 4, value_key(value)


def _shown(key: tuple[int, Any]) -> str:
    return "nothing" if key[0] == 0 else str(key[1])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _measured(word: str) -> Callable[[Any, Any], str]:
    return lambda own, best: f"{word}: {own}, the winner {best}"


def length_of(value: Any) -> int:
    """Characters of a text, elements of a list, and of anything else the characters of its JSON."""
    if isinstance(value, str | list):
        return len(value)
    return len(value_key(value))


def filled(value: Any) -> int:
    """How many values there are in it that are not empty.

    >>> filled({"street": "Weg 1", "city": "", "geo": {"lat": 1, "lon": None}}), filled("x")
    (2, 1)
    """
    if isinstance(value, dict):
        return sum(map(filled, value.values()))
    if isinstance(value, list):
        return sum(map(filled, value))
    return 0 if value is None or value == "" else 1
