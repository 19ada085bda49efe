"""Why a golden value is what it is: every claim that is kept, and how it fared."""

from __future__ import annotations

from typing import Literal, NamedTuple

from onefold.model.given import INTERNAL
from onefold.model.golden import Survivorship
from onefold.unify.contest import Claim, Scores, contest
from onefold.unify.golden import Nodes, claim_in, corrections_of, ended, verified_by
from onefold.unify.rules import GoldenRules, Unit

Outcome = Literal["won", "part", "lost"]


class Explained(NamedTuple):
    """A claim, how it fared, and why. Of a union each claim has a `part`."""

    claim: Claim
    outcome: Outcome
    why: str
    by: str = ""


def explain(
    nodes: Nodes, trait: str, rules: GoldenRules, now: int, scores: Scores
) -> list[Explained]:
    """All claims of a trait, the winner first, then by time."""
    unit = rules.unit(trait) or Unit(trait, (trait,))
    claims = [
        claim_in(statement, unit.value_in(statement.traits), number)
        for number, statements in enumerate(nodes)
        for statement in statements
        if statement.source != INTERNAL and not statement.traits.keys().isdisjoint(unit.traits)
    ]
    found = contest(unit, claims, scores, verified_by(unit, nodes))
    union = unit.way.by == "union"
    why = reason_of(unit.way)
    rows = [Explained(one, "part" if union else "won", why) for one in found.winners]
    rows += [Explained(one, "lost", reason) for one, reason in found.losers]
    if unit.group:
        rows = [
            row._replace(claim=row.claim._replace(value=(row.claim.value or {}).get(trait)))
            for row in rows
        ]
    rows = _corrected(rows, nodes, trait, rules, now)
    rows.sort(key=lambda row: (row.outcome == "lost", -row.claim.time, row.claim.message_id))
    return rows


def traits_of(nodes: Nodes) -> list[str]:
    """All traits that somebody claims."""
    return sorted(
        {
            trait
            for statements in nodes
            for statement in statements
            if statement.source != INTERNAL
            for trait in statement.traits
        }
        | corrections_of(nodes).keys()
    )


def reason_of(way: Survivorship) -> str:
    """A way to decide, in words."""
    if way.by == "source_priority":
        return f"source_priority: {', '.join(way.sources)}"
    if way.by == "expression":
        return f"expression: {way.prefer}"
    return way.by + (", of what each source said last" if way.of == "last" else "")


def _corrected(
    rows: list[Explained], nodes: Nodes, trait: str, rules: GoldenRules, now: int
) -> list[Explained]:
    """With what people corrected, which comes before what all sources say."""
    corrections = corrections_of(nodes).get(trait, [])
    first = ""
    mine = []
    for one in corrections:
        by = one.says.by
        claim = one.claim._replace(value=one.says.value, source=f"person:{by}")
        why = ended(one, trait, nodes, rules, now)
        if why or first:
            mine.append(Explained(claim, "lost", why or "an older correction", by))
        else:
            first = by or "a person"
            mine.append(Explained(claim, "won", _HOLDS[one.says.holds], by))
    if first:
        reason = f"corrected by {first}"
        rows = [
            row if row.outcome == "lost" else Explained(row.claim, "lost", reason) for row in rows
        ]
    return mine + rows


_HOLDS = {
    "forever": "corrected, for ever",
    "until": "corrected, until a date",
    "next": "corrected, until a source says something new",
}
