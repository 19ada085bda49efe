"""The lake's tables as of now: their files, and the rows that still wait in the store's queue."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from onefold.engine import DuckEngine
from onefold.lake import DeltaLake, arrow_schema, by_layout, from_ipc
from onefold.model.catalogue import TABLES
from onefold.store import QueuedRows, SQLiteStore

_ALL = 1 << 62


class TableNow(NamedTuple):
    """One table: the files of its current version, and rows newer than those."""

    name: str
    files: list[str]
    newer: pa.Table


def tables_now(store: SQLiteStore, lake: DeltaLake) -> dict[str, TableNow]:
    """Every table, complete up to the last batch, each row once.

    The queue is read before the lake: what is carried over meanwhile is then seen twice and known
    by its batch, rather than missed.
    """
    return tables_with(store.queued(_ALL), lake)


def tables_with(queued: list[QueuedRows], lake: DeltaLake) -> dict[str, TableNow]:
    """Every table of the lake together with rows that were queued a moment ago."""
    return {name: _table(name, queued, lake) for name in TABLES}


def table_now(store: SQLiteStore, lake: DeltaLake, name: str) -> TableNow:
    """One table, complete up to the last batch, each row once."""
    return _table(name, store.queued_for(name), lake)


def _table(name: str, queued: list[QueuedRows], lake: DeltaLake) -> TableNow:
    held, files = lake.snapshot(name)
    newer = [part.data for part in queued if part.table == name and part.batch > held]
    return TableNow(
        name, files, from_ipc(name, newer) if newer else arrow_schema(name).empty_table()
    )


def add_views(engine: DuckEngine, tables: dict[str, TableNow], prefix: str = "all_") -> None:
    """Make one view per table, named with a prefix, over its files and its newer rows."""
    for table in tables.values():
        engine.add_view(f"{prefix}{table.name}", by_layout(table.files), table.newer)
