"""Counting the past of a new definition beside live events: python -m bench.backfill [--events N] [--json]

Onefold as `onefold up` runs it, over so many events of the past, takes in events as fast as it can;
then a computed trait over all orders and a segment are defined. How long until the past is counted, and
until everybody is evaluated; how many events a second went through before and meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.background import settled
from bench.known import make, settings_for
from bench.many_segments import bodies, fill
from bench.tree import Tree, load_process
from onefold.app.definition_files import read_text
from onefold.app.definitions import put
from onefold.app.lake_writer import drain
from onefold.app.workspace import open_lake, open_log, open_store
from onefold.config import Settings

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


def measure(settings: Settings, users: int, events: int) -> dict[str, Any]:
    """One row."""
    key = make(settings, users).write_key
    with open_store(settings, cache_mb=256) as store:
        log = open_log(settings, store, "bench")
        fill(settings, store, log, bodies(users, events, 1, past=True))
        drain(store, open_lake(settings))
        log.close()
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
                _wait(lambda: store.setting("evaluating") is None)
                evaluated = time.monotonic() - started
                after = (tree.processed() - done) / evaluated
    return {
        "users": users,
        "events": events,
        "past_counted_s": round(counted, 1),
        "everybody_evaluated_s": round(evaluated, 1),
        "events_per_second": {
            "before": round(before),
            "while counting": round(meanwhile),
            "until evaluated": round(after),
        },
    }


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
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        row = measure(settings_for(Path(folder)), given.users, given.events)
    sys.stdout.write(json.dumps(row, indent=1 if given.json else None) + "\n")


if __name__ == "__main__":
    main()
