"""Carries what batches left in the store's queue into the lake."""

from __future__ import annotations

import threading

import structlog

from onefold.lake import DeltaLake, from_ipc
from onefold.model.errors import Busy
from onefold.store import QueuedRows, SQLiteStore

_ROWS_A_COMMIT = 200_000
log = structlog.get_logger(__name__)


def drain(store: SQLiteStore, lake: DeltaLake) -> int:
    """Append everything queued to the lake, then drop it from the queue; give the rows.

    Each table remembers the last batch it holds, in the same commit as the rows, so a crash
    at any point between loses nothing and doubles nothing.
    """
    total = 0
    while queued := store.queued(_ROWS_A_COMMIT):
        tables: dict[str, list[QueuedRows]] = {}
        for rows in queued:
            tables.setdefault(rows.table, []).append(rows)
        for name, parts in tables.items():
            held = lake.last_batch(name)
            new = [part for part in parts if part.batch > held]
            if new:
                lake.append(name, from_ipc(part.data for part in new), new[-1].batch)
                total += sum(part.rows for part in new)
        store.unqueue(queued[-1].batch)
    return total


class LakeWriter:
    """Drains the queue beside the worker, every `seconds`; keeps trying while the lake fails."""

    def __init__(self, store: SQLiteStore, lake: DeltaLake, seconds: float) -> None:
        self._store = store
        self._lake = lake
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)
        self.fault = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Drain once more and end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self._try()
        self._try()
        self._store.close()

    def _try(self) -> None:
        try:
            drain(self._store, self._lake)
        except Busy as error:
            if not self.fault:
                log.warning("lake_write_failed", error=str(error))
            self.fault = str(error)
            self._stop.wait(min(error.retry_after, 5.0))
        else:
            if self.fault:
                log.info("lake_write_recovered")
            self.fault = ""
