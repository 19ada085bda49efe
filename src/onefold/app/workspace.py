"""The workspace in the data directory: where things lie, and how they are opened."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.config import Settings
from onefold.eventlog import EventLog
from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.model.errors import Busy, Damaged, NotFound
from onefold.model.profile import ProfileId
from onefold.store import SQLiteStore

if TYPE_CHECKING:
    from onefold.engine import Engine
    from onefold.lake.delta import DeltaLake

_MIB = 1024 * 1024
_EPOCH_MS = 1_577_836_800_000


def now_us() -> int:
    """The wall clock, in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def store_path(settings: Settings) -> Path:
    """The store's file."""
    return settings.data / "store.db"


def log_path(settings: Settings) -> Path:
    """The event log's directory."""
    return settings.data / "log"


def lake_path(settings: Settings) -> Path:
    """The lake's directory."""
    return settings.data / "lake"


def spill_path(settings: Settings) -> Path:
    """Where large queries put what does not fit into memory, while they run."""
    return settings.data / "tmp"


@contextmanager
def open_store(settings: Settings, *, cache_mb: int | None = None) -> Iterator[SQLiteStore]:
    """The store of an existing workspace, closed again afterwards."""
    if not store_path(settings).exists():
        raise NotFound(
            f"there is no Onefold workspace in {settings.data}; `onefold up` makes one, or name"
            " another with --data DIR"
        )
    size = settings.store_cache // _MIB if cache_mb is None else cache_mb
    store = SQLiteStore(store_path(settings), cache_mb=size, wait_seconds=settings.store_wait)
    try:
        yield store
    except sqlite3.OperationalError as error:
        raise Busy(f"the store cannot be used: {error}; `onefold doctor` looks why") from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise  # such as a wrong value: a fault of ours, not of the file
        raise Damaged(f"the store cannot be read: {error}; see `onefold doctor`") from error
    finally:
        store.close()


def open_lake(settings: Settings) -> DeltaLake:
    """The lake of the workspace."""
    # Its drivers take 40 MB, and not every process that opens the store opens the lake.
    from onefold.lake.delta import DeltaLake  # noqa: PLC0415

    return DeltaLake(lake_path(settings))


def open_engine(settings: Settings, least_mb: int = 64) -> Engine:
    """The engine that asks everybody, as the settings name it; with at least so much memory."""
    from onefold.engine import DuckEngine, SparkEngine  # noqa: PLC0415 - not every process asks

    memory_mb = max(least_mb, settings.sql_memory // _MIB)
    spill = spill_path(settings)
    if settings.engine == "duckdb":
        return DuckEngine(threads=settings.sql_threads, memory_mb=memory_mb, spill=spill)
    return SparkEngine(settings.engine, memory_mb=memory_mb, spill=spill)


def log_settings(settings: Settings) -> FileLogSettings:
    """How the event log is kept."""
    return FileLogSettings(
        segment_bytes=settings.eventlog_segment_size,
        min_free_bytes=settings.min_free_disk,
        retain_seconds=int(settings.eventlog_retention),
        retain_bytes=settings.eventlog_retention_size,
    )


def open_log(settings: Settings, store: SQLiteStore, prefix: str | None) -> FileEventLog:
    """The event log: for appending to the first free partition `prefix-N`, or only for reading."""
    path, keep = log_path(settings), log_settings(settings)
    if prefix is None:
        return FileEventLog(path, None, now_us, keep)
    return FileEventLog.claim(path, prefix, now_us, keep, store.positions())


def unfolded(store: SQLiteStore, log: EventLog) -> dict[str, int]:
    """How many bytes of each partition of the log are not folded yet."""
    done = store.positions()
    return {name: max(0, end - done.get(name, 0)) for name, end in log.ends().items()}


def node_key(store: SQLiteStore) -> bytes:
    """The workspace's secret key of node ids."""
    return bytes(store.setting("node_key") or b"")


def create_files(settings: Settings) -> bool:
    """Make data directory, store and lake where they are missing; say whether they were."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = not store_path(settings).exists()
    store = SQLiteStore(store_path(settings), cache_mb=8)
    try:
        os.chmod(store_path(settings), 0o600)
        if store.setting("node_key") is None:
            store.set_setting("node_key", secrets.token_bytes(32))
        log_path(settings).mkdir(mode=0o700, exist_ok=True)
        open_lake(settings).create()
    finally:
        store.close()
    return fresh


def id_maker(newest: ProfileId = 0) -> Callable[[], ProfileId]:
    """Make profile ids: 63 bits that grow with time and cannot be guessed one from another.

    All are greater than `newest`, also if the clock has gone back since that one was made.
    """
    last = newest
    lock = threading.Lock()
    drawn = _drawn()

    def new_id() -> ProfileId:
        nonlocal last
        with lock:
            moment = time.time_ns() // 1_000_000 - _EPOCH_MS
            bits = next(drawn)
            candidate = moment << 22 | bits
            # Within one millisecond, and after the clock went back, go on from the last id.
            last = candidate if candidate > last else last + 1 + (bits & 255)
            return last

    return new_id


def _drawn() -> Iterator[int]:
    """22 bits that nobody can guess, again and again; the system is asked for many at once."""
    while True:
        block = secrets.token_bytes(4_096)
        for place in range(0, len(block), 4):
            yield int.from_bytes(block[place : place + 4], "big") >> 10
