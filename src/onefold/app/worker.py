"""The worker: reads the log, runs the pipeline, and keeps time windows true."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence

import msgspec
import structlog

from onefold.app.backfill import Population, backfill
from onefold.app.definitions import load_definitions
from onefold.app.heartbeat import Heartbeat
from onefold.app.lake_writer import LakeWriter
from onefold.app.locks import hold
from onefold.app.rebuild import rebuild_with
from onefold.app.workspace import (
    id_maker,
    node_key,
    now_us,
    open_lake,
    open_log,
    open_store,
)
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.eventlog import EventLog, LogRecord
from onefold.lake import DeltaLake
from onefold.model.errors import Busy, Damaged
from onefold.model.records import Reject, decode_accepted
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore

_IDLE_SECONDS = 0.005
_SWEEP_SECONDS = 0.25
_SWEEP_PROFILES = 5_000
log = structlog.get_logger(__name__)

# What data that nobody foresaw can raise inside a stage. One record must not stop all others.
_DATA_FAULTS = (Damaged, ArithmeticError, LookupError, TypeError, ValueError)


class Worker:
    """One pipeline on one store, driven by the log."""

    def __init__(
        self, settings: Settings, store: SQLiteStore, lake: DeltaLake, events: EventLog
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._log = events
        self._engine = DuckEngine(threads=1, memory_mb=512)
        self._pipeline = Pipeline(
            store, self._engine, node_key(store), id_maker(), settings.timezone
        )
        self._population = Population(store, self._pipeline, settings.timezone)
        self._positions = store.positions()
        self._version = -1
        self._next_sweep = 0
        self.beat = Heartbeat("worker")

    def step(self) -> bool:
        """One batch, or the time windows that are due; say whether there was anything to do."""
        now = now_us()
        self._refresh()
        records = self._log.read(
            self._positions, self._settings.batch_records, self._settings.batch_size
        )
        if records:
            self._process(records, now)
        evaluated = self._population.step(now)
        swept = 0
        if now >= self._next_sweep:
            swept = self._pipeline.sweep(now, _SWEEP_PROFILES)
            # Many at once, as at midnight: come back at once, but let events pass between.
            pause = 0 if swept == _SWEEP_PROFILES else _SWEEP_SECONDS
            self._next_sweep = now + int(pause * 1e6)
        return bool(records) or evaluated or swept == _SWEEP_PROFILES

    def answer(self) -> None:
        """Do what other processes asked of the owner of the store."""
        for request in self._store.requests.waiting():
            if request.action == "rebuild":
                self._store.requests.start(request.id)
                self._refresh()
                report = rebuild_with(self._settings, self._store, self._pipeline)
                self._store.requests.finish(request.id, msgspec.json.encode(report).decode())

    def commit(self) -> None:
        """Tell the log how far its records are processed."""
        self._log.commit(self._positions)

    def _refresh(self) -> None:
        version = self._store.registry.version()
        if version != self._version:
            definitions, sources = load_definitions(self._store)
            self._pipeline.use(definitions, sources)
            backfill(self._settings, self._store, self._lake, self._pipeline)
            self._population.use(definitions)
            self._version = version

    def _process(self, records: Sequence[LogRecord], now: int) -> None:
        try:
            report = self._pipeline.process(records, now)
        except _DATA_FAULTS as error:
            self._isolate(records, now, error)
            return
        self._advance(records)
        self.beat.batch(report, now_us())

    def _isolate(self, records: Sequence[LogRecord], now: int, error: Exception) -> None:
        """Find the record that the pipeline cannot digest, by halves, and keep it as a reject."""
        if len(records) > 1:
            middle = len(records) // 2
            for half in (records[:middle], records[middle:]):
                self._process(half, now)
            return
        # Where, not what: the message of such an error may hold somebody's data.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "record_rejected",
            offset=records[0].offset,
            error=type(error).__name__,
            place=f"{place.filename}:{place.lineno}",
        )
        accepted = decode_accepted(records[0].payload)
        reason = f"the pipeline could not process it: {type(error).__name__}"
        reject = Reject(
            accepted.source, accepted.received_at, accepted.kind, accepted.body, (reason,)
        )
        positions = {records[0].partition: records[0].next_offset}
        self._pipeline.fold([], [reject], positions, now)
        self._advance(records)

    def _advance(self, records: Sequence[LogRecord]) -> None:
        for record in records:
            self._positions[record.partition] = record.next_offset


def run_worker(settings: Settings, ready: Callable[[], None], stop: threading.Event) -> None:
    """Run the pipeline until `stop` is set. A second worker on the same data waits its turn."""
    with hold(settings.data / "worker.lock", stop) as held:
        if not held:
            return
        with open_store(settings) as store:
            events = open_log(settings, store, None)
            worker = Worker(settings, store, open_lake(settings), events)
            lake_store = SQLiteStore(store.path, cache_mb=2)
            lake = LakeWriter(lake_store, open_lake(settings), settings.lake_seconds)
            lake.start()
            checkpoints = Checkpoints(store)
            checkpoints.start()
            ready()
            try:
                _drive(worker, store, lake, stop)
            finally:
                checkpoints.stop()
                lake.stop()
                worker.commit()
                events.close()


def _drive(worker: Worker, store: SQLiteStore, lake: LakeWriter, stop: threading.Event) -> None:
    while not stop.is_set():
        fault = ""
        try:
            if not worker.step():
                stop.wait(_IDLE_SECONDS)
        except Busy as error:
            fault = str(error)
            log.warning("batch_postponed", error=fault, seconds=error.retry_after)
            stop.wait(error.retry_after)
        if worker.beat.due(now_us()):
            worker.commit()
            worker.answer()
            worker.beat.write(store, now_us(), {"store_fault": fault, "lake_fault": lake.fault})


class Checkpoints:
    """Moves the store's write-ahead log into its file, beside the worker."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = SQLiteStore(store.path, cache_mb=2)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after one more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            self._store.db.checkpoint()
        self._store.db.checkpoint()
        self._store.close()
