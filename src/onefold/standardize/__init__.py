"""Accepted calls in, events and rejects out: the same words and units for the same thing.

Every event of every call comes out exactly once, as an `Event` or as a `Reject` with its bytes
and all its reasons; nothing is silently dropped, and no bytes make this stage raise.
Pure: the same calls give the same events, whenever and however often they are read.
"""

from onefold.standardize.calls import (
    Judging,
    SourceSettings,
    Verdict,
    seen_key,
    standardize,
    verdicts,
)
from onefold.standardize.identifiers import nameless_in
from onefold.standardize.mapping import Ask, Mappings
from onefold.standardize.plans import Plans
from onefold.standardize.rates import Rates
from onefold.standardize.wording import BY_DEFAULT, Standardized, Wording, wording_of
from onefold.standardize.writing import Writing

__all__ = [
    "BY_DEFAULT",
    "Ask",
    "Judging",
    "Mappings",
    "Plans",
    "Rates",
    "SourceSettings",
    "Standardized",
    "Verdict",
    "Wording",
    "Writing",
    "nameless_in",
    "seen_key",
    "standardize",
    "verdicts",
    "wording_of",
]
