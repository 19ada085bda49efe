"""What a rehearsal says."""

from __future__ import annotations

import msgspec

from onefold.app.imports.measuring import Quality
from onefold.app.imports.sampling import FieldFill


class Conflicting(msgspec.Struct, frozen=True):
    """A trait of which the file says another value than the golden record: how often, and who wins.

    `examples` are `(identifier, what is known, what the file says)`.
    """

    trait: str
    count: int
    wins: int
    examples: tuple[tuple[str, str, str], ...]


class SegmentChange(msgspec.Struct, frozen=True):
    """A segment that would have others in it: how many are, would enter, and would leave."""

    segment: str
    now: int
    entering: int
    leaving: int


class Rehearsed(msgspec.Struct, frozen=True):
    """What an import or a run would do. All counts from `events` on are of the `sampled` rows.

    `events` would come for the first time, `repeats` came before.
    `name` is that of the file or source. `read_all` tells whether all rows that there are were read, `whole`
    whether all rows that were read are sampled. `read_as` is what was found out about how a file is written,
    `missing` the fields that the mapping asks for and no row has. `violations` are those of tracking plans, by plan, field, fault and mode.
    """

    name: str
    source: str
    format: str
    rows: int
    unreadable: int
    unreadable_reasons: dict[str, int]
    sampled: int
    whole: bool
    events: int
    repeats: int
    rejects: int
    reasons: dict[str, int]
    fields: tuple[FieldFill, ...]
    new: int
    updated: int
    unchanged: int
    merged: int
    conflicts: tuple[Conflicting, ...]
    segments: tuple[SegmentChange, ...]
    quality: Quality
    seconds: float
    violations: dict[str, int] = {}
    read_all: bool = True
    read_as: str = ""
    missing: tuple[str, ...] = ()
