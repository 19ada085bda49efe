"""The lake's tables as of now: their files, and the rows that still wait in the store's queue."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa

from onefold.engine import Engine
from onefold.lake import arrow_schema, by_layout, from_ipc
from onefold.lake.delta import DeltaLake
from onefold.model.catalogue import TABLES
from onefold.model.errors import Busy
from onefold.store import QueuedRows, SQLiteStore

_ALL = 1 << 62
_LOOKS = 50


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


@contextmanager
def tables_at_once(
    store: SQLiteStore, lake: DeltaLake, names: Collection[str]
) -> Iterator[dict[str, TableNow]]:
    """Some tables, all complete up to the same batch: the last one of the store as it is seen inside.

    Each table of the lake has versions of its own. They belong together if none holds a batch that
    this moment of the store does not know; what they lack of it waits in its queue. Now and
    then something is carried over between two looks: then it is looked again. Tables are
    looked at in the order of their names as given.
    """
    for _ in range(_LOOKS):
        with store.db.snapshot():
            batch = store.batch()
            tables = {}
            for name in names:
                held, _files = seen = lake.snapshot(name)
                if held > batch:
                    break
                tables[name] = _with_newer(name, store.queued_for(name), *seen)
            else:
                yield tables
                return
    raise Busy("the lake is written to faster than it can be looked at")


def _table(name: str, queued: list[QueuedRows], lake: DeltaLake) -> TableNow:
    return _with_newer(name, queued, *lake.snapshot(name))


def _with_newer(name: str, queued: list[QueuedRows], held: int, files: list[str]) -> TableNow:
    newer = [part.data for part in queued if part.table == name and part.batch > held]
    return TableNow(
        name, files, from_ipc(name, newer) if newer else arrow_schema(name).empty_table()
    )


def add_views(engine: Engine, tables: dict[str, TableNow], prefix: str = "all_") -> None:
    """Make one view per table, named with a prefix, over its files and its newer rows."""
    for table in tables.values():
        engine.add_view(f"{prefix}{table.name}", by_layout(table.files), table.newer)
