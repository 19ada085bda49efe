"""The relations that rules are asked over: everybody's events and profiles, as they are now.

`events_now(profile BIGINT, owner, source, name, time BIGINT µs, stamp, message_id, traits, strong,
properties, context, typed …)`, with the time as the files have it in `stamp`,
and `profiles_now(profile BIGINT, traits, computed, tags, typed …)`. What still waits in the store's queue is among
them, and an event is of the profile that its owner belongs to today.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa

from onefold.app.lake.event_rows import (
    add_late_moves,
    add_left_profiles,
    all_before,
    all_went_one_way,
    by_profile,
    events_part,
    oldest,
    with_rows,
)
from onefold.app.lake.held import Asked, HeldRelations
from onefold.app.lake.kept import Ready
from onefold.app.lake.tables import TableNow, tables_at_once
from onefold.app.lake.typed import fields_of, reader, typed_columns
from onefold.engine import DuckEngine, Engine
from onefold.lake import MIXED, by_layout, parse_file_name
from onefold.lake.delta import DeltaLake
from onefold.model.profile import profile_number_sql
from onefold.segment.metric import Field
from onefold.segment.plan import Plan
from onefold.store import SQLiteStore

EVENTS, PROFILES = "events_now", "profiles_now"
# Moves first: compaction drops those that the events which it wrote since need no more.
_NAMES = ("moves", "events", "profiles")
_HELD = 20_000
"""So many profiles that changed since compaction may wait in memory for the next question."""


class Population(NamedTuple):
    """How the relations are read: `read` writes the SQL of a field, typed column or JSON.

    `profiles` is how many there are by what the store counts, `held` are relations in memory, if any,
    that hold what a plan reads.
    """

    read: Callable[[Field], str]
    profiles: int
    held: HeldRelations | None = None

    @staticmethod
    def since(moment: int) -> str:
        """Write that an event is of a moment (µs UTC) or later, as the reader of files knows it."""
        at = datetime.fromtimestamp(moment // 1_000_000, UTC)
        return f"stamp >= TIMESTAMPTZ '{at:%Y-%m-%d %H:%M:%S}+00'"


def add_population(
    engine: Engine,
    store: SQLiteStore,
    lake: DeltaLake,
    since: int | None = None,
    ready: Ready | None = None,
    plan: Plan | None = None,
) -> Population:
    """Make the views `events_now` and `profiles_now`, unless they are `ready`.

    `since` (µs) leaves out files that hold only older events. Both are as of the same batch,
    whatever is folded, carried over and compacted meanwhile. What a `plan` reads may be held.
    """
    with tables_at_once(store, lake, _NAMES) as tables:
        events, moves, profiles = tables["events"], tables["moves"], tables["profiles"]
        files = _only_files(tables, since)
        fields = ready.fields(files) if ready else None
        if fields is None:
            fields = add_events(engine, store, events, moves, since)
            fields += add_profiles(engine, profiles)
            if ready and isinstance(engine, DuckEngine):
                ready.put(files, fields, engine.named())
        people = store.counters().get("profiles", 0)
        held = None
        if plan and ready and ready.held and isinstance(engine, DuckEngine):
            held = ready.held.relations(engine, tables, Asked(plan, since), store.batch(), fields)
    return Population(reader(fields), people, held)


def _only_files(tables: Mapping[str, TableNow], since: int | None) -> object:
    """The files that the relations are made of; None if that is not all, or much is held of them."""
    read = [file for one in tables.values() for file in one.files if not all_before(file, since)]
    names = [parse_file_name(file) for file in read]
    # Of events that no file knows the profile of, the store is asked.
    if any(one.newer.num_rows for one in tables.values()) or MIXED in {n.layout for n in names}:
        return None
    held = [parse_file_name(file) for file in tables["profiles"].files]
    return tuple(read) if sum(n.rows for n in held if n.part == "tail") <= _HELD else None


def add_events(
    engine: Engine,
    store: SQLiteStore,
    events: TableNow,
    moves: TableNow,
    since: int | None = None,
) -> list[Field]:
    """Make the view `events_now` of the tables `events` and `moves`; give its typed columns."""
    groups = by_layout(with_rows(f for f in events.files if not all_before(f, since)))
    typed = _add_groups(engine, "events", groups, "properties", "context")
    fields = _each_once(typed)
    parts = []
    if events.newer.num_rows or not groups:
        engine.add_view("events_newer", {}, events.newer)
        parts.append(events_part("events_newer", (), fields))
    parts += [
        events_part(f"events_{group}", typed[group], fields, group == MIXED) for group in groups
    ]
    read = [file for files in groups.values() for file in files]
    rows = " union all ".join(parts)
    known = MIXED not in groups and not events.newer["profile_id"].null_count
    add_late_moves(engine, moves, oldest(read, events.newer))
    if known and not (left := add_left_profiles(engine)):
        query = f"select profile_id as profile, * exclude (profile_id) from ({rows})"
    elif known and all_went_one_way(engine, left):
        query = by_profile(rows)
    else:
        add_homes(engine, store, moves, read, events.newer)
        query = _by_profile_or_owner(engine, rows) if known else _by_owner(rows)
    engine.view(EVENTS, query)
    return fields


def add_profiles(engine: Engine, profiles: TableNow) -> list[Field]:
    """Make the view `profiles_now` of the table `profiles`; give its typed columns."""
    parts: dict[str, list[str]] = {"now": [], "tail": []}
    for file in with_rows(profiles.files):
        parts.setdefault(parse_file_name(file).part, []).append(file)
    groups = by_layout(parts["now"])
    columns = {
        group: engine.add_files(f"profiles_{group}", group, files)
        for group, files in groups.items()
    }
    typed = {group: fields_of(found, "traits") for group, found in columns.items()}
    fields = _each_once(typed)
    older = [
        f"select profile_id as profile, traits, {_outputs(columns[group])}"
        f"{typed_columns(fields, typed[group])} from profiles_{group}"
        for group in groups
    ]
    changed = 0
    if parts["tail"] or profiles.newer.num_rows or not older:
        engine.add_view("profiles_tail", by_layout(parts["tail"]), profiles.newer)
        changed = engine.keep(
            "profiles_newest",
            f"select profile_id as profile, here, traits, coalesce(computed, '{{}}') as computed,"
            f" coalesce(tags, '{{}}') as tags{typed_columns(fields)} from (select"
            f" {profile_number_sql('profile')} as profile_id,"
            " arg_max(merged_into is null, batch) as here, arg_max(traits, batch) as traits,"
            " arg_max(computed, batch) as computed, arg_max(tags, batch) as tags"
            " from profiles_tail group by all)",
        )
    query = " union all ".join(older)
    if not older or changed:
        newest = "select * exclude (here) from profiles_newest where here"
        # With nothing to leave out the reader need not look at each row.
        left = (
            " where not exists"
            " (select 1 from profiles_newest where profiles_newest.profile = older.profile)"
        )
        query = f"select * from ({query}) older{left} union all {newest}" if older else newest
    engine.view(PROFILES, query)
    return fields


def _add_groups(
    engine: Engine, table: str, groups: Mapping[str, Sequence[str]], *roots: str
) -> dict[str, list[Field]]:
    """Make a view of each group of a table's files; give the typed columns of each."""
    return {
        group: fields_of(engine.add_files(f"{table}_{group}", group, files), *roots)
        for group, files in groups.items()
    }


