"""Pulled sources and loads as people see them: run, paused, resumed, begun anew, looked at."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from onefold.app.locks import hold, import_lock
from onefold.app.secret_values import Revealed
from onefold.app.syncs.opening import (
    Pulling,
    is_pulled,
    open_source,
    pulled_source,
    pulled_sources,
)
from onefold.app.syncs.running import run_source, source_lock
from onefold.app.syncs.taking import Tell
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Conflict, NotFound, OnefoldError
from onefold.model.loads import Load, LoadKind, LoadState, SourceState
from onefold.model.pulled import Releasing
from onefold.model.schedules import Schedule
from onefold.store import SQLiteStore

_ALL = 1 << 62
Doing = Literal["running", "paused", "disabled", "waiting", "failing", "by hand"]


class PulledSourceRow(msgspec.Struct, frozen=True):
    """A pulled source: what it is doing, when it ran and when it runs next (µs; null: never).

    `failures` in a row and the `reason` of the last; it is an `alarm` once there are too many, or where
    a source that works warns of something.
    """

    name: str
    type: str
    doing: Doing
    schedule: str
    ran_at: int | None
    succeeded_at: int | None
    next_at: int | None
    failures: int
    alarm: bool
    reason: str
    load: int | None


class LoadRow(msgspec.Struct, frozen=True):
    """A load: how far it is, with its rate and how long it still takes (seconds; null: not known).

    `events`, `repeats` and `rejects` count what is folded so far: what came for the first time, what
    had come before, and what could not be used, with all that is unreadable. `nameless_emails` and `nameless_phones`
    could not be read as such, so that they identify nobody.
    """

    id: int
    source: str
    kind: LoadKind
    state: LoadState
    created_by: str
    started_at: int
    ended_at: int | None
    attempts: int
    rows: int
    unreadable: int
    bytes: int
    total: int | None
    events: int
    repeats: int
    rejects: int
    nameless_emails: int
    nameless_phones: int
    rate: float
    remaining: float | None
    reason: str


class LoadShown(LoadRow, frozen=True):
    """A load with its report: streams, kinds of changes, reasons, and fields that are new or gone."""

    report: dict[str, Any] = {}


def source_run(
    settings: Settings, name: str, *, actor: str = "cli", tell: Tell | None = None
) -> LoadShown:
    """Read a source now, in this process, to its end; raises an error if that fails."""
    load = run_source(settings, name, actor=actor, tell=tell)
    if load.state == "failed":
        raise OnefoldError(f"source {name!r} could not be read: {load.reason}")
    return _shown(load)


def source_ask(settings: Settings, name: str, *, actor: str = "cli") -> PulledSourceRow:
    """Ask the jobs process to read a source now; it begins within a second or two."""
    with open_store(settings, cache_mb=4) as store:
        pulled_source(store, name)
        store.source_states.want(name, now_us(), actor)
        return _row(store, name)


def source_pause(
    settings: Settings, name: str, *, paused: bool, actor: str = "cli"
) -> PulledSourceRow:
    """Read a source no more until it is resumed, or again; a load under way ends within seconds."""
    with open_store(settings, cache_mb=4) as store:
        pulled_source(store, name)
        store.source_states.pause(name, now_us(), actor, paused=paused)
        return _row(store, name)


def source_reset(settings: Settings, name: str, *, actor: str = "cli") -> PulledSourceRow:
    """Forget where a source goes on: the next run reads everything."""
    with open_store(settings, cache_mb=4) as store:
        pulled_source(store, name)
        store.source_states.begin_anew(name, now_us(), actor)
        return _row(store, name)


def source_release(
    settings: Settings, name: str, *, actor: str = "cli"
) -> dict[str, str | list[str]]:
    """Take away what a source keeps on the other system, such as its slot, and forget where it goes on.

    Also of a source whose definition is no more: by the last one that there was.
    """
    with hold(source_lock(settings, name)) as free, open_store(settings, cache_mb=4) as store:
        if not free:
            raise Conflict(
                f"source {name!r} is being read; pause it or remove its definition first"
            )
        versions = store.registry.definition_versions("source", name)
        body = next((one.body for one in versions if one.body is not None), None)
        if body is None or not is_pulled(body.get("type")):
            raise NotFound(f"there never was a source {name!r} that is pulled")
        pulling = Pulling(name, body["type"], body.get("settings") or {}, Schedule(), enabled=True)
        source = open_source(settings, pulling, Revealed(settings, store, pulling.body))
        released = source.release() if isinstance(source, Releasing) else []
        store.source_states.remove(name, now_us(), actor)
        return {"source": name, "released": released}


def source_states(settings: Settings) -> list[PulledSourceRow]:
    """All pulled sources with what they are doing."""
    with open_store(settings, cache_mb=4) as store:
        return rows_of(store)


def rows_of(store: SQLiteStore) -> list[PulledSourceRow]:
    """Like `source_states`, on a store that is open."""
    states = store.source_states.all()
    running = {load.source: load.id for load in store.loads.running() if load.kind == "pull"}
    return [
        _source_row(one, states.get(name) or SourceState(name), running.get(name))
        for name, one in sorted(pulled_sources(store).items())
    ]


def load_list(
    settings: Settings, *, limit: int = 100, before: int = 0, source: str = ""
) -> list[LoadRow]:
    """Loads, newest first, those with a number below `before`; of one source, or of all."""
    with open_store(settings, cache_mb=4) as store:
        found = store.loads.page(before or _ALL, limit, source)
        return [LoadRow(**_told(load)) for load in found]


def load_show(settings: Settings, load: int) -> LoadShown:
    """One load, with its report."""
    with open_store(settings, cache_mb=4) as store:
        return _shown(store.loads.get(load))


def load_cancel(settings: Settings, load: int, *, actor: str = "cli") -> LoadShown:
    """Ask a load to stop; it does within seconds. What it brought stays."""
    with open_store(settings, cache_mb=4) as store:
        store.loads.cancel(load, now_us(), actor)
        found = store.loads.get(load)
        if found.kind == "import" and found.state == "running":
            # An import that was killed hears nobody; who goes on with it holds the lock.
            with hold(import_lock(settings.data, found.source)) as nobody:
                if nobody:
                    store.loads.finish(load, now_us(), "canceled", "somebody asked to stop it")
        return _shown(store.loads.get(load))


def _shown(load: Load) -> LoadShown:
    return LoadShown(**_told(load), report=load.report)


def _told(load: Load) -> dict[str, Any]:
    now = now_us()
    known = {name: getattr(load, name, None) for name in LoadRow.__struct_fields__}
    remaining = load.remaining(now)
    rounded = None if remaining is None else round(remaining, 1)
    return {**known, "rate": round(load.rate(now), 1), "remaining": rounded}


def _row(store: SQLiteStore, name: str) -> PulledSourceRow:
    return next(row for row in rows_of(store) if row.name == name)


def _source_row(one: Pulling, state: SourceState, load: int | None) -> PulledSourceRow:
    return PulledSourceRow(
        name=one.name,
        type=one.type,
        doing=_doing(one, state, load),
        schedule=_schedule_text(one),
        ran_at=state.ran_at or None,
        succeeded_at=state.succeeded_at or None,
        next_at=None if state.paused or not one.enabled else state.due_at or None,
        failures=state.failures,
        alarm=bool(state.warning) or state.failures >= one.schedule.alarm_after,
        reason=state.reason or state.warning,
        load=load,
    )


def _doing(one: Pulling, state: SourceState, load: int | None) -> Doing:
    if state.paused:
        return "paused"
    if not one.enabled:
        return "disabled"
    if load is not None:
        return "running"
    if state.failures:
        return "failing"
    return "by hand" if one.schedule.by_hand and not state.wanted else "waiting"


def _schedule_text(one: Pulling) -> str:
    schedule = one.schedule
    if schedule.cron:
        return f"{schedule.cron} {schedule.time_zone}"
    return f"every {schedule.every}" if schedule.every else "always" if schedule.always else ""
