"""Questions about rules and everybody, and their answers; apart, so that this loads no engine."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Rule = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class PreviewQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that need not be saved; how many profiles to show; traits and events to count by."""

    rule: Rule
    sample: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10
    by: Annotated[tuple[Name, ...], msgspec.Meta(max_length=5)] = ()
    events: Annotated[tuple[Name, ...], msgspec.Meta(max_length=5)] = ()


class SampledProfile(msgspec.Struct, frozen=True):
    """A profile that satisfies the rule, with its traits."""

    profile: str
    traits: dict[str, Any]


class ValueCount(msgspec.Struct, frozen=True):
    """How many have a value."""

    value: str
    profiles: int


class TraitCounts(msgspec.Struct, frozen=True):
    """The most frequent values of a trait, how many have another one, and how many none."""

    by: str
    values: tuple[ValueCount, ...]
    other: int
    absent: int


class DayCount(msgspec.Struct, frozen=True):
    """How often an event happened on a day of the workspace's zone, and to how many profiles."""

    day: str
    events: int
    profiles: int


class EventDays(msgspec.Struct, frozen=True):
    """An event among those who satisfy the rule, day by day over the last thirty days."""

    event: str
    days: tuple[DayCount, ...]


class Preview(msgspec.Struct, frozen=True):
    """How many satisfy a rule as of a moment (µs), of how many; and who they are."""

    rule: str
    as_of: int
    count: int
    total: int
    sample: tuple[SampledProfile, ...] = ()
    by: tuple[TraitCounts, ...] = ()
    events: tuple[EventDays, ...] = ()
