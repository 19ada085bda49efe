"""How many changes a second come from PostgreSQL: python -m bench.changes [--changes N] [--json] [--data DIR]

A PostgreSQL of its own below DIR's machine, a table of customers with ten columns, and N updates of single
rows in transactions of 100. What waits in its log is read through a slot as fast as it goes: only decoded;
into Onefold's log, durably, with the position stored after each batch; and from there into profiles, where
every tenth row is another customer. Everything shares the machine's cores, PostgreSQL's decoding included.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.syncs.running import run_source
from onefold.app.worker.loop import Worker
from onefold.app.workspace import open_lake, open_log, open_store
from onefold.collect.addresses import Reach
from onefold.collect.sources.postgres_changes import (
    PostgresChangesSettings,
    open_postgres_changes,
)
from onefold.config import Settings
from onefold.testing.servers import postgres, postgres_url

CUSTOMERS = 20_000
TOGETHER = 100
HERE = ("127.0.0.0/8",)
TABLE = """
    create table customers (
        id int primary key, email text, phone text, name text, city text, country text,
        spent numeric(12, 2), orders int, vip boolean, changed timestamptz)
"""
ROWS = """
    insert into customers select n, 'p' || n || '@example.com', '+49171' || lpad(n::text, 7, '0'),
        'Person ' || n, 'Bonn', 'DE', n * 1.5, n % 20, n % 7 = 0, now()
    from generate_series(1, {many}) n
"""
UPDATE = """
    update customers set spent = spent + 1, orders = orders + 1, changed = clock_timestamp()
    where id between {first} and {last}
"""
SOURCE = """
kind: source
name: crm
type: postgres-changes
settings: {{url: "{url}", tables: [public.customers], slot: profiles, snapshot: false}}
mapping:
  identifiers: {{user_id: id, email: email, phone: phone}}
  traits: {{name: name, city: city, country: country, spent: spent, orders: orders, vip: vip}}
"""


def write(url: str, changes: int) -> None:
    """Updates of single rows, a hundred in each transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(0, changes, TOGETHER):
            first = number % CUSTOMERS + 1
            connection.execute(UPDATE.format(first=first, last=first + TOGETHER - 1))


def decoded(url: str, slot: str, changes: int, begun: Callable[[], None]) -> float:
    """Changes a second that the reader gives, when nothing is done with them."""
    settings = PostgresChangesSettings(
        url=url, tables=("public.customers",), slot=slot, snapshot=False
    )
    for_slot = open_postgres_changes(settings, Reach(HERE))
    position = next(iter(for_slot.batches(None))).position
    for_slot.close()
    begun()
    source = open_postgres_changes(settings, Reach(HERE))
    came, start = 0, 0.0
    for batch in source.batches(position):
        start = start or time.perf_counter()
        came += len(batch.records)
        source.stored(batch.position)
        if came >= changes:
            break
    source.close()
    return came / (time.perf_counter() - start)


def logged(settings: Settings, changes: int) -> float:
    """Changes a second into the log, each batch durable before the slot moves on."""
    stop = threading.Event()
    start = time.perf_counter()
    ended: list[float] = []

    def tell(load: Any) -> None:
        if load.rows >= changes and not ended:
            ended.append(time.perf_counter())
            stop.set()

    run_source(settings, "crm", stop=stop, tell=tell)
    return changes / (ended[0] - start)


def folded(settings: Settings, changes: int) -> float:
    """Changes a second from the log into profiles."""
    with open_store(settings) as store:
        lake, log = open_lake(settings), open_log(settings, store, "bench")
        worker = Worker(settings, store, lake, log)
        start = time.perf_counter()
        while worker.step():
            pass
        took = time.perf_counter() - start
        worker.close()
        log.close()
        assert store.counters()["events"] >= changes, store.counters()
    return changes / took


def measure(changes: int, data: Path) -> dict[str, Any]:
    """All three rates."""
    with postgres(fsync="on", synchronous_commit="off", shared_buffers="256MB") as server:
        url = postgres_url(server)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE)
            connection.execute(ROWS.format(many=CUSTOMERS))
        settings = msgspec.structs.replace(
            Settings(data=data / "data", min_free_disk=0), source_networks=HERE
        )
        make_workspace(settings)
        with open_store(settings) as store:
            put(store, read_text(SOURCE.format(url=url)), "bench")
        stop = threading.Event()
        run_source(settings, "crm", stop=stop, tell=lambda _: stop.set())  # makes the slot
        rate = decoded(url, "decoding", changes, lambda: write(url, changes))
        return {
            "changes": changes,
            "decoded_per_second": round(rate),
            "into_the_log_per_second": round(logged(settings, changes)),
            "into_profiles_per_second": round(folded(settings, changes)),
        }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=300_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onefold-changes-", dir=given.data) as folder:
        found = measure(given.changes, Path(folder))
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' '):26} {value:>10,}")


if __name__ == "__main__":
    main()
