"""The jobs process: deliveries, sources that are pulled, and the upkeep of log, lake and store."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog

from onefold.activate import Dispatcher, HttpClient, destination_from
from onefold.app.heartbeat import clock_fell_back, where_processes_are
from onefold.app.in_force import load_definitions
from onefold.app.job_kinds import APART
from onefold.app.locks import hold
from onefold.app.naming_secrets import name_secrets
from onefold.app.secret_values import Revealed
from onefold.app.syncs.overseeing import Start, oversee
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Busy, Damaged, InvalidInput, OnefoldError
from onefold.store import SQLiteStore

_BEAT_SECONDS = 1.0
_UPKEEP_SECONDS = 300.0
log = structlog.get_logger(__name__)


class Apart(NamedTuple):
    """What is done in processes of their own: what they need in memory would be idle in this one.

    `tidy` is called every few minutes, `work` when there is long work, and both give the exit code;
    `pull` starts the process that reads a source.
    """

    tidy: Callable[[threading.Event], int]
    work: Callable[[threading.Event], int]
    pull: Start


def run_jobs(
    settings: Settings,
    ready: Callable[[], None],
    stop: threading.Event,
    apart: Apart,
) -> None:
    """Deliver what waits, read sources, and keep log, lake and store tidy, until `stop` is set.

    One at a time does: a second one waits for its turn, so that the order of deliveries holds.
    """
    with hold(settings.data / "jobs.lock", stop) as held:
        if not held:
            return
        with (
            open_store(settings, cache_mb=8) as store,
            open_store(settings, cache_mb=2) as results,
            open_store(settings, cache_mb=4) as own,
        ):
            _run(settings, ready, stop, apart, store, results, own)


def _run(
    settings: Settings,
    ready: Callable[[], None],
    stop: threading.Event,
    apart: Apart,
    store: SQLiteStore,
    results: SQLiteStore,
    own: SQLiteStore,
) -> None:
    client = HttpClient()
    dispatcher = Dispatcher(
        store.outbox,
        client,
        clock=now_us,
        jitter=random.random,
        changed=store.db.changes_seen,
        disable=_Disabler(settings),
        results=results.outbox,
    )
    sending = threading.Thread(target=dispatcher.run, args=(stop,), name="deliveries")
    upkeep = threading.Thread(target=_upkeep, args=(apart.tidy, stop), name="upkeep")
    working = threading.Thread(target=_work, args=(settings, apart.work, stop), name="work")
    pulling = threading.Thread(target=oversee, args=(settings, apart.pull, stop), name="sources")
    threads = (sending, upkeep, working, pulling)
    known = _configure(settings, own, dispatcher, -1)
    for thread in threads:
        thread.start()
    ready()
    try:
        while not stop.wait(_BEAT_SECONDS):
            if not all(thread.is_alive() for thread in threads):
                raise OnefoldError("a thread of the jobs has ended; its fault is in the log")
            known = _configure(settings, own, dispatcher, known)
            _beat(own, dispatcher)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        client.close()


class _Disabler:
    """Takes a destination out of service that said it is gone for good (410)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, name: str) -> None:
        with open_store(self._settings, cache_mb=4) as store:
            for one in store.registry.definitions():
                if (one.kind, one.name) == ("destination", name):
                    body = {**one.body, "enabled": False}
                    store.registry.put_definitions(
                        [(one.kind, name, body)], [], now_us(), "destination answered 410"
                    )


def _configure(settings: Settings, store: SQLiteStore, dispatcher: Dispatcher, known: int) -> int:
    if store.registry.version() == known:
        return known
    name_secrets(settings, store)
    version = store.registry.version()
    definitions, _ = load_definitions(store)
    destinations = []
    for one in definitions.destinations:
        if not one.enabled:
            continue
        try:
            body = Revealed(settings, store, one.settings).body
            destinations.append(destination_from(msgspec.structs.replace(one, settings=body)))
        except (InvalidInput, Damaged) as error:
            log.error("destination_unusable", destination=one.name, faults=str(error))
    dispatcher.configure(destinations)
    return version


def _beat(store: SQLiteStore, dispatcher: Dispatcher) -> None:
    state = {
        "where": where_processes_are(),
        "destinations": msgspec.to_builtins(dispatcher.status()),
        "store_fault": dispatcher.trouble,
    }
    try:
        if back := clock_fell_back(store, "jobs", now_us()):
            store.outbox.clock_went_back(back, now_us())
            dispatcher.wake()
        store.beat("jobs", os.getpid(), now_us(), state)
    except Busy as error:
        log.warning("heartbeat_failed", error=str(error))


def _upkeep(tidy: Callable[[threading.Event], int], stop: threading.Event) -> None:
    due = time.monotonic() + _UPKEEP_SECONDS
    while not stop.wait(_BEAT_SECONDS):
        if time.monotonic() < due:
            continue
        due = time.monotonic() + _UPKEEP_SECONDS
        if (code := tidy(stop)) and not stop.is_set():
            log.warning("upkeep_postponed", exit_code=code)


def _work(
    settings: Settings, work: Callable[[threading.Event], int], stop: threading.Event
) -> None:
    with open_store(settings, cache_mb=1) as store:
        while not stop.wait(_BEAT_SECONDS):
            try:
                waits = bool(store.jobs.open(APART))
            except sqlite3.OperationalError as error:
                log.warning("jobs_not_read", error=str(error))
                continue
            if waits and (code := work(stop)) and not stop.is_set():
                log.warning("work_ended", exit_code=code)
