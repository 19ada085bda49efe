"""How this installation is: each part's state, and the figures behind it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from onefold.app.folding.rebuild_checks import RebuildChecked, last_check
from onefold.app.heartbeat import runs
from onefold.app.questions.segments import member_counts
from onefold.app.syncs.opening import pulled_sources
from onefold.app.workspace import now_us, open_log, open_store, unfolded
from onefold.config import Settings
from onefold.model.errors import Busy, Damaged
from onefold.model.loads import SourceState
from onefold.model.quantities import rough_size
from onefold.store import SQLiteStore

State = Literal["ok", "degraded", "failed"]
Beats = dict[str, tuple[int, int, dict[str, Any]]]

_SILENT_US = 10_000_000
_AHEAD_SECONDS = 5
_LOCKED_SECONDS = 3.0
_LATE_BYTES = 64 * 1024**2
_LATE_ROWS = 2_000_000
_ORDER: tuple[State, ...] = ("ok", "degraded", "failed")


class Check(msgspec.Struct, frozen=True):
    """One part: how it is, and why."""

    name: str
    state: State
    detail: str


class Status(msgspec.Struct, frozen=True):
    """The state of the whole, which is that of its worst part, and the figures."""

    state: State
    checks: tuple[Check, ...]
    totals: dict[str, int]
    segments: dict[str, int]
    log: dict[str, int]
    lake_queue_rows: int
    deliveries_waiting: dict[str, int]
    dead_letters: int
    open_rejects: int
    disk_free: int
    worker: dict[str, Any]
    jobs: dict[str, Any]
    rebuild_check: RebuildChecked | None


def status(settings: Settings) -> Status:
    """How everything is now."""
    with open_store(settings, cache_mb=4) as store:
        return status_of(settings, store)


def status_of(settings: Settings, store: SQLiteStore) -> Status:
    """Like `status`, on a store that is open."""
    behind, damaged = _log(settings, store)
    _, queue_rows = store.queue_size()
    free = shutil.disk_usage(settings.data).free
    beats = store.heartbeats()
    rebuilt = last_check(store)
    checks = (
        _disk(settings, free),
        _store(store, min(_LOCKED_SECONDS, settings.store_wait)),
        *_processes(beats, now_us()),
        _clock(beats, now_us()),
        _lag(sum(behind.values()), max(damaged, _said(beats, "worker", "log_damaged", 0))),
        _lake(queue_rows, beats),
        *_definitions(beats),
        *_rebuilt(rebuilt),
        *_sources(store),
    )
    return Status(
        state=max((check.state for check in checks), key=_ORDER.index),
        checks=checks,
        totals=store.counters(),
        segments=member_counts(store),
        log=behind,
        lake_queue_rows=queue_rows,
        deliveries_waiting=store.outbox.waiting(),
        dead_letters=_count(store, "deliveries where state = 'dead'"),
        open_rejects=_count(store, "rejects where state = 'open'"),
        disk_free=free,
        worker=beats["worker"][2] if "worker" in beats else {},
        jobs=beats["jobs"][2] if "jobs" in beats else {},
        rebuild_check=rebuilt,
    )


def _log(settings: Settings, store: SQLiteStore) -> tuple[dict[str, int], int]:
    """Bytes that wait to be processed, per partition; damaged places met while looking."""
    log = open_log(settings, store, None)
    try:
        return unfolded(store, log), log.damaged()
    finally:
        log.close()


def _disk(settings: Settings, free: int) -> Check:
    detail = f"{rough_size(free)} free"
    if free < settings.min_free_disk:
        return Check("disk", "failed", f"{detail}: events are refused (min_free_disk)")
    return Check("disk", "degraded" if free < 2 * settings.min_free_disk else "ok", detail)


def _store(store: SQLiteStore, patience: float) -> Check:
    """Can it be written? An empty transaction asks for the lock without changing anything."""
    try:
        with store.db.transaction(wait_seconds=patience):
            pass
    except (Busy, Damaged) as error:
        return Check("store", "failed", str(error))
    return Check("store", "ok", "can be written")


def _processes(beats: Beats, now: int) -> Iterator[Check]:
    for name in ("worker", "jobs"):
        if name not in beats:
            yield Check(name, "degraded", "has not run yet")
            continue
        pid, at, state = beats[name]
        silent = now - at
        if runs(pid, str(state.get("where", ""))) is False:
            yield Check(name, "degraded", f"does not run: process {pid} has ended")
        elif silent > _SILENT_US:
            yield Check(name, "degraded", f"does not run: silent for {silent // 1_000_000} s")
        elif state.get("store_fault"):
            yield Check(name, "failed", str(state["store_fault"]))
        else:
            yield Check(name, "ok", "works")


def _clock(beats: Beats, now: int) -> Check:
    """A clock that went back: time windows end late, and times of changes are out of order."""
    ahead = max([at - now for _, at, _ in beats.values()], default=0) // 1_000_000
    behind = max(_said(beats, "worker", "clock_behind", 0), ahead if ahead > _AHEAD_SECONDS else 0)
    if behind:
        return Check("clock", "degraded", f"went back, and stood {behind} s further on before")
    return Check("clock", "ok", "goes forward")


def _said(beats: Beats, process: str, name: str, otherwise: int) -> int:
    """A figure from a process's last heartbeat."""
    return int(beats[process][2].get(name, otherwise)) if process in beats else otherwise


