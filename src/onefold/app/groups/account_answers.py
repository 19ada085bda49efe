"""What questions to accounts are answered with; knowing the form loads nothing else."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.app.profiles.golden_answers import TraitClaims


class AccountRow(msgspec.Struct, frozen=True):
    """An account: its golden traits, how many people belong to it, when it was last heard of (µs)."""

    id: str
    traits: dict[str, Any]
    members: int
    last_seen: int


class AccountPage(msgspec.Struct, frozen=True):
    """Some accounts, by id; `next` is the cursor of the page behind."""

    items: tuple[AccountRow, ...]
    next: str | None


class AccountView(msgspec.Struct, frozen=True):
    """An account: its golden traits, what its members add up to, and how many these are.

    As of a time nothing is added up.
    """

    id: str
    traits: dict[str, Any]
    computed: dict[str, Any]
    members: int
    first_seen: int
    last_seen: int


class AccountMember(msgspec.Struct, frozen=True):
    """Somebody who belongs to an account: when that was first and last said (µs)."""

    profile: str
    identifiers: tuple[str, ...]
    since: int
    last: int


class MemberPage(msgspec.Struct, frozen=True):
    """Some members, in an order of their own; `next` is the cursor of the page behind."""

    items: tuple[AccountMember, ...]
    next: str | None


class AccountClaims(msgspec.Struct, frozen=True):
    """The traits of an account with all claims that are kept."""

    id: str
    traits: tuple[TraitClaims, ...]


class AccountChange(msgspec.Struct, frozen=True):
    """What became of an account's golden traits at a time (µs): those that changed, before and after."""

    at: int
    old: dict[str, Any]
    new: dict[str, Any]


class AccountHistory(msgspec.Struct, frozen=True):
    """Some changes, the newest first; `next` is the cursor of the page behind."""

    items: tuple[AccountChange, ...]
    next: str | None


class Belonging(msgspec.Struct, frozen=True):
    """What was said of somebody and an account: that they belong to it, or do not."""

    account: str
    identifiers: tuple[str, ...]
    belongs: bool
    at: int
