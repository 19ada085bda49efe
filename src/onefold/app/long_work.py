"""Long work as jobs: done with progress, stopped when somebody asks, gone on with after a crash.

Who owns what is worked on does it: the worker what concerns profiles, a process of its own what
only reads. Anybody may ask for it, look at it and cancel it: the store holds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import structlog

from onefold.app.progress import Tell
from onefold.app.workspace import now_us
from onefold.model.errors import Busy, Canceled, OnefoldError
from onefold.model.job import Job
from onefold.store import SQLiteStore
from onefold.store.database import Database
from onefold.store.jobs import Jobs

_LOOK_SECONDS = 0.1
_TELL_SECONDS = 0.5
_SILENT_SECONDS = 60.0
_FAULTS = (OnefoldError, ArithmeticError, LookupError, TypeError, ValueError)
log = structlog.get_logger(__name__)


class _Stopping(Exception):
    """The process that does it is to end."""


class Work:
    """A job that is being done. One thread at a time uses it, that of its store."""

    def __init__(self, store: SQLiteStore, job: Job, stop: threading.Event | None = None) -> None:
        self._store = store
        self._stop = stop or threading.Event()
        self._due = 0.0
        self.job = job

    def progress(self, done: int, total: int = 0, step: str = "") -> None:
        """Say how far it is; raises `Canceled` once somebody has asked to stop.

        Call it as often as you like: twice a second it is written and looked up.
        """
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _TELL_SECONDS
        self.check()
        self._store.jobs.progress(self.job.id, done, total, step)

    def check(self) -> None:
        """Raise `Canceled` if somebody has asked to stop."""
        if self._stop.is_set():
            raise _Stopping
        if self._store.jobs.canceling(self.job.id):
            raise Canceled(f"job {self.job.id} was canceled")

    @property
    def position(self) -> Any:
        """Where to go on after a crash; None at the beginning."""
        return self._store.jobs.position(self.job.id)

    def keep(self, position: Any) -> None:
        """Remember where to go on after a crash."""
        self._store.jobs.keep(self.job.id, position)

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Inside, `interrupt` is called soon after somebody asks to stop; then `Canceled` is raised.

        For what cannot look by itself, such as one long query.
        """
        over, asked = threading.Event(), threading.Event()

        def watch() -> None:
            database = Database(self._store.path, cache_mb=1)
            try:
                while not over.wait(_TELL_SECONDS):
                    if self._stop.is_set() or Jobs(database).canceling(self.job.id):
                        asked.set()
                        interrupt()
            finally:
                database.close()

        thread = threading.Thread(target=watch, name="cancel", daemon=True)
        thread.start()
        try:
            yield
        except OnefoldError as error:  # a query that was broken off, or what it came to
            if asked.is_set():
                self.check()
                raise Canceled(f"job {self.job.id} was canceled") from error
            raise
        finally:
            over.set()
            thread.join()


def patiently(work: Work) -> Tell:
    """Tell how far work is that cannot be given up half done: who cancels it is not heard."""

    def tell(done: int, total: int = 0, step: str = "") -> None:
        with suppress(Canceled):
            work.progress(done, total, step)

    return tell


def do(
    store: SQLiteStore,
    job: Job,
    work: Callable[[Work], Any],
    stop: threading.Event | None = None,
) -> None:
    """Do a job that waits, and write down how it ended; a fault of its own is such an end.

    Once `stop` is set, because this process is to end, the job waits for the next one.
    """
    if not store.jobs.start(job.id, now_us()):
        return
    log.info("job_started", job=job.id, kind=job.kind)
    try:
        result = work(Work(store, store.jobs.get(job.id), stop))
    except Canceled:
        store.jobs.finish(job.id, now_us(), "canceled")
        log.info("job_canceled", job=job.id, kind=job.kind)
    except _Stopping:
        store.jobs.put_back(job.id)
        log.info("job_put_back", job=job.id, kind=job.kind)
    except _FAULTS as error:
        reason = str(error) if isinstance(error, OnefoldError) else type(error).__name__
        store.jobs.finish(job.id, now_us(), "failed", reason=reason)
        log.error("job_failed", job=job.id, kind=job.kind, error=type(error).__name__)
    else:
        store.jobs.finish(job.id, now_us(), "done", msgspec.to_builtins(result))
        log.info("job_finished", job=job.id, kind=job.kind)


def begin(store: SQLiteStore, kind: str, subject: str = "", actor: str = "onefold") -> Work:
    """Work that nobody asked for by hand: the open job of this kind and subject, or a new one.

    End it with `end`; after a crash it is found again, with its progress and position.
    """
    for one in store.jobs.open([kind]):
        if one.subject == subject:
            break
    else:
        one = store.jobs.get(store.jobs.add(kind, subject, {}, now_us(), actor))
    store.jobs.start(one.id, now_us())
    return Work(store, store.jobs.get(one.id))


def end(store: SQLiteStore, work: Work, result: Any = None, *, canceled: bool = False) -> None:
    """Work that was begun with `begin` is done, or given up."""
    state: Any = "canceled" if canceled else "done"
    store.jobs.finish(work.job.id, now_us(), state, msgspec.to_builtins(result))


def ask(store: SQLiteStore, kind: str, argument: dict[str, Any], actor: str) -> Any:
    """Ask the worker for something, and wait for the answer for as long as the worker lives."""
    job = store.jobs.add(kind, "", argument, now_us(), actor)
    silent_since = time.monotonic()
    last_beat = 0
    while (found := store.jobs.get(job)).is_open:
        time.sleep(_LOOK_SECONDS)
        beat = store.heartbeats().get("worker", (0, 0, {}))[1]
        if beat != last_beat:
            last_beat, silent_since = beat, time.monotonic()
        waited = time.monotonic() - silent_since
        if waited > _SILENT_SECONDS and found.state == "waiting":
            raise Busy("the worker does not answer; look at `onefold status`", 60.0)
    if found.state == "canceled":
        raise Canceled(f"job {job} was canceled")
    if found.state == "failed":
        raise OnefoldError(f"the worker could not do it: {found.reason}")
    return found.result