def _lag(behind: int, damaged: int) -> Check:
    detail = f"{rough_size(behind)} wait to be processed"
    if damaged:
        return Check("log", "degraded", f"{detail}; {damaged} damaged places were skipped")
    return Check("log", "degraded" if behind > _LATE_BYTES else "ok", detail)


def _lake(waiting: int, beats: Beats) -> Check:
    fault = beats["worker"][2].get("lake_fault") if "worker" in beats else ""
    if fault:
        return Check("lake", "failed", f"{fault}; {waiting} rows wait in the store")
    return Check("lake", "degraded" if waiting > _LATE_ROWS else "ok", f"{waiting} rows wait")


def _definitions(beats: Beats) -> Iterator[Check]:
    """Definitions that are not evaluated: others are; they keep their last values and members."""
    state = beats["worker"][2] if "worker" in beats else {}
    if failing := state.get("failing"):
        detail = "; ".join(f"{name} fails: {reason}" for name, reason in failing.items())
        yield Check("definitions", "degraded", detail)
    elif filling := state.get("filling"):
        yield Check("definitions", "ok", f"the past is being counted for {', '.join(filling)}")
    else:
        yield Check("definitions", "ok", "all are evaluated")


def _rebuilt(last: RebuildChecked | None) -> Iterator[Check]:
    """Is what is live what history folds to, as far as somebody looked?"""
    if last is None:
        return
    when = datetime.fromtimestamp(last.at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%MZ")
    if last.differences:
        many = "" if last.differences == 1 else "s"
        detail = (
            f"{last.differences} difference{many} from history on {when}; see `onefold rebuild`"
        )
        yield Check("rebuild", "degraded", detail)
    else:
        yield Check("rebuild", "ok", f"no difference from history on {when}")


def _sources(store: SQLiteStore) -> Iterator[Check]:
    """Pulled sources that fail again and again; the others go on."""
    states = store.source_states.all()
    if not states:
        return
    known = pulled_sources(store)
    warning = [f"{one.source}: {one.warning}" for one in states.values() if one.warning]
    if left := [one for one in states.values() if one.source not in known and _holds(one)]:
        warning += [
            f"{one.source} is no more, and its server still keeps its log for it:"
            f" `onefold source release {one.source}`"
            for one in left
        ]
    if not warning and not any(state.failures for state in states.values()):
        yield Check("sources", "ok", "all that are pulled work")
        return
    failing = [one for one in states.values() if one.failures and one.source in known]
    alarming = [one for one in failing if one.failures >= known[one.source].schedule.alarm_after]
    if alarming or warning:
        told = [f"{one.source} failed {one.failures} times: {one.reason}" for one in alarming]
        yield Check("sources", "degraded", "; ".join([*told, *warning]))
    else:
        names = ", ".join(one.source for one in failing)
        yield Check(
            "sources", "ok", f"tried again: {names}" if names else "all that are pulled work"
        )


def _holds(state: SourceState) -> bool:
    """Does what it read from keep something for it? Only slots are known by such a place."""
    return "lsn" in (state.position or {})


def _count(store: SQLiteStore, what: str) -> int:
    return int(store.db.one(f"select count(*) from {what}"))  # noqa: S608 - our own text
