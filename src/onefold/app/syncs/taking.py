"""The loop of every load, pulled or imported: a batch into the log, then its account, and so on.

The log comes first, then count, report and position in one step: a crash between the two repeats a
batch, whose records are the same and count once. No position is kept before what lies in front of it is
durable, so nothing is left out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog

from onefold.app.syncs.alarms import warned
from onefold.app.syncs.appending import append_batch
from onefold.app.syncs.reporting import Reporter
from onefold.app.workspace import now_us, unfolded
from onefold.eventlog import EventLog
from onefold.model.errors import Busy
from onefold.model.loads import Load, LoadState
from onefold.model.pulled import Batch, Position, PulledSource
from onefold.store import SQLiteStore

_LOOK_SECONDS = 0.5
_AHEAD_BYTES, _LOOK_AHEAD_BYTES = 256 << 20, 16 << 20
_PATIENCE_SECONDS = 600.0
log = structlog.get_logger(__name__)

Tell = Callable[[Load], None]
"""Is told about once a second how far a load is."""


class Ended(Exception):
    """Somebody wants the load to end: how it ended."""

    def __init__(self, state: LoadState) -> None:
        super().__init__(state)
        self.state = state


class Stopping(Exception):
    """This process is to end; the load goes on with the next one."""


class OneFile(NamedTuple):
    """What is told with the import of a file, which has one time and keeps its own position."""

    about: Mapping[str, Any]
    mapping: str


class Steady(NamedTuple):
    """Who is told once a load has gone well for so long: a stream never ends to say so."""

    seconds: float
    tell: Callable[[], None]


class Taking:
    """Takes the batches of a load; waits while the disk is full or the worker is far behind.

    `steady` is told once it has gone well for a while.
    """

    def __init__(
        self,
        store: SQLiteStore,
        event_log: EventLog,
        load: Load,
        *,
        stop: threading.Event | None = None,
        tell: Tell | None = None,
        file: OneFile | None = None,
        steady: Steady | None = None,
    ) -> None:
        self._store = store
        self._log = event_log
        self._load = load
        self._stop = stop or threading.Event()
        self._tell = tell
        self._file = file
        self._steady = steady
        self._begun = time.monotonic()
        self._looked = 0.0
        self._appended = _LOOK_AHEAD_BYTES
        self._rows = load.rows
        self._warned = "" if file else store.source_states.get(load.source).warning
        before = [one for one in store.loads.page(load.id, 20, load.source) if one.state == "done"]
        self._reporter = Reporter(load.report, before[0].report if before else {})

    def read(self, source: PulledSource) -> None:
        """Take all that it gives, from where the last run ended; raises `Ended` and `Stopping`."""
        position = self._position()
        for batch in source.batches(position):
            if batch.records or batch.unreadable or batch.position != position:
                self._take(batch)
                source.stored(batch.position)
                position = batch.position
            self._heed(batch.warning)
            self._look()

    def wait(self, tell: Callable[[int], None] = lambda _left: None) -> None:
        """Until all that the log holds is folded; `Busy` where no worker goes on."""
        behind = Behind(self._store, self._log, silent_seconds=Behind.SILENT)
        while left := behind.bytes():
            tell(left)
            behind.pause()

    def _position(self) -> Position | None:
        if self._file is not None:
            return self._load.report.get("position")
        return self._store.source_states.get(self._load.source).position

    def _take(self, batch: Batch) -> None:
        self._wait_for_pipeline()
        batch = msgspec.structs.replace(batch, records=list(batch.records))
        size = self._append(batch)
        self._appended += size
        self._rows += len(batch.records)
        self._reporter.add(batch)
        report = self._reporter.told()
        if self._file is not None:
            report = {**report, **self._file.about, "position": batch.position}
        self._store.loads.advance(
            self._load.id,
            now_us(),
            rows=len(batch.records),
            unreadable=len(batch.unreadable),
            size=size,
            total=batch.total,
            position=None if self._file else batch.position,
            report=report,
        )

    def _heed(self, warning: str) -> None:
        """Keep what a source says though it works: `onefold status` and `/health` tell it."""
        if warning != self._warned:
            self._warned = warning
            warned(self._store, self._load.source, warning)

    def _append(self, batch: Batch) -> int:
        """Into the log, however long its disk is full; who stops it is heard meanwhile."""
        source, load = self._load.source, str(self._load.id)
        mapping = self._file.mapping if self._file else ""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            count = len(batch.records)
            at = self._load.started_at + self._rows if self._file else now_us() - count
            try:
                return append_batch(self._log, source, batch, at=at, load=load, mapping=mapping)
            except Busy as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("load_waits", source=source, load=self._load.id, reason=str(error))
                self._pause(error.retry_after)

    def _wait_for_pipeline(self) -> None:
        """Read no further ahead of the worker than the log should hold."""
        if self._appended < _LOOK_AHEAD_BYTES:
            return
        self._appended = 0
        since = time.monotonic()
        # Of an import somebody waits for the end; a source waits as long as no worker runs.
        behind = Behind(self._store, self._log, Behind.SILENT if self._file else None)
        while behind.bytes() > _AHEAD_BYTES:
            behind.look()
            self._pause(_LOOK_SECONDS)
        self._reporter.report.waited += round(time.monotonic() - since, 3)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._stop.wait(min(left, _LOOK_SECONDS))
            self._look()

    def _look(self) -> None:
        """Has somebody asked to end it? Says how far it is, and that it lives."""
        if self._stop.is_set():
            raise Stopping
        if time.monotonic() < self._looked:
            return
        self._looked = time.monotonic() + _LOOK_SECONDS
        if self._steady and time.monotonic() - self._begun >= self._steady.seconds:
            self._steady.tell()
            self._steady = None
        self._store.loads.seen(self._load.id, now_us())
        load = self._store.loads.get(self._load.id)
        if self._tell is not None:
            self._tell(load)
        if load.canceling:
            raise Ended("canceled")
        if self._file is None and self._store.source_states.get(load.source).paused:
            raise Ended("paused")


class Behind:
    """How far the worker is behind the log, and whether it moves."""

    SILENT = 120.0
    _PAUSE = 0.05

    def __init__(
        self, store: SQLiteStore, event_log: EventLog, silent_seconds: float | None
    ) -> None:
        self._store = store
        self._log = event_log
        self._silent = silent_seconds
        self._last = -1
        self._since = time.monotonic()

    def bytes(self) -> int:
        """How many bytes of the log are not folded yet."""
        found = sum(unfolded(self._store, self._log).values())
        if found != self._last:
            self._last, self._since = found, time.monotonic()
        return found

    def look(self) -> None:
        """`Busy` where nothing has moved for too long."""
        if self._silent is not None and time.monotonic() - self._since > self._silent:
            raise Busy("the worker does not go on; look at `onefold status`", 60.0)

    def pause(self) -> None:
        """A moment, unless nothing moves any more."""
        self.look()
        time.sleep(self._PAUSE)
