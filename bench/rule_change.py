"""Everybody anew after an identity rule has changed: python -m bench.rule_change [--users N] [--json]

Users who each told who they are, through the log and the pipeline. Then a rule is changed by which some
are decided otherwise (`decided`: e-mail addresses that begin with an a are nobody's), and one by which all
identifiers of a kind are written otherwise (`written`: anonymous ids in upper case), which is a fold of all events.
Meanwhile an event comes in twice a second, and how long it waits is measured.
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

from bench.background import percentiles
from bench.known import SOURCE, settings_for
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.writer import LakeWriter, drain
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.eventlog.files import FileEventLog
from onefold.model.records import Accepted, encode_accepted
from onefold.store import SQLiteStore
from onefold.testing.load import batch_bodies, user_profiles

RULES = {
    "decided": 'kind: identifier\nname: email\nblocked: ["a*"]\n',
    "written": "kind: identifier\nname: anonymous_id\nnormalize: [upper]\n",
}
CHUNK = 20_000


def told(log: FileEventLog, worker: Worker, users: int) -> None:
    """Everybody says who they are."""
    for first in range(0, users, CHUNK):
        wanted = range(first, min(first + CHUNK, users))
        bodies = batch_bodies(user_profiles(wanted, now_us(), run=1), 500)
        log.append([encode_accepted(Accepted(SOURCE, now_us(), "batch", one)) for one in bodies])
        while worker.step():
            pass


def changed(
    store: SQLiteStore, log: FileEventLog, worker: Worker, users: int, rule: str
) -> dict[str, Any]:
    """Put a rule in force, and drive the worker until everybody is decided by it."""
    before = store.counters()
    put(store, read_text(rule), "bench")
    bodies = _bodies(users)
    waits: list[float] = []
    sent: float | None = None
    begun, cpu, next_event = time.monotonic(), time.process_time(), time.monotonic()
    read, done = store.positions(), 0.0
    while not done or sent is not None:
        if sent is None and time.monotonic() >= next_event and not done:
            log.append([encode_accepted(Accepted(SOURCE, now_us(), "batch", next(bodies)))])
            sent, next_event = time.monotonic(), time.monotonic() + 0.5
        worked = worker.step()
        if sent is not None and store.positions() != read:
            waits.append(time.monotonic() - sent)
            read, sent = store.positions(), None
        store.db.checkpoint()
        if not worked and sent is None and not done:
            done = time.monotonic()
    after = store.counters()
    return {
        "seconds": round(done - begun, 1),
        "cpu": round(time.process_time() - cpu, 1),
        "new_profiles": after["profiles"] - before["profiles"],
        "events_wait": percentiles(waits or [0.0]),
    }


def _bodies(users: int) -> Iterator[bytes]:
    """One event at a time, of people who are not known yet."""
    for number in range(users, users + 100_000):
        yield from islice(batch_bodies(user_profiles([number], now_us(), run=2), 1), 1)


def measure(settings: Settings, users: int, what: list[str]) -> list[dict[str, Any]]:
    """Fill a workspace, and change one rule after the other."""
    make_workspace(settings)
    found = []
    with open_store(settings, cache_mb=256) as store:
        log = open_log(settings, store, "bench")
        worker = Worker(settings, store, open_lake(settings), log)
        told(log, worker, users)
        drain(store, open_lake(settings))
        other = SQLiteStore(store.path, cache_mb=2)
        lake = LakeWriter(other, open_lake(settings), settings.lake_seconds)
        lake.start()
        for name in what:
            row = changed(store, log, worker, users, RULES[name])
            found.append({"rule": name, "users": users, **row})
        lake.stop()
        other.close()
        worker.close()
        log.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--only", choices=sorted(RULES))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        what = [given.only] if given.only else list(RULES)
        found = measure(settings_for(Path(folder)), given.users, what)
    for row in [found] if given.json else found:
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
