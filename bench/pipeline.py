"""The pipeline's throughput: python -m bench.pipeline [--users N …] [--seconds S] [--json]

`tree`: the whole of Onefold as `onefold up` runs it, on N known users with ten live segments;
a load generator in a process of its own sends batches of 100 events over HTTP as fast as the
worker keeps up with. `fold`: the worker alone, on a log that is there already, which shows the
cost per event and per step without anything else on the machine's cores. There a batch holds what
memory allows, so that events of one user share the work on a profile: how the cost grows with the
number of users can be told only at `--batches` of one size.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from bench.background import settled
from bench.known import make, settings_for
from bench.tree import Tree, load_process
from bench.worker_alone import BATCH, fold
from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.testing.load import live_bodies, skewed, uniform

WARM_SECONDS = 30.0
CHOICES = {"uniform": uniform, "90/10": skewed}


def alone(settings: Settings, users: int, choice: str, events: int, batch: int) -> dict[str, Any]:
    """The worker alone on a backlog of so many events."""
    with open_store(settings, cache_mb=256) as store:
        log = open_log(settings, store, "bench")
        # Another run each time: the same message ids within a minute would be repeats.
        run = now_us() // 1_000_000 & 0xFFFFFFFF
        bodies = live_bodies(CHOICES[choice](users), now_us, run=run)
        row = fold(settings, store, log, islice(bodies, events // BATCH), batch)
        log.close()
    return {"users": users, "choice": choice, **row}


def tree(
    settings: Settings, write_key: str, users: int, choice: str, seconds: float
) -> dict[str, Any]:
    """All of Onefold with the load generator beside it: events per second from HTTP to the store."""
    with Tree(settings) as running:
        settled(running)
        with load_process(running, write_key, users, choice):
            time.sleep(WARM_SECONDS)
            started, before = time.monotonic(), running.processed()
            cpu, steps = running.cpu_seconds(), running.worker().get("step_seconds", {})
            time.sleep(seconds)
            took, after = time.monotonic() - started, running.processed()
            spent = running.cpu_seconds()
            beat = running.worker()
            memory = running.memory_mb()
    return {
        "users": users,
        "choice": choice,
        "events_per_second": round((after - before) / took),
        "cpu_us_per_event": _per_event(cpu, spent, after - before),
        "steps_us": _per_event(steps, beat.get("step_seconds", {}), after - before),
        "latency_p95_ms": round(1000 * (beat.get("latency_p95") or 0)),
        "memory_mb": memory,
    }


def _per_event(before: dict[str, float], after: dict[str, float], events: int) -> dict[str, float]:
    """What was spent of each kind, in microseconds per event."""
    spent = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    return {name: round(used * 1e6 / max(1, events), 1) for name, used in spent.items()}


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--events", type=int, default=1_000_000, help="for the worker alone")
    parser.add_argument(
        "--batches",
        type=int,
        nargs="+",
        default=[0],
        help="events in one; 0: as the worker takes them",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="for the whole tree")
    parser.add_argument("--only", choices=["fold", "tree"])
    parser.add_argument("--choice", choices=[*CHOICES], nargs="+", default=[*CHOICES])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {"fold": [], "tree": []}
    for users in given.users:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            settings = settings_for(Path(folder))
            key = make(settings, users).write_key
            for choice in given.choice:
                for batch in given.batches if given.only != "tree" else []:
                    row = alone(settings, users, choice, given.events, batch)
                    results["fold"].append(row)
                if given.only != "fold":
                    results["tree"].append(tree(settings, key, users, choice, given.seconds))
    if given.json:
        sys.stdout.write(json.dumps(results, indent=1) + "\n")
        return
    for what, rows in results.items():
        for row in rows:
            head = f"{what:5} {row['users']:>9,} users {row['choice']:8}"
            rest = {k: v for k, v in row.items() if k not in ("users", "choice")}
            sys.stdout.write(f"{head} {json.dumps(rest)}\n")


if __name__ == "__main__":
    main()
