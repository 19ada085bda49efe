"""What questions to households are answered with; knowing the form loads nothing else."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Together = Literal["yes", "no", "open"]


class HouseholdMember(msgspec.Struct, frozen=True):
    """Somebody of a household: with whom of it they live, as is known, and whether a person said so."""

    profile: str
    identifiers: tuple[str, ...]
    lives_with: tuple[str, ...]
    said: bool


class Household(msgspec.Struct, frozen=True):
    """People who live together: the traits that they have in common, and what they add up to.

    Who is not known to live with anybody is alone, and `id` is null.
    """

    id: str | None
    traits: dict[str, Any]
    computed: dict[str, Any]
    members: tuple[HouseholdMember, ...]


class HouseholdRow(msgspec.Struct, frozen=True):
    """A household: how many people, and the traits that they have in common."""

    id: str
    members: int
    traits: dict[str, Any]


class HouseholdPage(msgspec.Struct, frozen=True):
    """Some households; `next` is the cursor of the page behind."""

    items: tuple[HouseholdRow, ...]
    next: str | None


class HouseholdChange(msgspec.Struct, frozen=True):
    """That two people, named by an identifier of each, were said to live together at a time (µs), or no longer."""

    at: int
    left: str
    right: str
    together: bool


class HouseholdHistory(msgspec.Struct, frozen=True):
    """Some changes, the newest first; `next` is the cursor of the page behind."""

    items: tuple[HouseholdChange, ...]
    next: str | None


class LiveTogether(msgspec.Struct, frozen=True):
    """What a person said of two people: that they live together, or not; `open` takes it back."""

    left: str
    right: str
    together: Together
    at: int
    by: str
