"""Segments and who is in them, as of the last batch."""

from __future__ import annotations

from typing import Literal

import msgspec

from onefold.app.in_force import load_definitions
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.model.profile import parse_profile_name, profile_name
from onefold.store import SQLiteStore


class SegmentRow(msgspec.Struct, frozen=True):
    """A segment in force, and how many profiles are in it.

    One whose rule fails while it is evaluated, or whose past is being counted, keeps the members that
    it had; `reason` says why it fails.
    """

    name: str
    members: int
    rule: str
    version: int
    state: Literal["live", "counting", "failing"] = "live"
    reason: str = ""


class MemberRow(msgspec.Struct, frozen=True):
    """A profile that is in a segment, and since when."""

    profile: str
    since: int


def segment_list(settings: Settings) -> list[SegmentRow]:
    """All segments, by name."""
    with open_store(settings, cache_mb=4) as store:
        definitions, _ = load_definitions(store)
        counts = member_counts(store)
        _, _, told = store.heartbeats().get("worker", (0, 0, {}))
    rows = []
    for one in sorted(definitions.segments, key=lambda one: one.name):
        row = SegmentRow(one.name, counts.get(one.name, 0), one.rule, one.version)
        if reason := told.get("failing", {}).get(f"segment {one.name}"):
            row = msgspec.structs.replace(row, state="failing", reason=reason)
        elif f"segment {one.name}" in told.get("filling", ()):
            row = msgspec.structs.replace(row, state="counting")
        rows.append(row)
    return rows


def segment_members(
    settings: Settings, name: str, *, limit: int = 100, after: str = ""
) -> list[MemberRow]:
    """The profiles in a segment in the order of their ids, those after `after`."""
    with open_store(settings, cache_mb=4) as store:
        return members_page(store, name, limit=limit, after=after)


def members_page(
    store: SQLiteStore, name: str, *, limit: int = 100, after: str = ""
) -> list[MemberRow]:
    """Like `segment_members`, on a store that is open."""
    first = parse_profile_name(after) if after else 0
    if first is None:
        raise InvalidInput(
            "there is no such page", (Fault(f"{after!r} is no profile id", "after"),)
        )
    definitions, _ = load_definitions(store)
    if name not in {one.name for one in definitions.segments}:
        raise NotFound(f"there is no segment {name!r}; `onefold segment list` shows them")
    rows = store.db.rows(
        "select profile, since from members where segment = ? and profile > ?"
        " order by profile limit ?",
        name,
        first,
        limit,
    )
    return [MemberRow(profile_name(profile), since) for profile, since in rows]


def member_counts(store: SQLiteStore) -> dict[str, int]:
    """How many profiles are in each segment that has any."""
    return store.segment_sizes()
