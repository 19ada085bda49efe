"""The golden record: of all claims about a profile's identifiers, one value for each trait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from onefold.model.given import CORRECTED, INTERNAL, Correction, correction_of
from onefold.model.profile import Statement
from onefold.unify.contest import Claim, Contest, Scores, contest
from onefold.unify.rules import PLAIN, GoldenRules, Unit, value_key

Nodes = Sequence[Sequence[Statement]]
"""The statements of each identifier of a profile."""
_PREFIX = len(CORRECTED)


class Winner(NamedTuple):
    """The claim that a golden value came from."""

    value: Any
    source: str
    time: int
    message_id: str


class Golden(NamedTuple):
    """The golden traits, each with its claim; `until` is when a correction ends next (0: never)."""

    traits: dict[str, Winner]
    until: int = 0


class Corrected(NamedTuple):
    """A correction of a trait, with the claim that made it."""

    claim: Claim
    says: Correction


def last_writer(statements: Iterable[Statement]) -> dict[str, Winner]:
    """The last claim wins, by time, then message id, then source.

    Claims that only repeat what is known (`context.traits` of later events) lose to any claim of an
    `identify`, because the moment of repetition is not the moment of knowing.
    """
    best: dict[str, tuple[tuple[bool, int, str, str], Winner]] = {}
    for statement in statements:
        order = (*statement.order, statement.source)
        for trait, value in statement.traits.items():
            known = best.get(trait)
            if known is None or order > known[0]:
                winner = Winner(value, statement.source, statement.time, statement.message_id)
                best[trait] = (order, winner)
    return {trait: best[trait][1] for trait in sorted(best)}


def only_traits(said: Statement) -> dict[str, Any]:
    """The golden traits of somebody of whom there is but one statement, of a source, and no rules.

    >>> only_traits(Statement("crm", 1, "m1", True, {"name": "Ann", "city": None, "age": 7}))
    {'age': 7, 'name': 'Ann'}
    """
    traits = said.traits
    return {name: traits[name] for name in sorted(traits) if traits[name] is not None}


def golden_record(
    nodes: Nodes,
    rules: GoldenRules = PLAIN,
    now: int = 0,
    scores: Scores | None = None,
) -> Golden:
    """The golden traits, each with its claim. A trait that nobody claims any more is absent.

    `now` decides which corrections still hold. The same claims give the same result, in whatever
    order they come.
    """
    winners = last_writer(chain.from_iterable(nodes))
    if not rules.plain:
        for unit, claims in units_of(nodes, rules):
            for trait in unit.traits:
                winners.pop(trait, None)
            found = contest(unit, claims, scores or {}, verified_by(unit, nodes))
            if found.winners:
                winners |= _won(unit, found)
        winners = dict(sorted(winners.items()))
    until = 0
    if any(one.source == INTERNAL for one in chain.from_iterable(nodes)):
        until = _correct(winners, nodes, rules, now)
    return Golden({trait: won for trait, won in winners.items() if won.value is not None}, until)


def units_of(nodes: Nodes, rules: GoldenRules) -> Iterator[tuple[Unit, list[Claim]]]:
    """The units that somebody claims, with their claims; what Onefold claims is in none."""
    found: dict[str, tuple[Unit, list[Claim]]] = {}
    for number, statements in enumerate(nodes):
        for statement in statements:
            if statement.source == INTERNAL:
                continue
            for unit in rules.units_in(statement.traits).values():
                claim = claim_in(statement, unit.value_in(statement.traits), number)
                found.setdefault(unit.name, (unit, []))[1].append(claim)
    yield from found.values()


def claim_in(statement: Statement, value: Any, node: int) -> Claim:
    """One claim of a statement."""
    return Claim(
        value, statement.source, statement.time, statement.message_id, statement.strong, node
    )


def corrections_of(nodes: Nodes) -> dict[str, list[Corrected]]:
    """The corrections of each trait, the last first."""
    found: dict[str, list[Corrected]] = {}
    for number, statements in enumerate(nodes):
        for statement in statements:
            if statement.source != INTERNAL:
                continue
            for name, value in statement.traits.items():
                if name.startswith(CORRECTED) and value is not None:
                    one = Corrected(claim_in(statement, value, number), correction_of(value))
                    found.setdefault(name[_PREFIX:], []).append(one)
    for some in found.values():
        some.sort(key=lambda one: (one.claim.order, value_key(one.claim.value)), reverse=True)
    return found


def ended(one: Corrected, trait: str, nodes: Nodes, rules: GoldenRules, now: int) -> str:
    """Why a correction holds no more; nothing if it does.

    One that holds until a source says something new ends with a later claim of what was not claimed
    when it was made: what only repeats the error changes nothing.
    """
    says = one.says
    unit = rules.unit(trait)
    check = unit.checks.get(trait) if unit else None
    if check and says.value is not None and (reason := check(says.value)):
        return f"invalid: {reason}"
    if says.holds == "until" and now >= says.until:
        return "its time is over"
    if says.holds == "next":
        known = {value_key(value) for value in (*says.said, says.value)}
        for statement in chain.from_iterable(nodes):
            if statement.source == INTERNAL or statement.time <= one.claim.time:
                continue
            if trait in statement.traits and value_key(statement.traits[trait]) not in known:
                return f"{statement.source} has said something new since"
    return ""


def verified_by(unit: Unit, nodes: Nodes) -> Any:
    """Says of a claim whether its value was verified: by its source itself, or as that one says."""
    if unit.way.by != "verified_first":
        return None
    if unit.way.sources:
        sources = frozenset(unit.way.sources)
        return lambda claim: claim.source in sources
    trait = unit.way.verified_by or f"{unit.name}_verified"
    says = [last_writer(statements_by) for statements_by in _by_source(nodes)]
    yes = {
        key
        for key, winners in zip(_keys(nodes), says, strict=True)
        if trait in winners and winners[trait].value is True
    }
    return lambda claim: (claim.node, claim.source) in yes


def _keys(nodes: Nodes) -> list[tuple[int, str]]:
    return sorted({(number, one.source) for number, some in enumerate(nodes) for one in some})


def _by_source(nodes: Nodes) -> Iterator[list[Statement]]:
    for number, source in _keys(nodes):
        yield [one for one in nodes[number] if one.source == source]


def _won(unit: Unit, found: Contest) -> dict[str, Winner]:
    first = found.winners[0]
    origin = first.source, first.time, first.message_id
    if unit.group:
        return {name: Winner(value, *origin) for name, value in (found.value or {}).items()}
    return {unit.name: Winner(found.value, *origin)}


def _correct(winners: dict[str, Winner], nodes: Nodes, rules: GoldenRules, now: int) -> int:
    """Put what people corrected in the place of what sources say."""
    until = 0
    corrections = corrections_of(nodes)
    for name in [name for name in winners if name.startswith(CORRECTED)]:
        del winners[name]
    for trait in sorted(corrections):
        holding = [one for one in corrections[trait] if not ended(one, trait, nodes, rules, now)]
        for one in holding[:1]:
            source = f"person:{one.says.by}"
            winners[trait] = Winner(one.says.value, source, one.claim.time, one.claim.message_id)
        ends = [one.says.until for one in holding if one.says.holds == "until"]
        until = min([*ends, *([until] if until else [])], default=0)
    return until
