"""Importing a file as one load, going on after a crash, and telling what came of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import msgspec

from onefold.app.imports.wanted import Reading, Wanted, reading_of
from onefold.app.in_force import load_definitions
from onefold.app.locks import hold, import_lock
from onefold.app.syncs.taking import Ended, OneFile, Taking
from onefold.app.workspace import now_us, open_log, open_store, unfolded
from onefold.config import Settings
from onefold.eventlog import EventLog
from onefold.model.errors import Canceled, Conflict, OnefoldError
from onefold.model.loads import Load
from onefold.store import SQLiteStore

_WRITER = "import"
_TELL_SECONDS = 1.0
_FOLDED = "bytes folded into profiles"
_MOST_REASONS = 20
_LOOKED_BACK, _SAME_FILE = 100, ("fingerprint", "mapping")
Tell = Callable[[str, int, int], None]
"""Says what is being done, how much of it is done, and of how much (0: not known)."""
Folding = Callable[[], AbstractContextManager[object]]
"""Makes sure that something turns records into profiles while inside."""


class Imported(msgspec.Struct, frozen=True):
    """What an import brought: rows of the file, and what became of them.

    `rows` are records, and `unreadable` what was none; `rejects` counts both those and records that
    could not be used, with every reason. `repeats` came before. `profiles` are new ones.
    `same_as` is an earlier load of a file of this size, beginning and end, if it was not taken back.
    `nameless` are e-mail addresses and telephone numbers that could not be read as one, so that they
    identify nobody.
    """

    load: int
    source: str
    rows: int
    unreadable: int
    events: int
    rejects: int
    reasons: dict[str, int]
    repeats: int
    profiles: int
    seconds: float
    same_as: int | None = None
    nameless: dict[str, int] = {}


def import_file(
    settings: Settings,
    wanted: Wanted,
    *,
    actor: str = "cli",
    tell: Tell = lambda _what, _done, _total: None,
    folding: Folding = nullcontext,
    wait: bool = True,
) -> Imported:
    """Import a file to its end, and `wait` until its records are in profiles.

    What a crash broke off goes on where it was. `Conflict` where the source is being read just now.
    """
    started = time.monotonic()
    with open_store(settings, cache_mb=8) as store:
        reading = reading_of(wanted, load_definitions(store)[0])
        profiles = store.counters().get("profiles", 0)
        with hold(import_lock(settings.data, reading.source)) as held:
            if not held:
                raise Conflict(f"another file of {reading.source!r} is being imported just now")
            events = open_log(settings, store, _WRITER)
            try:
                with folding():
                    load = _read(store, events, reading, actor, tell, wait=wait)
            finally:
                events.close()
        return _told(store, load, profiles, time.monotonic() - started)


def _read(
    store: SQLiteStore, events: EventLog, reading: Reading, actor: str, tell: Tell, *, wait: bool
) -> Load:
    """Read the file as one load, and `wait` until the worker has folded it."""
    load = _begin(store, reading, actor)
    about = {
        "file": reading.file.name,
        "bytes": reading.file.stat().st_size,
        "fingerprint": reading.fingerprint,
        "mapping": reading.mapping,
    }
    told = _every_second(lambda one: tell("rows read", one.rows + one.unreadable, one.total or 0))
    file = OneFile(about, reading.mapping)
    taking = Taking(store, events, load, tell=told, file=file)
    try:
        taking.read(reading)
    except Ended as ended:
        store.loads.finish(load.id, now_us(), ended.state, "somebody asked to stop it")
        raise Canceled(f"load {load.id} was canceled; what it brought stays") from None
    except OnefoldError as error:
        store.loads.finish(load.id, now_us(), "failed", str(error))
        raise
    if wait:
        # Whoever breaks it off here and says the same again waits on, and does not import anew.
        whole = max(1, sum(unfolded(store, events).values()))
        taking.wait(_every_second(lambda left: tell(_FOLDED, max(0, whole - left), whole)))
    store.loads.finish(load.id, now_us(), "done")
    return store.loads.get(load.id)


def _begin(store: SQLiteStore, reading: Reading, actor: str) -> Load:
    """The import of this very file that a crash broke off, or a new one."""
    loads, source = store.loads, reading.source
    load = loads.begin(source, "import", now_us(), actor)
    if load.report and load.report.get("fingerprint") != reading.fingerprint:
        loads.finish(load.id, now_us(), "failed", "another file was imported instead")
        load = loads.begin(source, "import", now_us(), actor)
    return load


def _every_second(tell: Callable[[Any], None]) -> Callable[[Any], None]:
    due = 0.0

    def told(one: Any) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _TELL_SECONDS
            tell(one)

    return told


def _told(store: SQLiteStore, load: Load, profiles: int, seconds: float) -> Imported:
    reasons: Counter[str] = Counter()
    for told, count in store.rejects.reasons(load.id):
        for reason in told:
            reasons[_general(reason)] += count
    return Imported(
        load.id,
        load.source,
        load.rows,
        load.unreadable,
        load.events,
        load.rejects,
        dict(reasons.most_common(_MOST_REASONS)),
        load.repeats,
        store.counters().get("profiles", 0) - profiles,
        round(seconds, 1),
        _same_before(store, load),
        {
            kind: count
            for kind, count in (("email", load.nameless_emails), ("phone", load.nameless_phones))
            if count
        },
    )


def _same_before(store: SQLiteStore, load: Load) -> int | None:
    """The newest of the last loads of this source that brought the same file, read the same way."""
    for one in store.loads.page(load.id, _LOOKED_BACK, load.source):
        same = all(one.report.get(name) == load.report.get(name) for name in _SAME_FILE)
        if one.state == "done" and one.kind == load.kind and same:
            return one.id
    return None


def _general(reason: str) -> str:
    """A reason without the place that it names, so that equal ones are counted together."""
    place, colon, rest = reason.partition(": ")
    return rest if colon and any(one.isdigit() for one in place) else reason
