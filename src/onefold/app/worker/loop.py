"""The worker: reads the log, runs the pipeline, and keeps time windows true."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from collections.abc import Callable, Sequence

import msgspec
import structlog

from onefold.app.evaluation.backfill import AT_ONCE_EVENTS, Filling
from onefold.app.evaluation.evaluating import AT_ONCE_PROFILES, Population
from onefold.app.evaluation.refreshed import Refreshed, ask_for_due, hold_lists
from onefold.app.folding.accounts import AccountsKept
from onefold.app.folding.claims_kept import ClaimsKept
from onefold.app.folding.matches import MatchFilling
from onefold.app.folding.rebuild import RebuildReport, rebuild_with
from onefold.app.folding.redeciding import Redeciding
from onefold.app.folding.regrouping import Regrouping
from onefold.app.folding.rewriting import Rewriting
from onefold.app.heartbeat import Heartbeat, clock_fell_back
from onefold.app.imports.undoing import Undone, undo_with
from onefold.app.in_force import load_definitions
from onefold.app.job_kinds import UNDO, WORKER
from onefold.app.lake.writer import LakeWriter, refuse_disagreement
from onefold.app.locks import hold
from onefold.app.long_work import Work, do
from onefold.app.worker.apart import apart
from onefold.app.worker.checkpoints import Checkpoints
from onefold.app.worker.read_ahead import ReadAhead, take
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.eventlog import EventLog, LogRecord
from onefold.lake.delta import DeltaLake
from onefold.model.definitions import Definitions
from onefold.model.errors import Busy, Damaged, OnefoldError
from onefold.model.profile import ProfileId, profile_name
from onefold.model.records import Accepted, Reject, decode_accepted
from onefold.pipeline import Counted, Pipeline, Prepared, account_inputs, golden_inputs
from onefold.segment.plan import Key
from onefold.store import SQLiteStore

_IDLE_SECONDS, _SWEEP_SECONDS = 0.005, 0.25
_SWEEP_PROFILES, _SWEEP_IN_PEACE = 1_000, 4_000
_SMALL_BATCH = 1 << 20
_PUT_OFF_US, _DAY_US = 3_600_000_000, 86_400_000_000
_AGAIN_SECONDS = 1.0
log = structlog.get_logger(__name__)

# What data that nobody foresaw can raise inside a stage. One record must not stop all others.
_DATA_FAULTS = (Damaged, ArithmeticError, LookupError, TypeError, ValueError)


class Worker:
    """One pipeline on one store, driven by the log."""

    def __init__(
        self,
        settings: Settings,
        store: SQLiteStore,
        lake: DeltaLake,
        events: EventLog,
        clock: Callable[[], int] = now_us,
        at_once_events: int = AT_ONCE_EVENTS,
        at_once_profiles: int = AT_ONCE_PROFILES,
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._log = events
        self._clock = clock
        # Over a batch, planning the two queries takes longer than running them, even of 10,000
        # events; the optimizer is half of that and gains nothing.
        self._engine = DuckEngine(threads=1, memory_mb=512, optimizer=False)
        self._pipeline = Pipeline(
            store, self._engine, node_key(store), id_maker(store.newest_id()), settings.timezone
        )
        self._filling = Filling(settings, store, lake, at_once_events)
        self._population = Population(
            store, settings.data, self._evaluate, settings.timezone, at_once_profiles
        )
        self._plan = self._pipeline.evaluated
        self._claims = ClaimsKept(settings, store, lake, at_once_events)
        self._redeciding = Redeciding(store, self._decide, _DATA_FAULTS)
        self._refreshed = Refreshed(store, self._pipeline.refresh)
        self._regrouping = Regrouping(store, self._pipeline.regroup)
        self._matching = MatchFilling(store, self._pipeline)
        self._rewriting = Rewriting(settings, store, lake)
        self._accounts = AccountsKept(settings, store, lake, self._pipeline)
        self._definitions, self._day = Definitions(), 0
        self._ahead = ReadAhead(settings)
        self._positions, self._version = store.positions(), -1
        self._clock_stood, self._next_sweep = 0, 0.0
        self.beat = Heartbeat("worker")
        self.wrote_much = False

    def step(self) -> bool:
        """One batch, or the time windows that are due; say whether there was anything to do."""
        # What a batch makes is freed as it ends; to look for cycles meanwhile costs as much as
        # decoding.
        gc.disable()
        try:
            return self._step(self._clock())
        finally:
            gc.enable()

    def _step(self, now: int) -> bool:
        self._refresh()
        self._pipeline.settle(self._population.done)
        size = self._take(now)
        self.wrote_much = size >= _SMALL_BATCH
        hurry = 0 < size < _SMALL_BATCH
        evaluated = self._regrouping.step(now, hurry=hurry)
        evaluated |= self._matching.step(now, hurry=hurry)
        evaluated |= self._population.step(now, hurry=hurry)
        evaluated |= self._refreshed.step(now, hurry=hurry)
        evaluated |= self._redeciding.step(now, hurry=hurry)
        swept = 0
        if time.monotonic() >= self._next_sweep:
            most = _SWEEP_PROFILES if size else _SWEEP_IN_PEACE
            swept = self._sweep(now, most)
            # Many at once, as at midnight: come back at once, but let events pass between.
            pause = 0 if swept == most else _SWEEP_SECONDS
            self._next_sweep = time.monotonic() + pause
        carried = self._carry(now, idle=not (size or evaluated or swept))
        return size > 0 or evaluated or carried or swept >= _SWEEP_PROFILES

    def _sweep(self, now: int, most: int) -> int:
        """Evaluate profiles that time alone changes something of; say how many."""
        due = self._store.due(now, most)
        more = self._population.due(now, most - len(due))
        self._evaluate(list(dict.fromkeys([*due, *more])), now)
        self._population.looked_at(len(more))
        return len(due) + len(more)

    def _carry(self, now: int, *, idle: bool) -> bool:
        """Carry what was counted of the past to some identifiers; say whether there were any."""
        waiting = self._filling.waiting(idle=idle)
        if waiting is None:
            return False
        nodes, ready_at = waiting
        profiles = sorted(set(self._store.profiles_of(nodes).values()))
        try:
            self._pipeline.reevaluate(profiles, now, behind=ready_at)
        except _DATA_FAULTS:
            for one in profiles:
                self._evaluate([one], now)
        if counted := self._filling.carried(nodes):
            self._count(counted)
        return True

    def _take(self, now: int) -> int:
        """Fold the next batch; its size in bytes, 0 if there is none.

        While the log holds more than one batch, the next one is prepared meanwhile.
        """
        with self.beat.watch("wait ahead"):
            ahead = self._ahead.take(self._positions, self._version)
        new = self._pipeline.mostly_new
        # Nothing may have come in behind the last large batch: then there is nothing to write.
        if ahead is not None and ahead.prepared.positions:
            if ahead.large:
                self._ahead.ask({**self._positions, **ahead.prepared.positions}, newcomers=new)
            if self._fold(ahead.prepared, now):
                return _SMALL_BATCH
        records, large = taken = take(self._log, self._positions, self._settings)
        if large:
            after = {record.partition: record.next_offset for record in records}
            self._ahead.ask({**self._positions, **after}, newcomers=new)
        if records:
            self._process(records, now)
        return taken.size

    def _fold(self, given: Prepared, now: int) -> bool:
        """Fold a batch that was prepared ahead; False if it must be taken apart."""
        try:
            report = self._pipeline.fold_prepared(given, now)
        except _DATA_FAULTS:
            return False
        self._positions.update(given.positions)
        self.beat.batch(report, self._clock())
        return True

    def answer(self) -> None:
        """Do what other processes asked of the owner of the store; ask for what is due."""
        hold_lists(self._store, self._positions, self._clock())
        if self._day != (day := self._clock() // _DAY_US):
            self._store.given.note_day(day, self._store.counters().get("profiles", 0))
            self._day = day
        self._accounts.end_corrections(self._clock())
        ask_for_due(self._settings, self._store, self._definitions, self._clock())
        for job in self._store.jobs.open(WORKER):
            do(self._store, job, self._undo if job.kind == UNDO else self._rebuild)

    def _rebuild(self, work: Work) -> RebuildReport:
        self._refresh()
        self._version = -1  # what was being counted of the past is begun anew
        tell = work.progress
        return rebuild_with(self._settings, self._store, self._pipeline, self._filling, tell)

    def _undo(self, work: Work) -> Undone:
        self._refresh()
        self._version = -1  # what was being counted of the past is begun anew
        return undo_with(self._settings, self._store, self._pipeline, self._filling, work)

    def write_beat(self, faults: dict[str, str]) -> None:
        """Say how it goes: the figures, what is wrong, what the log lost."""
        now = self._clock()
        if back := clock_fell_back(self._store, "worker", now):
            self._clock_stood = now + back
            self._population.clock_fell(back)
        behind = max(0, self._clock_stood - now) // 1_000_000
        about = {
            "log_damaged": self._log.damaged() + self._ahead.damaged,
            "clock_behind": behind,
            "failing": {_named(key): reason for key, reason in self._pipeline.failing.items()},
            "filling": [_named(key) for key in self._pipeline.filling],
        }
        self.beat.write(self._store, now, {**faults, **about})

    def close(self) -> None:
        """End the process beside, and free the engine's memory."""
        self._ahead.close()
        self._filling.close()
        self._population.close()
        self._claims.close()
        self._engine.close()

    def commit(self) -> None:
        """Tell the log how far its records are processed."""
        self._log.commit(self._positions)

    def _refresh(self) -> None:
        version = self._store.registry.version()
        if version != self._version:
            definitions, sources = load_definitions(self._store)
            self._pipeline.use(definitions, sources)
            self._regrouping.use(definitions.identity)
            self._matching.use(definitions.matching)
            self._definitions = definitions
            self._claims.use(golden_inputs(definitions, sources))
            self._decide_by()
            self._accounts.use(account_inputs(definitions, sources))
            self._count(self._filling.use(self._pipeline.metrics))
            rewritten = self._rewriting.use(definitions.identity, self._pipeline, self._filling)
            self._version = -1 if rewritten else version
        elif self._claims.look():
            self._decide_by()
        elif counted := self._filling.look():
            self._count(counted)
        elif self._plan is not self._pipeline.evaluated:
            self._plan = self._pipeline.evaluated
            self._population.only(self._plan)
        if self._redeciding.done:
            self._claims.merged()

    def _decide_by(self) -> None:
        """Have golden records decided by the rules for which all that they need is there."""
        self._pipeline.decide_by(self._claims.decided, self._claims.wanted)
        self._redeciding.use(self._claims.decided.fingerprint)

    def _count(self, counted: Counted) -> None:
        self._pipeline.rely_on(counted)
        self._plan = self._pipeline.evaluated
        self._population.use(self._plan, self._pipeline.defined)

    def _process(self, records: Sequence[LogRecord], now: int) -> None:
        try:
            report = self._pipeline.process(records, now)
        except _DATA_FAULTS as error:
            self._isolate(records, now, error)
            return
        self._advance(records)
        self.beat.batch(report, self._clock())

    def _isolate(self, records: Sequence[LogRecord], now: int, error: Exception) -> None:
        """Find the event that the pipeline cannot digest, by halves, and keep it as a reject."""
        if len(records) == 1:
            records = apart(records[0])
        if len(records) > 1:
            middle = len(records) // 2
            for half in (records[:middle], records[middle:]):
                self._process(half, now)
            return
        log.error("record_rejected", offset=records[0].offset, **_where(error))
        try:
            accepted = decode_accepted(records[0].payload)
        except msgspec.DecodeError:
            accepted = Accepted("", now, "unreadable", records[0].payload)
        reason = f"the pipeline could not process it: {type(error).__name__}"
        reject = Reject(
            accepted.source, accepted.received_at, accepted.kind, accepted.body, (reason,)
        )
        self._pipeline.fold([], [reject], {records[0].partition: records[0].next_offset}, now)
        self._advance(records)

    def _evaluate(self, profiles: Sequence[ProfileId], now: int) -> None:
        """Evaluate segments without an event; a profile that cannot be is put off, alone."""
        if not profiles:
            return
        try:
            self._pipeline.reevaluate(profiles, now)
        except _DATA_FAULTS as error:
            if len(profiles) > 1:
                middle = len(profiles) // 2
                self._evaluate(profiles[:middle], now)
                self._evaluate(profiles[middle:], now)
                return
            log.error("profile_put_off", profile=profile_name(profiles[0]), **_where(error))
            self._store.put_off(profiles[0], now, now + _PUT_OFF_US)

    def _decide(self, profiles: Sequence[ProfileId], now: int) -> None:
        self._pipeline.redecide(profiles, now, self._claims.past)

    def _advance(self, records: Sequence[LogRecord]) -> None:
        for record in records:
            self._positions[record.partition] = record.next_offset


