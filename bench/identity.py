"""Who is who, at its limits: python -m bench.identity [--json]

Ten million links between identifiers, made profiles of at once: people sign in on devices, give e-mail addresses and telephone numbers; one in fifty shares a device,
one in a hundred an address, and some numbers are a whole office's. Links lie in a Parquet file, as
in the lake; who each identifier is, is written to another.

195,405 identifiers that share one value, through the pipeline in batches of 5,000 events, beside as
many that share none, and with how long it took to decide who is who; then single events, those with the value and those of other people by turns.

The undoing of a merge of two profiles with 1,000 events each, from the call until both are two again.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.identity.link_files import cluster_links
from onefold.app.identity.undoing import merge_redo, merge_undo, merges
from onefold.app.lake.writer import drain
from onefold.app.profiles.finding import profile
from onefold.app.worker.loop import Worker
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.records import Accepted, Event, Identifier, encode_accepted
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore

LINKS, USERS = 10_000_000, 195_405
OWN = "users, an e-mail address each"
SHAPES: dict[str, Callable[[int], tuple[tuple[str, str], ...]]] = {
    "users alone": lambda n: (("user_id", f"u{n}"),),
    OWN: lambda n: (("user_id", f"u{n}"), ("email", f"{n}@y.example")),
    "users, one e-mail address": lambda n: (("user_id", f"u{n}"), ("email", "x@y.example")),
    "users, one telephone number": lambda n: (("user_id", f"u{n}"), ("phone", "+4915112345678")),
    "e-mail addresses, one device": lambda n: (("email", f"{n}@y.example"), ("device_id", "d")),
    "one device, e-mail addresses": lambda n: (("device_id", "d"), ("email", f"{n}@y.example")),
    "one user id, cookies": lambda n: (("user_id", "guest7"), ("anonymous_id", f"a{n}")),
}
NOW = 1_767_225_600_000_000
SEGMENT = """
kind: segment
name: buyers
rule: sum_of('Order Completed', of => properties.revenue) > 100
"""


def make(path: Path, links: int) -> None:
    """Write so many links: four for each person."""
    people = links // 4
    engine = duckdb.connect()
    engine.execute("set threads to 2")
    engine.execute(
        f"""copy (
        with p as (select range as n, ((range * 2654435761) % 4294967296)::bigint as h from range({people}))
        select 'user_id' as left_kind, 'u' || n as left_value, right_kind, right_value, rank,
               1700000000000000 + h as time
        from (
            select n, h, 'anonymous_id' as right_kind, 'a' || n as right_value, 1 as rank from p
            union all
            select n, h, 'device_id', 'd' || (case when h % 50 = 0 then n // 2 * 2 else n end), 1 from p
            union all
            select n, h + 1, 'email',
                   'e' || (case when h % 100 = 0 then n // 2 * 2 else n end) || '@example.com', 1 from p
            union all
            select n, h + 2, 'phone', '+49' || (case when h % 1000 = 0 then 1 else n + 1000 end), 1 from p
        )) to '{path}' (format parquet)"""
    )
    engine.close()


def measure(links: int) -> dict[str, Any]:
    """Cluster them, and say how long it took."""
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        path = Path(folder) / "links.parquet"
        make(path, links)
        started, used = time.monotonic(), time.process_time()
        found = cluster_links(path, Path(folder) / "clusters.parquet")
        return {
            "links": found.links,
            "identifiers": found.identifiers,
            "profiles": found.profiles,
            "seconds": round(time.monotonic() - started, 1),
            "cpu_seconds": round(time.process_time() - used, 1),
        }


def _pipeline(folder: str) -> tuple[Pipeline, SQLiteStore, DuckEngine]:
    store, engine = SQLiteStore(Path(folder) / "store.db"), DuckEngine(threads=1, optimizer=False)
    numbers = count(1)
    return Pipeline(store, engine, b"k", lambda: next(numbers), "UTC"), store, engine


def shared(shape: str, users: int) -> dict[str, Any]:
    """Fold the events of so many who carry a value, or their own; then some one by one."""
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        pipeline, store, engine = _pipeline(folder)
        gc.disable()  # as in the worker
        wall, took, deciding = [], [], 0.0
        for first in range(0, users, 5_000):
            events = [_event(n, SHAPES[shape](n)) for n in range(first, min(first + 5_000, users))]
            started, used = time.monotonic(), time.process_time()
            deciding += pipeline.fold(events, [], {}, NOW).seconds["regroup"]
            wall.append(time.monotonic() - started)
            took.append(time.process_time() - used)
        profiles = store.counters()["profiles"]
        alone: dict[str, list[float]] = {"with": [], "others": []}
        for number in range(users, users + 200):
            for whose, carried in (("with", SHAPES[shape]), ("others", SHAPES[OWN])):
                event = _event(2 * number + (whose == "with"), carried(number + (1 << 30)))
                started = time.monotonic()
                pipeline.fold([event], [], {}, NOW)
                alone[whose].append(1e3 * (time.monotonic() - started))
        store.close()
        engine.close()
        gc.enable()
    return {
        "value": shape,
        "users": users,
        "profiles": profiles,
        "seconds": round(sum(wall), 2),
        "cpu_seconds": round(sum(took), 2),
        "deciding_seconds": round(deciding, 2),
        "slowest_batch_cpu_ms": round(1e3 * max(took), 1),
        "one_more_p50_ms": round(sorted(alone["with"])[100], 1),
        "one_more_p95_ms": round(sorted(alone["with"])[189], 1),
        "another_p50_ms": round(sorted(alone["others"])[100], 1),
        "another_p95_ms": round(sorted(alone["others"])[189], 1),
    }


def _event(number: int, carried: tuple[tuple[str, str], ...]) -> Event:
    identifiers = tuple(Identifier(*one) for one in carried)
    return Event(
        "s", "identify", "identify", NOW + number, NOW, f"m{number}", identifiers, (),
        {"n": number}, True, "{}", "{}", NOW // 60_000_000,
    )  # fmt: skip


def undo(events: int, times: int) -> dict[str, Any]:
    """Merge two profiles with so many events each, and undo it, some times."""
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        settings = Settings(data=Path(folder) / "data", min_free_disk=0)
        make_workspace(settings)
        with open_store(settings) as store:
            log = open_log(settings, store, "bench")
            worker = Worker(settings, store, open_lake(settings), log)

            def take(*batch: dict[str, Any]) -> None:
                body = msgspec.json.encode({"batch": batch})
                log.append([encode_accepted(Accepted("default", now_us(), "batch", body))])
                settle()

            def settle() -> None:
                while worker.step():
                    pass

            put(store, read_text(SEGMENT), "bench")
            for user in ("ann", "bob"):
                take(*[
                    {"type": "track", "userId": user, "event": "Order Completed",
                     "messageId": f"{user}{number}", "properties": {"revenue": number}}
                    for number in range(events)
                ])  # fmt: skip
            take({"type": "alias", "userId": "ann", "previousId": "bob"})
            drain(store, open_lake(settings))
            (merge,) = merges(settings).items
            took = []
            for _ in range(times):
                started = time.monotonic()
                merge_undo(settings, merge.id)
                while len(profile(settings, "user_id:bob").identifiers) > 1:
                    settle()
                took.append(time.monotonic() - started)
                merge_redo(settings, merge.id)
                while len(profile(settings, "user_id:bob").identifiers) < 2:
                    settle()
            worker.close()
            log.close()
    took.sort()
    return {
        "events_each": events,
        "times": times,
        "p50_ms": round(1e3 * took[len(took) // 2], 1),
        "max_ms": round(1e3 * took[-1], 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.identity", description=__doc__)
    parser.add_argument("--links", type=int, default=LINKS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--only", choices=("bulk", "shared_value", "undo"))
    given = parser.parse_args()
    parts: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
        "bulk": lambda: [measure(given.links)],
        "shared_value": lambda: (shared(shape, given.users) for shape in SHAPES),
        "undo": lambda: [undo(1_000, 20)],
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for name, part in parts.items():
        for row in part() if given.only in (None, name) else ():
            found.setdefault(name, []).append(row)
            if not given.json:
                print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
