"""Who is who, at its limits: python -m bench.identity [--json]

Ten million links between identifiers, made profiles of at once: people sign in on devices, give e-mail addresses and telephone numbers; one in fifty shares a device,
one in a hundred an address, and some numbers are a whole office's. Links lie in a Parquet file, as
in the lake; who each identifier is, is written to another.

195,405 users who all gave one e-mail address, through the pipeline in batches of 5,000 events, and as
many who gave one of their own.

The undoing of a merge of two profiles with 1,000 events each, from the call until both are two again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from onefold.app.access import make_workspace
from onefold.app.definition_files import read_text
from onefold.app.definitions import put
from onefold.app.lake_writer import drain
from onefold.app.link_files import cluster_links
from onefold.app.profiles import profile
from onefold.app.undoing import merge_redo, merge_undo, merges
from onefold.app.worker import Worker
from onefold.app.workspace import now_us, open_lake, open_log, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.records import Accepted, Event, Identifier, encode_accepted
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore

LINKS, USERS = 10_000_000, 195_405
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


def shared(users: int, *, one_value: bool) -> dict[str, Any]:
    """Fold the events of users who all carry the same value, or each their own."""
    with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
        pipeline, store, engine = _pipeline(folder)
        took = []
        for first in range(0, users, 5_000):
            events = [
                Event(
                    "s", "identify", "identify", NOW + number, NOW, f"m{number}",
                    (
                        Identifier("user_id", f"u{number}"),
                        Identifier("email", "x@y.example" if one_value else f"{number}@y.example"),
                    ),
                    (), {"n": number}, True, "{}", "{}", NOW // 60_000_000,
                )
                for number in range(first, min(first + 5_000, users))
            ]  # fmt: skip
            started = time.monotonic()
            pipeline.fold(events, [], {}, NOW)
            took.append(time.monotonic() - started)
        profiles = store.counters()["profiles"]
        store.close()
        engine.close()
    return {
        "value": "one for all" if one_value else "one for each",
        "users": users,
        "profiles": profiles,
        "seconds": round(sum(took), 2),
        "slowest_batch_ms": round(1e3 * max(took), 1),
    }


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
    given = parser.parse_args()
    found = {
        "bulk": [measure(given.links)],
        "shared_value": [shared(USERS, one_value=one) for one in (False, True)],
        "undo": [undo(1_000, 20)],
    }
    if given.json:
        print(json.dumps(found))
        return
    for rows in found.values():
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
