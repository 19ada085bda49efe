"""Rebuilds that only compare, every so often: when the last one was, and what it found."""

from __future__ import annotations

import msgspec

from onefold.store import SQLiteStore
from onefold.store.jobs import OWN

_CHECKED = "rebuild_checked"
_CHECK = "rebuild-check"


class RebuildChecked(msgspec.Struct, frozen=True):
    """When (µs) all events were last folded again and compared, and what came out."""

    at: int
    events: int
    profiles: int
    differences: int


def note_check(store: SQLiteStore, found: RebuildChecked) -> None:
    """Remember what a comparison found."""
    store.set_setting(_CHECKED, msgspec.json.encode(found))


def last_check(store: SQLiteStore) -> RebuildChecked | None:
    """The last comparison; None before the first."""
    kept = store.setting(_CHECKED)
    return msgspec.json.decode(kept, type=RebuildChecked) if kept else None


def ask_if_due(store: SQLiteStore, now: int, every_seconds: float) -> bool:
    """Ask for a comparison if the last one began so long ago (0: never); say whether it was asked for.

    One that failed or was canceled counts: what fails today is not tried again all day.
    """
    if not every_seconds:
        return False
    since = now - int(every_seconds * 1e6)
    last = store.jobs.newest(_CHECK)
    if last is not None and (last.is_open or last.created_at > since):
        return False
    store.jobs.add(_CHECK, "", {}, now, OWN)
    return True
