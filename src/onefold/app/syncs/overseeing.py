"""The jobs process's part in pulled sources: starts what is due, ends what hangs, in processes apart.

Each running load has a process of its own, so one that hangs, crashes or takes all its memory delays
no other, and nothing of what it needs stays in the jobs process.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from onefold.app.locks import hold
from onefold.app.syncs import alarms
from onefold.app.syncs.opening import Pulling, pulled_sources
from onefold.app.syncs.running import Outcome, finish, source_lock
from onefold.app.syncs.schedules import due, wait_after
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Busy
from onefold.model.loads import SourceState
from onefold.store import SQLiteStore

_LOOK_SECONDS = 0.5
_GRACE_SECONDS = 10.0
log = structlog.get_logger(__name__)


class Process(Protocol):
    """A process that reads one source; `subprocess.Popen` is one."""

    def poll(self) -> int | None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


Start = Callable[[str], Process]
"""Starts the process that reads the source of this name."""


class _Reading:
    """A process at work, and since when it should have ended."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.began_at = now_us()
        self.leaving_since = 0.0
        self.why = ""


def oversee(settings: Settings, start: Start, stop: threading.Event) -> None:
    """Start sources when they are due or asked for, and watch them, until `stop` is set."""
    with open_store(settings, cache_mb=1) as store:
        overseer = Overseer(settings, store, start)
        try:
            while not stop.wait(_LOOK_SECONDS):
                try:
                    overseer.look(now_us())
                except (Busy, sqlite3.OperationalError) as error:
                    log.warning("sources_not_looked_at", error=str(error))
        finally:
            overseer.stop(settings.stop_timeout)


class Overseer:
    """Looks at all pulled sources: what is due is started, what hangs is ended."""

    def __init__(self, settings: Settings, store: SQLiteStore, start: Start) -> None:
        self._settings = settings
        self._store = store
        self._start = start
        self._awake_since = now_us()
        self._known = -1
        self._sources: Mapping[str, Pulling] = {}
        self._reading: dict[str, _Reading] = {}

    def look(self, now: int) -> None:
        """Do what is to be done now."""
        version = self._store.registry.version()
        if version != self._known:
            self._sources, self._known = pulled_sources(self._store), version
        if not self._sources and not self._reading:
            return
        states = self._store.source_states.all()
        for name in list(self._reading):
            self._watch(name, states.get(name) or SourceState(name), now)
        for name in self._in_turn(self._store.source_states.all(), now):
            pulling = self._sources[name]
            if pulling.schedule.always or self._has_room():
                self._begin(name)

    def stop(self, patience: float) -> None:
        """End all that runs; what is not done goes on at the next start."""
        for one in self._reading.values():
            one.process.terminate()
        deadline = time.monotonic() + patience
        for one in self._reading.values():
            while one.process.poll() is None and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS / 10)
            if one.process.poll() is None:
                one.process.kill()
            one.process.wait()

    def _in_turn(self, states: Mapping[str, SourceState], now: int) -> list[str]:
        """Those that are to run and do not, who waits longest first."""
        waiting: list[tuple[int, str]] = []
        cut = {load.source for load in self._store.loads.running() if load.kind == "pull"}
        for name, pulling in self._sources.items():
            state = states.get(name) or SourceState(name)
            if name in self._reading or state.paused or not pulling.enabled:
                continue
            if state.wanted:
                waiting.append((state.wanted, name))
                continue
            if name in cut and (not state.failures or 0 < state.due_at <= now):
                waiting.append((state.due_at, name))
                continue
            planned = due(pulling.schedule, state.due_at, now, self._awake_since)
            if planned and planned <= now:
                waiting.append((planned, name))
            elif planned != state.due_at:
                self._store.source_states.plan(name, planned)
        return [name for _, name in sorted(waiting)]

    def _has_room(self) -> bool:
        loads = sum(not self._always(name) for name in self._reading)
        return loads < self._settings.source_concurrency

    def _always(self, name: str) -> bool:
        return name in self._sources and self._sources[name].schedule.always

    def _begin(self, name: str) -> None:
        with hold(source_lock(self._settings, name)) as free:
            if not free:  # somebody reads it by hand
                return
        self._reading[name] = _Reading(self._start(name))

    def _watch(self, name: str, state: SourceState, now: int) -> None:
        """Has it ended, does it hang, or should it have gone?"""
        one = self._reading[name]
        code = one.process.poll()
        if code is not None:
            del self._reading[name]
            self._ended(name, code, one.why)
        elif one.leaving_since:
            if time.monotonic() - one.leaving_since > _GRACE_SECONDS:
                one.process.kill()
        elif name not in self._sources or not self._sources[name].enabled:
            self._leave(one, "")
        elif wish := self._unheard(name, state, one, now):
            self._leave(one, wish)

    def _unheard(self, name: str, state: SourceState, one: _Reading, now: int) -> str:
        """Why it is ended: it gives nothing, or does not hear that somebody wants it to end."""
        loads = self._store.loads.running(name)
        if not loads:
            return ""
        seen = max(loads[-1].seen_at, one.began_at)
        if now - seen > self._sources[name].schedule.silent_us:
            return f"it gave nothing for {self._sources[name].schedule.silent}"
        asked = loads[-1].canceling or state.paused
        if asked and now - seen > _GRACE_SECONDS * 1_000_000:
            return "canceled" if loads[-1].canceling else "paused"
        return ""

    def _leave(self, one: _Reading, why: str) -> None:
        one.why, one.leaving_since = why, time.monotonic()
        one.process.terminate()

    def _ended(self, name: str, code: int, why: str) -> None:
        """A process that wrote down how its load ended needs nothing more."""
        if name not in self._sources:
            return
        pulling, loads = self._sources[name], self._store.loads.running(name)
        if loads and why in ("canceled", "paused"):
            finish(self._store, pulling, loads[-1].id, Outcome(why))  # type: ignore[arg-type]
        elif loads and why:
            finish(self._store, pulling, loads[-1].id, Outcome("failed", why))
        elif code:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            log.error("load_crashed", source=name, how=how)
            self._crashed(pulling, how)

    def _crashed(self, pulling: Pulling, how: str) -> None:
        """The load goes on at the next attempt; how often in a row it crashed is counted."""
        known = self._store.source_states.get(pulling.name)
        wait = wait_after(known.failures + 1, random.random())  # noqa: S311
        reason = f"the process that read it ended by {how}"
        self._store.source_states.began(pulling.name, now_us())
        alarms.ended(self._store, pulling, reason, now_us() + wait)
