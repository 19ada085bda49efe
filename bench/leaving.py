"""Leaving a segment by time alone: python -m bench.leaving [--users N] [--over SECONDS] [--json]

Users who are in a segment because of one event each, whose window of a day ends while nothing else
happens: all of them at the same midnight (`--over 0`), or one after the other within so many seconds, of which
the first so many are watched (`--watch`).
The worker runs alone, with a clock of the real pace that is set to just before the first of them; every
second an event comes in, and how long it waits is measured too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from bench.background import percentiles
from bench.known import DAY, SOURCE, add_users, settings_for
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.writer import LakeWriter
from onefold.app.worker.loop import Worker
from onefold.app.workspace import open_lake, open_log, open_store
from onefold.config import Settings
from onefold.model.profile import decode_profile, encode_profile
from onefold.model.records import Accepted, encode_accepted
from onefold.pipeline import encode_buckets
from onefold.segment import parse_rule
from onefold.store import BatchWrite, SQLiteStore
from onefold.testing.load import batch_bodies, uniform, user_events

RULES = {
    "day": "did('Store Visited', last => interval 1 day)",
    "second": "did('Store Visited', last => interval 3600 second)",
}
MIDNIGHT = 20_600 * DAY
PAGE = 20_000


def settled(settings: Settings, store: SQLiteStore, rule: str, at: int) -> None:
    """Put the segment in force, while nobody can be in it."""
    put(store, read_text(f"kind: segment\nname: lookers\nrule: {rule}\n"), "bench")
    log = open_log(settings, store, None)
    worker = Worker(settings, store, open_lake(settings), log, clock=lambda: at)
    while worker.step():
        pass
    worker.close()
    log.close()


def make_members(store: SQLiteStore, rule: str, users: int, first: int, over: int) -> None:
    """Everybody is in the segment, by one event; its window ends at `first`, or within `over` µs."""
    (metric,) = parse_rule(rule).metrics
    done = 0
    for page in store.pages(PAGE):
        rows, members = [], []
        for number, document in page.items():
            profile = decode_profile(document)
            due = first + (done * over // users // 1_000_000 * 1_000_000 if over else 0)
            bucket = due // 1_000_000 - 3600 if over else due // DAY - 1
            node = next(node for node in profile.nodes if node.kind == "user_id")
            node.buckets = encode_buckets({metric.id: {bucket: 1}})
            node.counted = store.batch() + 1
            profile.members["lookers"] = first - DAY
            profile.due = due
            rows.append((encode_profile(profile), due, number))
            members.append(("lookers", number, first - DAY))
            done += 1
        store.write(BatchWrite(store.batch(), documents_due=rows, entered=members))
        store.db.checkpoint()


def leave(settings: Settings, store: SQLiteStore, first: int, watched: int) -> dict[str, Any]:
    """Let time pass until everybody has left, or for so many seconds."""
    log = open_log(settings, store, "bench")
    begun = time.time_ns() // 1000

    def clock() -> int:
        return first - 2_000_000 + time.time_ns() // 1000 - begun

    worker = Worker(settings, store, open_lake(settings), log, clock=clock)
    other = SQLiteStore(store.path, cache_mb=2)
    lake = LakeWriter(other, open_lake(settings), settings.lake_seconds)
    lake.start()
    bodies = event_bodies(clock)
    cpu = time.process_time()
    waits, late = [], []
    sent: float | None = None
    next_event = time.monotonic()
    events = store.counters().get("events", 0)
    before = sum(store.segment_sizes().values())
    until = first + watched * 1_000_000
    while any(store.segment_sizes().values()) and not (watched and clock() > until):
        if sent is None and time.monotonic() >= next_event:
            log.append([encode_accepted(Accepted(SOURCE, clock(), "batch", next(bodies)))])
            sent, next_event = time.monotonic(), time.monotonic() + 0.5
        oldest = store.db.one("select min(due) from profiles where due > 0")
        now = clock()
        if oldest is not None and oldest <= now:
            late.append((now - oldest) / 1e6)
        if not worker.step():
            time.sleep(0.005)
        store.db.checkpoint()
        if sent is not None and store.counters().get("events", 0) > events:
            waits.append(time.monotonic() - sent)
            events, sent = store.counters()["events"], None
    took = (clock() - first) / 1e6
    cpu = time.process_time() - cpu
    left = before - sum(store.segment_sizes().values())
    lake.stop()
    worker.close()
    log.close()
    found = {"left": left, "seconds": round(took, 1), "cpu": round(cpu, 1)}
    return {**found, "late": late, "event_waits": waits}


def event_bodies(clock: Any) -> Iterator[bytes]:
    """One event at a time, of users that are not among those who leave."""
    numbers = (10_000_000 + number for number in uniform(1_000))
    count = 0
    while True:
        one = user_events(islice(numbers, 1), clock(), run=77, first=count)
        yield from batch_bodies(one, 1)
        count += 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--over", type=int, default=0, help="seconds over which they leave")
    parser.add_argument("--watch", type=int, default=0, help="stop after so many of them")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rule = RULES["second" if given.over else "day"]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        settings = msgspec.structs.replace(settings_for(Path(folder)), timezone="UTC")
        make_workspace(settings)
        with open_store(settings, cache_mb=256) as store:
            add_users(store, given.users, MIDNIGHT - 2 * DAY, open_lake(settings))
            settled(settings, store, rule, MIDNIGHT - 2 * DAY)
            make_members(store, rule, given.users, MIDNIGHT, given.over * 1_000_000)
            found = leave(settings, store, MIDNIGHT, given.watch)
    late, waits = found.pop("late"), found.pop("event_waits")
    row = {"users": given.users, "over_seconds": given.over, **found}
    row["late"] = percentiles(late or [0.0])
    row["events_wait"] = percentiles(waits or [0.0])
    sys.stdout.write(json.dumps(row, indent=1 if given.json else None) + "\n")


if __name__ == "__main__":
    main()
