"""The worker with what reads ahead for it, on a log that is there already: cost per event and step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from bench.known import SOURCE
from bench.tree import apart_seconds
from onefold.app.lake.writer import drain
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us, open_lake
from onefold.config import Settings
from onefold.eventlog import EventLog
from onefold.model.records import Accepted, encode_accepted
from onefold.store import SQLiteStore

BATCH = 100
_TIDY = 10_000


def fill(settings: Settings, store: SQLiteStore, log: EventLog, bodies: Iterator[bytes]) -> None:
    """What was before: folded and evaluated, and not measured."""
    _append(log, bodies)
    lake = open_lake(settings)
    worker = Worker(settings, store, lake, log)
    while worker.step():
        store.db.checkpoint()
        drain(store, lake)
    worker.close()


def fold(
    settings: Settings,
    store: SQLiteStore,
    log: EventLog,
    bodies: Iterator[bytes],
    batch: int = 0,
) -> dict[str, Any]:
    """CPU µs per event, and per step of the worker; the first third warms up.

    In batches of so many events, or as large as the worker takes them from a backlog; `bodies` are
    batches of a hundred events.
    """
    if batch:
        settings = msgspec.structs.replace(settings, batch_records=batch // BATCH)
    lake = open_lake(settings)
    worker = Worker(settings, store, lake, log)
    while worker.step():
        pass
    before = store.counters().get("events", 0)
    end = before + _append(log, bodies) * BATCH
    warm = before + (end - before) // 3
    started = cpu = apart = 0.0
    counted_from, tidied, seconds = 0, before, dict[str, float]()
    while (done := store.counters().get("events", 0)) < end:
        if done >= warm and not counted_from:
            counted_from, seconds = done, worker.beat.seconds()
            started, cpu, apart = time.perf_counter(), time.process_time(), apart_seconds()
        worker.step()
        if done - tidied >= _TIDY:
            tidied = done
            store.db.checkpoint()
            drain(store, lake)
    took = time.perf_counter() - started
    cpu, apart = time.process_time() - cpu, apart_seconds() - apart
    worker.close()
    counted = end - counted_from
    steps = {
        step: round((total - seconds.get(step, 0)) * 1e6 / counted, 1)
        for step, total in worker.beat.seconds().items()
    }
    return {
        "batch": batch or "backlog",
        "events_per_second": round(counted / took),
        "cpu_us_per_event": round((cpu + apart) * 1e6 / counted, 1),
        "of_it_worker": round(cpu * 1e6 / counted, 1),
        "steps_us": {step: spent for step, spent in steps.items() if spent >= 0.5},
    }


def _append(log: EventLog, bodies: Iterator[bytes]) -> int:
    """Append all, some thousands at a time; how many bodies there were."""
    count = 0
    while chunk := list(islice(bodies, 1_000)):
        log.append([encode_accepted(Accepted(SOURCE, now_us(), "batch", body)) for body in chunk])
        count += len(chunk)
    return count
