"""Carries what batches left in the store's queue into the lake."""

from __future__ import annotations

import threading

import structlog

from onefold.app.memory import give_back
from onefold.lake import from_ipc
from onefold.lake.delta import DeltaLake
from onefold.model.catalogue import TABLES
from onefold.model.errors import Busy, Conflict, Fault, OnefoldError
from onefold.store import QueuedRows, SQLiteStore

_BYTES_A_COMMIT = 16 << 20
_MUCH_BYTES = 1 << 20
_draining = threading.Lock()
log = structlog.get_logger(__name__)


def drain(store: SQLiteStore, lake: DeltaLake) -> int:
    """Append everything queued by now to the lake, then drop it from the queue; give the rows.

    Each table remembers the last batch it holds, in the same commit as the rows, so a crash
    at any point between loses nothing and doubles nothing. One thread at a time does it.
    """
    with _draining:
        return _drain(store, lake)


def _drain(store: SQLiteStore, lake: DeltaLake) -> int:
    total = 0
    agreed = False
    # What comes in meanwhile is for the next time, or else it would be many small commits.
    last = store.batch()
    while queued := store.queued(_BYTES_A_COMMIT):
        if not agreed:
            agree(store, lake)
            agreed = True
        tables: dict[str, list[QueuedRows]] = {}
        for rows in queued:
            tables.setdefault(rows.table, []).append(rows)
        end, much = queued[-1].batch, sum(len(rows.data) for rows in queued) > _MUCH_BYTES
        queued.clear()
        written = {}
        for name in list(tables):
            parts = tables.pop(name)  # a table that is written is no longer held
            held = lake.last_batch(name)
            new = [part for part in parts if part.batch > held]
            if new:
                lake.append(name, from_ipc(name, (part.data for part in new)), new[-1].batch)
                total += sum(part.rows for part in new)
            written[name] = max(held, parts[-1].batch)
            if much:
                give_back()
        store.unqueue(end, written)
        if end >= last:
            break
    return total


def agree(store: SQLiteStore, lake: DeltaLake) -> None:
    """`Conflict` where store and lake are not of the same moment, as after one was restored.

    To go on would drop batches that the lake seems to hold, or leave a hole in its history.
    """
    batch, written = store.batch(), store.lake_batches()
    faults = []
    for name in TABLES:
        held = lake.last_batch(name)
        if held > batch:
            faults.append(
                Fault(
                    f"holds batch {held}, but the store is of batch {batch}",
                    f"lake table {name}",
                    "the store is an older copy: put the newer one back, or the lake of its time",
                )
            )
        if held < written.get(name, 0):
            faults.append(
                Fault(
                    f"ends with batch {held}, though batch {written[name]} was written to it",
                    f"lake table {name}",
                    "the lake is an older copy: put the newer one back, or the store of its time",
                )
            )
    if faults:
        raise Conflict("the store and the lake are not of the same moment", faults)


def refuse_disagreement(store: SQLiteStore, lake: DeltaLake) -> None:
    """`Conflict` as from `agree`; a lake that cannot be read now is looked at when it can be."""
    try:
        agree(store, lake)
    except Busy as error:
        log.warning("lake_not_looked_at", error=str(error))


class LakeWriter:
    """Drains the queue beside the worker, every `seconds`; keeps trying while the lake fails.

    A commit costs the more, the more files a table has, and next to nothing for each row. So while much
    comes in, more is waited for: what waits is read with the lake, and never gets long.
    """

    def __init__(self, store: SQLiteStore, lake: DeltaLake, seconds: float) -> None:
        self._store = store
        self._lake = lake
        self._seconds = seconds
        self._waiting = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)
        self.fault = ""

    @property
    def alive(self) -> bool:
        """Whether it still drains; not after a fault that nobody foresaw."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Drain once more and end."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Drain, unless so much came in since the last look that it is worth to wait for more."""
        before, self._waiting = self._waiting, self._store.queued_bytes()
        if not _MUCH_BYTES <= self._waiting - before <= self._waiting < _BYTES_A_COMMIT:
            self._try()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.look()
        self._try()
        self._store.close()

    def _try(self) -> None:
        try:
            drain(self._store, self._lake)
        except OnefoldError as error:
            if not self.fault:
                log.warning("lake_write_failed", error=str(error))
            self.fault = str(error)
            self._stop.wait(min(error.retry_after, 5.0) if isinstance(error, Busy) else 5.0)
        else:
            if self.fault:
                log.info("lake_write_recovered")
            self.fault = ""
            self._waiting = 0
