"""Merges of the past as people see them; apart, so that knowing the form loads no engine."""

from __future__ import annotations

import msgspec


class MergeRow(msgspec.Struct, frozen=True):
    """A merge: its id in the history, when (µs), the profile that stayed, and the one that ended."""

    id: str
    at: int
    profile: str
    merged: str


class MergePage(msgspec.Struct, frozen=True):
    """Merges, newest first; `next` is the cursor of the page behind, null on the last."""

    items: list[MergeRow]
    next: str | None


class Undone(msgspec.Struct, frozen=True):
    """A merge that was undone, or put back, and the pairs of identifiers that this was said of."""

    merge: str
    profile: str
    merged: str
    pairs: tuple[tuple[str, str], ...]
    at: int
    by: str
