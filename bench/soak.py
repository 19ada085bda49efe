"""Does anything grow, lag or get lost over time? python -m bench.soak [--minutes N] [--rate N] [--json]

Onefold as `onefold up` runs it, with ten live segments that all tell a webhook, takes in a mixed load:
events of users as busy as in real life, `identify` calls that make users known, events that come days
late, and requests that are sent twice. Every five seconds it is looked at: the memory of each process (its own,
without the store's pages, which are the system's cache), the store's write-ahead log, what waits. In the end everything that was answered with 200 is looked for
in the lake, and all profiles are folded again and compared.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml

from bench.background import Line, load_average, post
from bench.known import settings_for
from bench.latency import KEY
from bench.tree import Tree
from onefold.activate.webhook import secret_text
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.questions.query import sql
from onefold.app.secret_values import secret_set
from onefold.app.status import status
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.testing.load import batch_bodies, skewed, user_events, user_profiles
from onefold.testing.receiver import Receiver
from onefold.testing.shop import definitions

EVENTS_A_REQUEST = 50
CONNECTIONS = 4
LOOK_SECONDS = 5.0
DRAIN_SECONDS = 120.0
DAY = 86_400_000_000
PROCESSES = ("web", "worker", "jobs", "up")


def bodies(users: int) -> Iterator[tuple[bytes, int]]:
    """Requests without end, each with how many events in it are new."""
    numbers, first, lap = skewed(users), 0, 0
    known = cycle(range(users))
    for number in range(1 << 60):
        late = 2 * DAY if number % 20 == 7 else 0
        chosen = islice(numbers, EVENTS_A_REQUEST)
        events = user_events(chosen, now_us() - late, run=1, first=first)
        first += EVENTS_A_REQUEST
        body = next(batch_bodies(events, EVENTS_A_REQUEST))
        yield body, EVENTS_A_REQUEST
        if number % 30 == 11:
            yield body, 0
        if number % 10 == 3:
            lap += 1
            some = user_profiles(islice(known, EVENTS_A_REQUEST), now_us(), run=1000 + lap)
            yield next(batch_bodies(some, EVENTS_A_REQUEST)), EVENTS_A_REQUEST


def send(url: str, write_key: str, users: int, rate: float, pipe: Connection) -> None:
    """The load's process: sends until told to stop, then says how many events were accepted."""
    lines = [Line(url) for _ in range(CONNECTIONS)]
    accepted, started = 0, time.monotonic()
    for number, (body, fresh) in enumerate(bodies(users)):
        if pipe.poll():
            break
        time.sleep(max(0.0, started + number * EVENTS_A_REQUEST / rate - time.monotonic()))
        code, answer = lines[number % CONNECTIONS].ask(post("/v1/batch", write_key, body))
        if code != 200:
            raise RuntimeError(f"refused: {answer!r}")
        accepted += fresh
    pipe.send(accepted)


def receive(pipe: Connection) -> None:
    """The receiver's process: says its address, and in the end what it received."""
    with Receiver(KEY) as receiver:
        pipe.send(receiver.url)
        pipe.recv()
        got = receiver.received
        different = len({one.message_id for one in got})
        pipe.send((len(got), different, all(one.verified for one in got)))


def hook(url: str) -> str:
    """A destination that is told of everything."""
    body = {"kind": "destination", "name": "all", "type": "webhook", "url": url}
    return yaml.safe_dump({**body, "secret": {"secret": "bench"}}, explicit_start=True)


def look(tree: Tree, started: float) -> dict[str, Any]:
    """One line of the table."""
    now = status(tree.settings)
    log = tree.settings.data / "store.db-wal"
    return {
        "second": round(time.monotonic() - started),
        "memory_mb": tree.memory_mb("Anonymous"),
        "wal_mb": log.stat().st_size >> 20 if log.exists() else 0,
        "behind_kb": sum(now.log.values()) >> 10,
        "lake_rows": now.lake_queue_rows,
        "deliveries": sum(now.deliveries_waiting.values()),
        "latency_p95": now.worker.get("latency_p95"),
        "events": now.totals.get("events", 0),
        "state": now.state,
    }