def _named(key: Key) -> str:
    """A definition as people are told of it."""
    return f"segment {key[1]}" if key[0] == "segment" else key[1]


def _where(error: Exception) -> dict[str, str]:
    """Where it was raised, not what it says: that may hold somebody's data."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return {"error": type(error).__name__, "place": f"{place.filename}:{place.lineno}"}


def run_worker(settings: Settings, ready: Callable[[], None], stop: threading.Event) -> None:
    """Run the pipeline until `stop` is set. A second worker on the same data waits its turn."""
    with hold(settings.data / "worker.lock", stop) as held:
        if not held:
            return
        with open_store(settings) as store:
            refuse_disagreement(store, open_lake(settings))
            store.jobs.recover(WORKER, now_us())
            events = open_log(settings, store, None)
            worker = Worker(settings, store, open_lake(settings), events)
            lake_store = SQLiteStore(store.path, cache_mb=2, wait_seconds=settings.store_wait)
            lake = LakeWriter(lake_store, open_lake(settings), settings.lake_seconds)
            checkpoints = Checkpoints(store)
            lake.start()
            checkpoints.start()
            # What is there now stays: no collection of garbage need look at it again.
            gc.collect()
            gc.freeze()
            ready()
            try:
                _drive(worker, store, lake, checkpoints, stop)
            finally:
                checkpoints.stop()
                lake.stop()
                worker.commit()
                worker.close()
                events.close()
                gc.unfreeze()


def _drive(
    worker: Worker,
    store: SQLiteStore,
    lake: LakeWriter,
    checkpoints: Checkpoints,
    stop: threading.Event,
) -> None:
    while not stop.is_set():
        fault = ""
        try:
            if not worker.step():
                stop.wait(_IDLE_SECONDS)
            elif worker.wrote_much:
                checkpoints.begin()
            checkpoints.make_room(store)
        except OnefoldError as error:
            # Whatever it is, what was accepted waits in the log, and the same is tried again.
            fault = str(error)
            pause = error.retry_after if isinstance(error, Busy) else _AGAIN_SECONDS
            log.warning("batch_postponed", error=fault, seconds=pause)
            stop.wait(pause)
        if worker.beat.due():
            worker.commit()
            _tell(worker, {"store_fault": fault or checkpoints.fault, "lake_fault": lake.fault})
        if not (lake.alive and checkpoints.alive):
            raise OnefoldError("a thread of the worker has ended; its fault is in the log")


def _tell(worker: Worker, faults: dict[str, str]) -> None:
    """Answer what was asked, and write the heartbeat; where the store takes none, say so."""
    try:
        worker.answer()
        worker.write_beat(faults)
    except OnefoldError as error:
        log.warning("heartbeat_failed", error=str(error))
