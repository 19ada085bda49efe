"""Taking back a load: everything becomes as if its records had never come.

All other events are folded again beside what is live, and what comes out otherwise is put in its place,
as a rebuild does. Then the load's events and links are taken out of the lake, last: until then a crash
leaves the load as it is, or taken back in the store alone, and the same command ends it.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from onefold.app.evaluation.backfill import Filling
from onefold.app.folding.rebuild import LeftOut, rebuild_with
from onefold.app.folding.refold import FIELDS, event_pages
from onefold.app.in_force import load_definitions
from onefold.app.job_kinds import UNDO
from onefold.app.lake.compaction import EVENTS_ORDER, ROWS_A_GROUP
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.lake.writer import drain
from onefold.app.locks import hold
from onefold.app.long_work import Work, ask, begin, end, patiently
from onefold.app.workspace import (
    id_maker,
    node_key,
    now_us,
    open_lake,
    open_log,
    open_store,
    spill_path,
    unfolded,
)
from onefold.config import Settings
from onefold.engine import DuckEngine, files_sql
from onefold.lake import parse_file_name
from onefold.lake.delta import DeltaLake
from onefold.lake.names import MIXED
from onefold.model.errors import Conflict, Damaged
from onefold.model.loads import Load
from onefold.model.profile import NodeId
from onefold.model.sql import literal_sql
from onefold.pipeline import Pipeline, identifiers_of
from onefold.resolve import node_id
from onefold.standardize import Writing, seen_key
from onefold.store import SQLiteStore

_KEYS_AT_ONCE = 10_000


class Undone(msgspec.Struct, frozen=True):
    """What was taken back of a load: its events, its rejects, and profiles of nothing else."""

    load: int
    source: str
    events: int
    rejects: int
    profiles: int


def undo_load(settings: Settings, load: int, *, actor: str = "cli") -> Undone:
    """Take back exactly what a load brought; `Conflict` while it runs, or waits to be folded.

    A running worker does it between two batches; else it is done here.
    """
    with hold(settings.data / "worker.lock") as held, open_store(settings) as store:
        found = store.loads.get(load)
        if found.state == "running":
            raise Conflict(f"load {load} is running; `onefold load cancel {load}` stops it")
        _refuse_behind(settings, store)
        argument = {"load": load, "actor": actor}
        if not held:
            return msgspec.convert(ask(store, UNDO, argument, actor), Undone)
        engine = DuckEngine()
        work = begin(store, UNDO, f"load {load}", actor)
        try:
            lake = open_lake(settings)
            pipeline = Pipeline(
                store, engine, node_key(store), id_maker(store.newest_id()), settings.timezone
            )
            pipeline.use(*load_definitions(store))
            filling = Filling(settings, store, lake)
            pipeline.rely_on(filling.use(pipeline.metrics))
            undone = _Undoing(settings, store, lake, found, actor).run(pipeline, filling, work)
            end(store, work, undone)
            return undone
        finally:
            engine.close()


def undo_with(
    settings: Settings,
    store: SQLiteStore,
    pipeline: Pipeline,
    filling: Filling,
    work: Work,
) -> Undone:
    """Take back the load that a job names, on the pipeline that owns the store."""
    argument = work.job.argument
    found = store.loads.get(argument["load"])
    undoing = _Undoing(settings, store, open_lake(settings), found, argument["actor"])
    return undoing.run(pipeline, filling, work)


def _refuse_behind(settings: Settings, store: SQLiteStore) -> None:
    """What waits in the log would come back after it was taken back."""
    log = open_log(settings, store, None)
    try:
        behind = sum(unfolded(store, log).values())
    finally:
        log.close()
    if behind:
        raise Conflict(f"{behind:,} bytes of the log wait to be folded; try again when they are")


class _Undoing:
    """One load that is taken back."""

    def __init__(
        self, settings: Settings, store: SQLiteStore, lake: DeltaLake, load: Load, actor: str
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._load = load
        self._actor = actor
        self._condition = (
            f'source = {literal_sql(load.source)} and contains(context, \'"load":"{load.id}"\')'
            f" and json_extract_string(context, '$.load') = '{load.id}'"
        )
        self._nodes: set[NodeId] = set()
        self._keys: list[tuple[int, int]] = []
        self._events = 0

    def run(self, pipeline: Pipeline, filling: Filling, work: Work) -> Undone:
        """All of it; half of it is no state to stay in, so who cancels it is not heard."""
        drain(self._store, self._lake)
        profiles = self._store.counters().get("profiles", 0)
        self._look()
        self._store.undo_load(self._load.id, now_us(), self._actor)
        left_out = LeftOut(self._condition, self._nodes)
        rebuild_with(
            self._settings, self._store, pipeline, filling, patiently(work), left_out=left_out
        )
        rejects = self._forget()
        drain(self._store, self._lake)
        self._clear_lake()
        gone = profiles - self._store.counters().get("profiles", 0)
        return Undone(self._load.id, self._load.source, self._events, rejects, gone)

    def _look(self) -> None:
        """Find what the load's events name."""
        definitions, _ = load_definitions(self._store)
        writing = Writing(definitions.identity)
        key = node_key(self._store)
        engine = self._engine()
        try:
            add_views(engine, tables_now(self._store, self._lake))
            query = f"select {FIELDS} from all_events where {self._condition}"  # noqa: S608 - names
            for events in event_pages(engine, query, []):
                self._events += len(events)
                self._keys += [
                    seen_key(one.source, one.message_id, one.client_minute) for one in events
                ]
                written = [writing.apply(one) for one in events]
                self._nodes.update(node_id(key, one) for one in identifiers_of(written))
        finally:
            engine.close()

    def _forget(self) -> int:
        """Its message ids may come again; its rejects are nobody's."""
        for start in range(0, len(self._keys), _KEYS_AT_ONCE):
            self._store.unsee(self._keys[start : start + _KEYS_AT_ONCE])
        return self._store.rejects.forget(self._load.id)

    def _clear_lake(self) -> None:
        """Write the files anew that hold events and links of the load."""
        engine = self._engine()
        try:
            with hold(self._settings.data / "compaction.lock", threading.Event()):
                add_views(engine, tables_now(self._store, self._lake))
                engine.keep(
                    "taken",
                    f"select source, message_id from all_events where {self._condition}",  # noqa: S608
                )
                for table in ("links", "events"):
                    for file in self._lake.snapshot(table)[1]:
                        self._clear(engine, table, file)
        finally:
            engine.close()

    def _clear(self, engine: DuckEngine, table: str, file: str) -> None:
        rows = files_sql(table, [file])
        is_taken = "(source, message_id) in (select (source, message_id) from taken)"
        [(count,)] = engine.rows("held", f"select count(*) from {rows} where {is_taken}", {})  # noqa: S608
        if not count:
            return
        total = pq.read_metadata(file).num_rows - count
        name, schema = parse_file_name(file), pq.read_schema(file).names
        new: list[str] = []
        if total:
            columns = () if name.layout == MIXED else schema
            path = self._lake.new_path(table, name.part, columns, total, name.batch)
            listed = ", ".join(f'"{one}"' for one in schema)
            order = EVENTS_ORDER if "profile_id" in schema else '"time"'
            query = f"select {listed} from {rows} where not {is_taken} order by {order}"  # noqa: S608
            if engine.write(query, path, ROWS_A_GROUP) != total:
                path.unlink()
                raise Damaged(f"{Path(file).name} would not hold the others: left as it was")
            new.append(str(path))
        self._lake.replace(table, [file], new)

    def _engine(self) -> DuckEngine:
        return DuckEngine(threads=2, memory_mb=1024, spill=spill_path(self._settings))
