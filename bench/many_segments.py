"""What a thousand segments cost: python -m bench.many_segments [--segments N …] [--json]

Worker and reading ahead, on a log that is there already, over users with two months of history: CPU
time per event, and per step of the worker, in batches of 100 and of 10,000 events, with ten segments and with a thousand;
`times` is how many times as much as with the first number of segments that is given.
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
from random import Random
from typing import Any

from bench.known import DAY, add_users, settings_for
from bench.many_rules import definitions
from bench.worker_alone import BATCH, fill, fold
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.testing.load import batch_bodies, uniform, user_events

HISTORY_DAYS = 60


def bodies(users: int, events: int, run: int, past: bool) -> Iterator[bytes]:
    """Bodies of a hundred events each; those of the past lie on many days."""
    numbers, draw = uniform(users, seed=run), Random(run)
    for start in range(0, events, BATCH):
        at = now_us() - (draw.randrange(HISTORY_DAYS * DAY) if past else 0)
        one = user_events(islice(numbers, BATCH), at, run=run, first=start)
        yield from batch_bodies(one, BATCH)


def measure(
    folder: Path, segments: int, traits: int, users: int, history: int, events: dict[int, int]
) -> list[dict[str, Any]]:
    """A workspace with so many segments: one row for each size of batches."""
    settings = settings_for(folder)
    make_workspace(settings)
    rows = []
    with open_store(settings, cache_mb=256) as store:
        put(store, read_text(definitions(segments, traits)), "bench")
        add_users(store, users, now_us() - 2 * DAY, open_lake(settings))
        log = open_log(settings, store, "bench")
        started = time.perf_counter()
        fill(settings, store, log, bodies(users, history, 1, past=True))
        begun = time.perf_counter() - started
        for run, (size, count) in enumerate(events.items(), start=2):
            row = fold(settings, store, log, bodies(users, count, run, past=False), size)
            rows.append({"segments": segments, "traits": traits, **row, "history_s": round(begun)})
        members = store.db.one("select count(*) from members")
        document = store.db.one("select avg(length(document)) from profiles")
        log.close()
    for row in rows:
        row |= {"memberships_each": round(members / users, 1), "document_bytes": round(document)}
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, nargs="+", default=[10, 100, 1_000])
    parser.add_argument("--traits", type=int, nargs="+", default=[0])
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--history", type=int, default=100_000, help="events before")
    parser.add_argument("--small", type=int, default=6_000, help="events in batches of 100")
    parser.add_argument("--large", type=int, default=60_000, help="events in batches of 10,000")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sizes = {size: n for size, n in ((100, given.small), (10_000, given.large)) if n}
    results: list[dict[str, Any]] = []
    for segments in given.segments:
        for traits in given.traits:
            with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                rows = measure(Path(folder), segments, traits, given.users, given.history, sizes)
            results.extend(rows)
            for row in rows:
                alike = (one for one in results if _alike(one, row))
                row["times"] = round(row["cpu_us_per_event"] / next(alike)["cpu_us_per_event"], 2)
            if not given.json:
                for row in rows:
                    sys.stdout.write(json.dumps(row) + "\n")
                    sys.stdout.flush()
    if given.json:
        sys.stdout.write(json.dumps(results, indent=1) + "\n")


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Were both measured with the same traits, in batches of the same size?"""
    return (one["traits"], one["batch"]) == (other["traits"], other["batch"])


if __name__ == "__main__":
    main()
