"""What is said of matches; apart, so that knowing the form loads no numbers."""

from __future__ import annotations

from typing import Literal

import msgspec

Decision = Literal["merge", "review", "none"]


class MatchPart(msgspec.Struct, frozen=True):
    """What one comparison adds to the weight of a match, or takes from it."""

    what: str
    level: str
    weight: float


class MatchWhy(msgspec.Struct, frozen=True):
    """How much two records are alike, by which model; the parts add up to the weight.

    A weight is the logarithm, to base 2, of the odds that both are one person. What an earlier model
    found has no parts.
    """

    weight: float
    probability: float
    decision: Decision
    model: str
    parts: tuple[MatchPart, ...]


class MatchCandidate(msgspec.Struct, frozen=True):
    """Somebody who may be the person asked about: by which identifier, and whose that is."""

    identifier: str
    profile: str
    match: MatchWhy


class MatchCandidates(msgspec.Struct, frozen=True):
    """Who may be the person asked about, most likely first."""

    model: str
    items: tuple[MatchCandidate, ...]
