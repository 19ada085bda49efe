"""Counting the past of a new definition beside live events: python -m bench.backfill [--events N] [--json]

With `--data DIR` the past is the lake of `bench.population_data` that is kept there, of 100 M events; of its
profiles the store knows so many as `--users` says, and they are those that the live events are of.

Onefold as `onefold up` runs it, over so many events of the past, takes in events as fast as it can;
then a computed trait over all orders and a segment are defined. How long until the past is counted, and
until everybody is evaluated; how many events a second went through before and meanwhile.
With `--one-by-one` the lake is not told of the users, so that nobody can be chosen by query.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.background import settled
from bench.known import DAY, add_users, make, settings_for
from bench.many_segments import bodies, fill
from bench.population_data import NODE_KEY, population
from bench.tree import Tree, load_process
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.writer import drain
from onefold.app.workspace import lake_path, now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.model.catalogue import TABLES
from onefold.store import BatchWrite
from onefold.testing.shop import definitions

DEFINED = """\
kind: trait
name: spent_ever
expression: sum_of('Order Completed', properties.revenue)
---
kind: segment
name: spenders
rule: spent_ever > 500
"""
BEFORE_SECONDS = 15.0
PATIENCE = 900.0


def folded(settings: Settings, users: int, events: int, *, told: bool = True) -> str:
    """A workspace into which so many events came; its write key."""
    key = make(settings, users, told=told).write_key
    with open_store(settings, cache_mb=256) as store:
        log = open_log(settings, store, "bench")
        fill(settings, store, log, bodies(users, events, 1, past=True))
        drain(store, open_lake(settings))
        log.close()
    return key


def linked(settings: Settings, users: int, past: Path, events: int) -> str:
    """A workspace with another's lake, as if its definitions had been there from the first event on."""
    keys = make_workspace(settings)
    assert keys is not None, "a bench starts with an empty directory"
    with open_store(settings, cache_mb=256) as store:
        store.set_setting("node_key", NODE_KEY)
        put(store, read_text(definitions()), "bench")
        log = open_log(settings, store, "bench")
        fill(settings, store, log, iter(()))
        log.close()
        add_users(store, users, now_us() - DAY)
        shutil.rmtree(lake_path(settings))
        shutil.copytree(past / "lake", lake_path(settings), copy_function=_link)
        batch = max(open_lake(settings).last_batch(name) for name in TABLES)
        store.write(BatchWrite(batch, counters={"events": events}))
    return keys.write_key


def _link(source: str, target: str) -> None:
    """Files that nobody writes to again need no copy."""
    (os.link if source.endswith(".zstd.parquet") else shutil.copy2)(source, target)


def measure(
    settings: Settings, key: str, users: int, events: int, *, evaluated: bool = True
) -> dict[str, Any]:
    """One row; without what is evaluated where the store does not hold everybody."""
    with Tree(settings) as tree:
        settled(tree)
        with load_process(tree, key, users, "uniform"):
            time.sleep(10.0)
            before = _rate(tree, BEFORE_SECONDS)
            with open_store(settings, cache_mb=4) as store:
                put(store, read_text(DEFINED), "bench")
                started, done = time.monotonic(), tree.processed()
                _wait(lambda: bool(tree.worker().get("filling")))
                _wait(lambda: not tree.worker().get("filling"))
                counted = time.monotonic() - started
                meanwhile = (tree.processed() - done) / counted
                row: dict[str, Any] = {
                    "users": users,
                    "events": events,
                    "past_counted_s": round(counted, 1),
                    "events_per_second": {
                        "before": round(before),
                        "while counting": round(meanwhile),
                    },
                }
                if evaluated:
                    _wait(lambda: store.setting("evaluating") is None)
                    seconds = time.monotonic() - started
                    row["everybody_evaluated_s"] = round(seconds, 1)
                    row["events_per_second"]["until evaluated"] = round(
                        (tree.processed() - done) / seconds
                    )
    return row


def _rate(tree: Tree, seconds: float) -> float:
    before, started = tree.processed(), time.monotonic()
    time.sleep(seconds)
    return (tree.processed() - before) / (time.monotonic() - started)


def _wait(until: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="where the lake of bench.population_data is kept")
    parser.add_argument("--quick", action="store_true", help="of that, a tenth")
    parser.add_argument("--one-by-one", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    users, events = given.users, given.events
    where = given.data or Path.cwd()  # files can be linked only within one file system
    with tempfile.TemporaryDirectory(dir=where) as folder:
        settings = settings_for(Path(folder) / "data")
        if given.data:
            people, events = (10**6, 10**7) if given.quick else (10**7, 10**8)
            past = population(given.data, people, events)
            key = linked(settings, users, past.data, events)
        else:
            key = folded(settings, users, events, told=not given.one_by_one)
        row = measure(settings, key, users, events, evaluated=given.data is None)
    sys.stdout.write(json.dumps(row, indent=1 if given.json else None) + "\n")


if __name__ == "__main__":
    main()
