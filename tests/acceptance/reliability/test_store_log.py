"""The store's write-ahead log stays short however long batch follows batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.app.worker.checkpoints import Checkpoints
from onefold.store import SQLiteStore
from onefold.testing.patience import PATIENCE

MB = 1 << 20
LONGEST = 4 * MB


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db", cache_mb=8)
    store.db.connection.execute("pragma synchronous = off")
    yield store
    store.close()


def log_bytes(store: SQLiteStore) -> int:
    return Path(f"{store.path}-wal").stat().st_size


def write(store: SQLiteStore, checkpoints: Checkpoints) -> Iterator[int]:
    """Write without a pause, as a worker under full load; the log's size after each batch."""
    rows = [(number, 1, bytes(2000)) for number in range(100)]
    while True:
        with store.db.transaction() as connection:
            connection.executemany("insert or replace into profiles values (?,?,?)", rows)
        checkpoints.make_room(store)
        yield log_bytes(store)


def times_begun_anew(sizes: Iterator[int], most: int, seconds: float) -> int:
    """How often the log became shorter, up to `most` times, while so many seconds pass."""
    ends = time.monotonic() + seconds
    times, last = 0, 0
    while times < most and time.monotonic() < ends:
        size = next(sizes)
        times += size < last
        last = size
    return times


def test_it_is_begun_anew_between_two_batches(store: SQLiteStore) -> None:
    checkpoints = Checkpoints(store, LONGEST)
    checkpoints.start()
    try:
        assert times_begun_anew(write(store, checkpoints), most=2, seconds=PATIENCE) == 2
    finally:
        checkpoints.stop()


def test_a_reader_of_an_old_state_delays_it_and_stops_nothing(store: SQLiteStore) -> None:
    checkpoints = Checkpoints(store, LONGEST)
    checkpoints.start()
    reader = SQLiteStore(store.path, cache_mb=1)
    try:
        sizes = write(store, checkpoints)
        with reader.db.snapshot():
            assert reader.batch() == 0
            while next(sizes) < 2 * LONGEST:
                pass
            assert times_begun_anew(sizes, most=1, seconds=1.5) == 0
        assert times_begun_anew(sizes, most=1, seconds=PATIENCE) == 1
    finally:
        reader.close()
        checkpoints.stop()
