"""Compaction: what batches appended becomes files that questions over everybody read fast.

Events: files of one day, sorted by name and profile, with typed columns. A day has a few of them, each
more than twice as large as the next, so that no row is written again more often than the logarithm of
what came after it. Profiles: one file of what everybody is now, sorted; what they were is kept apart.
Moves: the last one of each node from each profile, as long as some event was written before it.
Done beside everything else: one commit puts new files in the place of old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from onefold.app.lake.relations import add_homes
from onefold.app.lake.tables import table_now
from onefold.app.lake.typed import column_name, typed_columns, typed_of, wanted_fields
from onefold.engine import DuckEngine, files_sql
from onefold.lake import arrow_schema, by_layout, parse_file_name
from onefold.lake.delta import DeltaLake
from onefold.model.errors import Damaged
from onefold.model.profile import profile_number_sql
from onefold.segment.metric import Field
from onefold.store import SQLiteStore

MANY_FILES, MANY_ROWS = 32, 200_000
"""Of the tail: with more than either it is time to compact it."""

ROWS_A_GROUP, PROFILES_A_GROUP = 32_768, 122_880
"""Of events only some names are read; of profiles nearly always all."""

EVENTS_ORDER = 'name, profile_id, "time"'
_Much = tuple[int, int]
_ROWS_A_ROUND = 2_000_000
_BASE_TO_TAIL = 10
_DAY = "strftime(\"time\" at time zone 'UTC', '%Y%m%d')"


def compact(store: SQLiteStore, lake: DeltaLake, spill: Path, *, at_once: bool = False) -> None:
    """Compact events and profiles where it is time to, or all. Not for two processes at once."""
    much = (0, 1) if at_once else (MANY_FILES, MANY_ROWS)
    fields = wanted_fields(store)
    engine = DuckEngine(threads=1, memory_mb=1024, spill=spill)
    try:
        while compact_events(engine, store, lake, fields, much):
            pass
        compact_profiles(engine, lake, fields, much)
        compact_moves(engine, lake, much)
    finally:
        engine.close()


def compact_events(
    engine: DuckEngine, store: SQLiteStore, lake: DeltaLake, fields: Sequence[Field], much: _Much
) -> bool:
    """One round: some of the tail, or one file that lacks a column; say if there was any."""
    fields = [one for one in fields if one.root in ("properties", "context")]
    batch, files = lake.snapshot("events")
    tail = [file for file in files if _part(file) == "tail"]
    days = [file for file in files if _part(file) != "tail"]
    stale = set(_stale(engine, days, fields))
    fresh = list(_one_round(tail)) if _is_much(tail, much) else []
    if not fresh and not stale:
        return False
    moves, none = table_now(store, lake, "moves"), arrow_schema("events").empty_table()
    add_homes(engine, store, moves, files, none)
    engine.connection.register("no_events", none)
    engine.connection.execute(
        f"create or replace temp table fresh as select *, {_DAY} as day"
        f" from ({_event_rows(engine, fresh, fields)})"
    )
    counted = engine.rows("days", "select day, count(*) from fresh group by day order by day", {})
    # What lacks a column is written again a file at a time, the newest day first.
    rest = max(stale, key=lambda file: (_part(file), file)) if stale and not fresh else None
    old, new = list(fresh), list[str]()
    for day, rows in [(_part(rest), 0)] if rest else counted:
        merged = list(_to_merge([file for file in days if _part(file) == day], rows, stale))
        rows += sum(parse_file_name(file).rows for file in merged)
        query = (
            f"select * exclude (day) from fresh where day = '{day}'"
            f" union all by name {_event_rows(engine, merged, fields)}"
        )
        columns = [*arrow_schema("events").names, *_names(fields)]
        path = lake.new_path("events", day, columns, rows, batch)
        _write(engine, f"select * from ({query}) order by {EVENTS_ORDER}", path, rows)
        old, new = [*old, *merged], [*new, str(path)]
    lake.replace("events", old, new)
    lake.tidy("events")
    return True


def _event_rows(engine: DuckEngine, files: Sequence[str], fields: Sequence[Field]) -> str:
    """The rows of files, whatever columns these have, of the profiles that they are of now."""
    names = arrow_schema("events").names
    rows = ", ".join(f'e."{name}"' for name in names if name != "profile_id")
    parts = [
        f"select {rows}, coalesce(homes.profile_id, e.profile_id) as profile_id"
        f"{typed_columns(fields, typed_of(engine, of, 'properties', 'context'))}"
        f" from (select * from no_events union all by name select * from {files_sql(group, of)}) e"
        " left join homes on e.owner = homes.node"
        for group, of in by_layout(files).items()
    ]
    nothing = f"select *{typed_columns(fields)} from no_events"
    return " union all by name ".join([nothing, *parts])


def _to_merge(files: Sequence[str], rows: int, stale: set[str]) -> Iterator[str]:
    """The files of a day that go into a new one: those not much larger, and those that must."""
    for file in sorted(files, key=lambda file: parse_file_name(file).rows):
        if file in stale or parse_file_name(file).rows <= 2 * rows:
            rows += parse_file_name(file).rows
            yield file


def compact_profiles(
    engine: DuckEngine, lake: DeltaLake, fields: Sequence[Field], much: _Much
) -> bool:
    """Bring the file of what everybody is now up to date; say whether there was anything to do."""
    fields = [one for one in fields if one.root == "traits"]
    batch, files = lake.snapshot("profiles")
    tail = [file for file in files if _part(file) == "tail"]
    base = [file for file in files if _part(file) == "now"]
    stale = any(_stale(engine, base, fields))
    if not _is_much(tail, much) and not stale:
        return False
    columns = [*arrow_schema("profiles").names, "profile_id"]
    few = _BASE_TO_TAIL * sum(map(_rows, tail)) < sum(map(_rows, base))
    if few and not stale:
        # To write everybody again for a few takes longer than to read these as they are.
        _join(engine, lake, "tail", tail, batch)
        return True
    if len(before := [file for file in files if _part(file) == "past"]) > MANY_FILES:
        _join(engine, lake, "past", before, batch)
    listed = ", ".join(columns)
    engine.add_view("profiles_tail", by_layout(tail), arrow_schema("profiles").empty_table())
    engine.connection.execute(
        "create or replace temp table fresh as select *, row_number() over (partition by profile"
        f" order by batch desc) = 1 and merged_into is null as here, {profile_number_sql('profile')}"
        " as profile_id from profiles_tail"
    )
    parts = [f"select {listed}{typed_columns(fields)} from fresh where here"]
    kept = "profile_id not in (select profile_id from fresh)"
    past = [f"select {listed} from fresh where not here"]
    none = arrow_schema("profiles").append(pa.field("profile_id", pa.int64())).empty_table()
    engine.connection.register("no_profiles", none)
    for group, of in by_layout(base).items():
        # A file of before the catalogue named some column has none of it.
        rows = f"(select * from no_profiles union all by name select * from {files_sql(group, of)})"
        typed = typed_columns(fields, typed_of(engine, of, "traits"))
        parts.append(f"select {listed}{typed} from {rows} where {kept}")
        past.append(f"select {listed} from {rows} where not {kept}")
    new = [
        _write_all(engine, lake, "now", parts, [*columns, *_names(fields)], batch),
        _write_all(engine, lake, "past", past, columns, batch),
    ]
    total = sum(_rows(file) for file in (*tail, *base))
    if sum(map(_rows, new)) != total:
        for file in new:
            Path(file).unlink()
        raise Damaged("the compacted profiles are not as many as those that they were made of")
    lake.replace("profiles", [*tail, *base], new)
    lake.tidy("profiles")
    return True


def compact_moves(engine: DuckEngine, lake: DeltaLake, much: _Much) -> bool:
    """Keep the last move of each node from each profile, where some event is older; if it is time to.

    So there are no more of them than profiles that nodes were of, however often these move.
    """
    batch, files = lake.snapshot("moves")
    columns = arrow_schema("moves").names
    tail = [file for file in files if _part(file) == "tail"]
    if not _is_much(tail, much):
        return False
    # Events that are written later know of all moves until then.
    oldest = min((parse_file_name(file).batch for file in lake.snapshot("events")[1]), default=0)
    engine.add_view("moves", by_layout(files), arrow_schema("moves").empty_table())
    engine.connection.execute(
        f"create or replace temp table last_moves as select {', '.join(columns)} from moves"
        f" where batch > {oldest:d} qualify"
        " row_number() over (partition by node, left_id order by batch desc) = 1"
    )
    [(rows,)] = engine.rows("rows", "select count(*) from last_moves", {})
    path = lake.new_path("moves", "last", columns, rows, batch)
    _write(engine, "select * from last_moves order by node, batch", path, rows)
    lake.replace("moves", files, [str(path)])
    lake.tidy("moves")
    return True


def _write_all(
    engine: DuckEngine,
    lake: DeltaLake,
    part: str,
    parts: Sequence[str],
    columns: Sequence[str],
    batch: int,
) -> str:
    query = " union all ".join(parts)
    [(rows,)] = engine.rows("rows", f"select count(*) from ({query})", {})
    path = lake.new_path("profiles", part, columns, rows, batch)
    _write(engine, f"select * from ({query}) order by profile_id, batch", path, rows)
    return str(path)


def _join(engine: DuckEngine, lake: DeltaLake, part: str, files: Sequence[str], batch: int) -> None:
    """Put one file of a part in the place of several, with the columns of the catalogue."""
    schema, rows = arrow_schema("profiles"), sum(map(_rows, files))
    engine.add_view("joined", by_layout(files), schema.empty_table())
    path = lake.new_path("profiles", part, schema.names, rows, batch)
    _write(engine, "select * from joined order by batch", path, rows)
    lake.replace("profiles", files, [str(path)])


def _write(engine: DuckEngine, query: str, path: Path, rows: int) -> None:
    """Write a file of so many rows; any other number would be a fault, and is not committed."""
    size = ROWS_A_GROUP if path.parent.name == "events" else PROFILES_A_GROUP
    written = engine.write(query, path, size)
    if written != rows:
        path.unlink()
        raise Damaged(f"{path.name} holds {written} rows and not {rows}: left as it was")


def _stale(engine: DuckEngine, files: Sequence[str], fields: Sequence[Field]) -> Iterator[str]:
    """Files that lack the column of a field."""
    for of in by_layout(files).values():
        if not set(fields) <= set(typed_of(engine, of, "properties", "context", "traits")):
            yield from of


def _one_round(tail: Iterable[str]) -> Iterator[str]:
    """Files of the tail, the oldest first, of so many rows as memory takes."""
    total = 0
    for file in sorted(tail, key=lambda file: parse_file_name(file).batch):
        if total < _ROWS_A_ROUND:
            total += _rows(file)
            yield file


def _is_much(tail: Sequence[str], much: _Much) -> bool:
    return len(tail) > much[0] or sum(map(_rows, tail)) >= much[1]


def _rows(file: str) -> int:
    """How many rows a file has; one of before names said so is asked."""
    name = parse_file_name(file)
    return pq.read_metadata(file).num_rows if name.layout == "mixed" else name.rows


def _part(file: str) -> str:
    return parse_file_name(file).part


def _names(fields: Sequence[Field]) -> list[str]:
    return [column_name(field) for field in fields]
