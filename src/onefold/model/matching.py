"""A learned model of which records are one person: frozen, the same on every engine, one JSON file.

It holds all that a pair's score depends on beside the two records: how often each level of
agreement is seen between records of one person (`m`), of two strangers (`u`) and of two people of
one household (`h`), how common values are, how likely a pair is before one looks at it, and from which
weight on two records are merged or shown to a person.
"""

from __future__ import annotations

import msgspec

FORMAT = 1
BITS = 5
"""Bits of one level in a pattern; twelve comparisons fit into 63."""


class Level(msgspec.Struct, frozen=True):
    """One outcome of a comparison, with its probability in each of the three classes."""

    name: str
    m: float
    u: float
    h: float


class LearnedComparison(msgspec.Struct, frozen=True):
    """The levels of one comparison; a level's number is its place, from 1. 0 means: not known."""

    name: str
    levels: tuple[Level, ...]


class Frequencies(msgspec.Struct, frozen=True):
    """How common the values of one column are, in bins by powers of four.

    Values that are not listed are in the last bin, that of the rarest.
    """

    column: str
    bins: int
    values: dict[str, int]


class SourcePrior(msgspec.Struct, frozen=True):
    """How likely a record of one source and one of another are one person, or one household."""

    left: str
    right: str
    match: float
    household: float


class BlockingKey(msgspec.Struct, frozen=True):
    """Records with equal parts are compared, unless more than `cap` records have them."""

    name: str
    parts: tuple[str, ...]
    cap: int


class Quality(msgspec.Struct, frozen=True):
    """What the model expects of itself on the data that it was trained on."""

    records: int
    pairs: int
    blocking_recall: float
    precision: float
    recall: float


class MatchModel(msgspec.Struct, frozen=True):
    """All that a score depends on, beside the two records."""

    comparisons: tuple[LearnedComparison, ...]
    frequencies: tuple[Frequencies, ...]
    match: float
    household: float
    sources: tuple[SourcePrior, ...]
    keys: tuple[BlockingKey, ...]
    merge: float
    """The weight (log2 of the odds) from which on two records are one person."""
    review: float
    """The weight from which on a person should look."""
    quality: Quality
    version: str = ""
    format: int = FORMAT