def drain(settings: Settings) -> float:
    """Wait until nothing waits; how long it took."""
    started = time.monotonic()
    while time.monotonic() < started + DRAIN_SECONDS:
        now = status(settings)
        waiting = (*now.log.values(), *now.deliveries_waiting.values(), now.lake_queue_rows)
        if not any(waiting):
            break
        time.sleep(0.2)
    return time.monotonic() - started


def measure(directory: Path, minutes: float, rate: float, users: int, show: bool) -> dict[str, Any]:
    """Load, look, and compare in the end."""
    spawn = multiprocessing.get_context("spawn")
    hooks, hooks_end = spawn.Pipe()
    receiver = spawn.Process(target=receive, args=(hooks_end,), daemon=True)
    receiver.start()
    settings = settings_for(directory / "data")
    keys = make_workspace(settings)
    assert keys is not None
    with open_store(settings) as store:
        put(store, read_text(definitions() + hook(hooks.recv())), "bench")
    secret_set(settings, "bench", secret_text(KEY))
    rows = []
    with Tree(settings) as tree:
        load, load_end = spawn.Pipe()
        arguments = (tree.url, keys.write_key, users, rate, load_end)
        sender = spawn.Process(target=send, args=arguments, daemon=True)
        sender.start()
        started = time.monotonic()
        while time.monotonic() < started + minutes * 60:
            time.sleep(LOOK_SECONDS)
            rows.append(look(tree, started))
            if show:
                print(line(rows[-1]), flush=True)
            assert sender.is_alive(), "the load has ended"
        seconds = time.monotonic() - started
        load.send("stop")
        accepted = load.recv()
        drained = drain(settings)
    hooks.send("stop")
    received, different, verified = hooks.recv()
    report = check_rebuild(settings)
    counted = sql(settings, "select count(*), count(distinct message_id) from events").rows[0]
    return {
        "events_per_second": round(rows[-1]["events"] / seconds),
        "accepted": accepted,
        "in_lake": counted[0],
        "in_lake_once": counted[1],
        "differences": len(report.differences),
        "profiles": report.profiles,
        "webhooks": received,
        "webhooks_twice": received - different,
        "webhooks_verified": verified,
        "drained_seconds": round(drained, 1),
        "wal_mb_most": max(row["wal_mb"] for row in rows),
        "behind_kb_most": max(row["behind_kb"] for row in rows),
        "latency_p95_most": max(row["latency_p95"] or 0 for row in rows),
        "memory_mb": {name: growth(rows, name) for name in (*PROCESSES, "all")},
        "load_average": load_average(),
        "rows": rows,
    }


def growth(rows: list[dict[str, Any]], process: str) -> dict[str, int]:
    """The memory of a process in the second and in the last quarter of the time, and its most."""
    used = [row["memory_mb"].get(process, 0) for row in rows]
    quarter = max(1, len(used) // 4)
    second, last = used[quarter : 2 * quarter] or used, used[-quarter:]
    return {
        "second_quarter": round(sum(second) / len(second)),
        "last_quarter": round(sum(last) / len(last)),
        "most": max(used),
    }


HEAD = ("second", *PROCESSES, "wal MB", "behind KB", "lake rows", "deliveries", "p95 s", "state")


def line(row: dict[str, Any]) -> str:
    """One line of the table."""
    memory = [row["memory_mb"].get(name, 0) for name in PROCESSES]
    waits = [row[name] for name in ("wal_mb", "behind_kb", "lake_rows", "deliveries")]
    latency = round(row["latency_p95"] or 0, 3)
    return "".join(
        f"{one!s:>11}" for one in (row["second"], *memory, *waits, latency, row["state"])
    )


def main() -> None:
    """Measure, and print tables and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=2_000.0)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--data", help="where the temporary directory is made")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.json:
        print("".join(f"{name:>11}" for name in HEAD))
    with tempfile.TemporaryDirectory(dir=given.data) as folder:
        found = measure(Path(folder), given.minutes, given.rate, given.users, not given.json)
    if not given.json:
        print()
        for name, value in found.items():
            if name != "rows":
                print(f"{name:<20}{value}")
    print(json.dumps({"bench": "soak", "rows": [found]}))


if __name__ == "__main__":
    main()
