"""What questions to golden records are answered with; knowing the form loads nothing else."""

from __future__ import annotations

from typing import Any

import msgspec


class ClaimRow(msgspec.Struct, frozen=True):
    """What a source, or a person, said of a trait; about which identifier; how it fared, and why.

    `outcome` is `won`, `part` (of a union) or `lost`. `strong` is false for what only repeats what is known.
    """

    outcome: str
    why: str
    value: Any
    source: str
    time: int
    message_id: str
    identifier: str
    strong: bool


class TraitClaims(msgspec.Struct, frozen=True):
    """A trait of a profile: its golden value, by which rule, what is declared of it, all claims.

    `known` says whether a definition declares it. `together` are the traits that come from the same claim.
    """

    trait: str
    value: Any
    rule: str
    known: bool
    type: str
    unit: str
    pii: str
    together: tuple[str, ...]
    claims: tuple[ClaimRow, ...]


class ProfileClaims(msgspec.Struct, frozen=True):
    """The traits of a profile with all claims that are kept."""

    id: str
    traits: tuple[TraitClaims, ...]


class Quality(msgspec.Struct, frozen=True):
    """Shares that are good, from 0 to 1; null where there is nothing to judge. `score` is their mean."""

    score: float | None
    complete: float | None
    valid: float | None
    fresh: float | None
    consistent: float | None
    unique: float | None


class QualityReport(msgspec.Struct, frozen=True):
    """How good what is known of everybody is: altogether, by trait, by source; as of a time (µs)."""

    as_of: int
    profiles: int
    fresh_days: int
    overall: Quality
    traits: dict[str, Quality]
    sources: dict[str, Quality]


class ProfileQuality(msgspec.Struct, frozen=True):
    """How good what is known of one profile is: altogether, and by trait."""

    id: str
    overall: Quality
    traits: dict[str, Quality]