def _outputs(columns: Collection[str]) -> str:
    """What is computed of profiles; a file may be of before there was anything."""
    names = ("computed", "tags")
    return ", ".join(name if name in columns else f"'{{}}' as {name}" for name in names)


def _by_owner(rows: str) -> str:
    """Events of the profiles that their owners belong to: right in any case, and slow."""
    return (
        "select coalesce(homes.profile_id, e.profile_id) as profile, e.* exclude (profile_id)"
        f" from ({rows}) e left join homes on e.owner = homes.node"
    )


def _by_profile_or_owner(engine: Engine, rows: str) -> str:
    """By the profiles that the events name; of those that parted, the owners are read.

    Where all identifiers of a profile are of the same other one now, so are all of its events.
    """
    left = engine.keep(
        "left_profiles",
        "select left_id as profile_id, case when arg_max(m.left_empty, m.batch)"
        " and min(homes.profile_id) = max(homes.profile_id) and count(again.profile_id) = 0"
        " then min(homes.profile_id) end as home from late_moves m"
        " join homes on m.node = homes.node"
        " left join (select distinct profile_id from homes) again on m.left_id = again.profile_id"
        " group by left_id",
    )
    asked = "select count(profile_id), count(home) from left_profiles"
    [(known, whole)] = engine.rows("left", asked, {})
    if known < left:
        return _by_owner(rows)
    if whole == left:
        return by_profile(rows)
    parted = (
        f"select e.* from ({rows}) e join left_profiles l"
        " on e.profile_id = l.profile_id and l.home is null"
    )
    here = "l.profile_id is null or l.home is not null"
    return f"{by_profile(rows)} where {here} union all {_by_owner(parted)}"


def _each_once(typed: Mapping[str, Sequence[Field]]) -> list[Field]:
    return list(dict.fromkeys(field for fields in typed.values() for field in fields))


def add_homes(
    engine: Engine,
    store: SQLiteStore,
    moves: TableNow,
    files: Sequence[str],
    newer: pa.Table,
) -> None:
    """Make the table `homes`: nodes of which some event says an old profile.

    A move is of no interest when all these events were written, or compacted, after it.
    """
    add_late_moves(engine, moves, oldest(files, newer))
    moved = "select node, arg_max(profile_id, batch) as profile_id from late_moves group by node"
    engine.keep("homes", moved)
    unknown = "select owner from unsorted where profile_id is null"
    if old := by_layout(files).get(MIXED):
        engine.add_files("events_of_nobody", MIXED, old)
        unknown += " union all select owner from events_of_nobody"
    elif not newer["profile_id"].null_count:
        return
    owners = engine.rows(
        "owners",
        f"select distinct owner from ({unknown}) where owner not in (select node from homes)",
        {"unsorted": newer},
    )
    if owners:
        found = store.profiles_of([row[0] for row in owners])
        nodes, numbers = pa.array(found.keys(), pa.binary()), pa.array(found.values(), pa.int64())
        table = pa.table({"node": nodes, "profile_id": numbers})
        query = f"select * from ({moved}) union all select * from found"
        engine.keep("homes", query, {"found": table})
