"""How fast webhooks go out: python -m bench.deliveries [--json] [--data DIR]

Rows are put into the store's outbox, the dispatcher sends them over HTTP to a receiver in a
process of its own, which checks every signature. The wait is from the row's commit until the
receiver has read the webhook. In "long batches" each transaction that adds rows holds the
store's write lock for 300 ms and begins 20 ms after the one before, as of a worker that has
more to do than it can.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from onefold.activate import Destination, Dispatcher, HttpClient
from onefold.activate.webhook import WebhookSettings, destination
from onefold.store import SQLiteStore
from onefold.testing.receiver import Answer, Receiver

KEY = bytes(range(32))
PADDING = "x" * 600
SECONDS = 8.0
INSERT = (
    "insert into deliveries (destination, profile, key, payload, created_at, next_at)"
    " values (?,?,?,?,?,?)"
)


def clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def receive(pipe: Connection, delay: float) -> None:
    """The receiver's process: says its address, and on request what came."""
    with Receiver(KEY) as receiver:
        receiver.answer = Answer(delay=delay)
        pipe.send(receiver.url)
        while pipe.recv() != "stop":
            came = receiver.received
            pipe.send([(one.at, one.verified, one.json["n"]) for one in came])


class Bench:
    """A store, a dispatcher on it, and a receiver."""

    def __init__(self, directory: Path, delay: float = 0.0) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.receiver = multiprocessing.get_context("fork").Process(
            target=receive, args=(theirs, delay)
        )
        self.receiver.start()
        settings = WebhookSettings(self.pipe.recv(), (KEY,))
        self.path = directory / "store.db"
        self.writer, self.sender = SQLiteStore(self.path), SQLiteStore(self.path, cache_mb=8)
        self.results = SQLiteStore(self.path, cache_mb=1)
        self.client = HttpClient()
        self.dispatcher = self._dispatcher(destination("crm", settings))
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.dispatcher.run, args=(self.stop,))
        self.count = 0
        self.committed: dict[int, int] = {}

    def _dispatcher(self, *destinations: Destination) -> Dispatcher:
        dispatcher = Dispatcher(
            self.sender.outbox,
            self.client,
            clock=clock,
            jitter=lambda: 0.5,
            changed=self.sender.db.changes_seen,
            disable=print,
        )
        dispatcher.configure(destinations)
        return dispatcher

    def add(self, count: int, profiles: int, hold: float = 0.0) -> None:
        """Commit so many deliveries in one transaction that takes `hold` seconds."""
        numbers = range(self.count + 1, self.count + count + 1)
        self.count += count
        now = clock()
        rows = []
        for n in numbers:
            body = json.dumps({"n": n, "padding": PADDING}).encode()
            rows.append(("crm", n % profiles, f"msg_{n}", body, now, now))
        with self.writer.db.transaction() as connection:
            connection.executemany(INSERT, rows)
            time.sleep(hold)
        self.committed.update(dict.fromkeys(numbers, clock()))

    def received(self) -> list[tuple[int, bool, int]]:
        """When each came, whether its signature holds, its number."""
        self.pipe.send("what came?")
        return self.pipe.recv()

    def wait(self) -> list[tuple[int, bool, int]]:
        """All that was added, once it came."""
        while len(self.received()) < self.count:
            time.sleep(0.2)
        came = self.received()
        assert all(verified for _, verified, _ in came), "a signature does not hold"
        return came

    def close(self) -> None:
        """Stop all."""
        self.stop.set()
        self.thread.join()
        self.pipe.send("stop")
        self.receiver.join()
        self.client.close()
        self.writer.close()
        self.sender.close()
        self.results.close()


def throughput(
    directory: Path, name: str, count: int, backlog: int, profiles: int
) -> dict[str, Any]:
    """How many a second, of `backlog` rows that wait."""
    bench = Bench(directory)
    bench.add(backlog, profiles)
    used, started = time.process_time(), clock()
    bench.thread.start()
    while len(came := bench.received()) < count:
        time.sleep(0.1)
    used = time.process_time() - used
    last = sorted(at for at, _, _ in came)[count - 1]
    result = {
        "case": name,
        "per_second": round(count / (last - started) * 1e6),
        "cpu_us_each": round(used / len(came) * 1e6),
    }
    bench.close()
    return result


def latency(directory: Path, name: str, rate: int, hold: float, gap: float) -> dict[str, Any]:
    """How long a webhook takes at so many a second."""
    bench = Bench(directory)
    bench.thread.start()
    used, begin = time.process_time(), time.monotonic()
    while (passed := time.monotonic() - begin) < SECONDS:
        if missing := int(passed * rate) - bench.count:
            bench.add(missing, 100_000, hold)
        time.sleep(gap)
    waits = sorted(at - bench.committed[n] for at, _, n in bench.wait())
    used = time.process_time() - used
    bench.close()
    return {
        "case": name,
        "per_second": rate,
        "cpu_us_each": round(used / len(waits) * 1e6),
        "wait_ms_p50": round(waits[len(waits) // 2] / 1000, 1),
        "wait_ms_p95": round(waits[int(len(waits) * 0.95)] / 1000, 1),
        "wait_ms_p99": round(waits[int(len(waits) * 0.99)] / 1000, 1),
    }


def idle(directory: Path) -> dict[str, Any]:
    """What it costs when nothing waits."""
    bench = Bench(directory)
    bench.thread.start()
    time.sleep(1)
    used = time.process_time()
    time.sleep(4)
    used = time.process_time() - used
    bench.close()
    return {"case": "idle", "cpu_percent": round(used / 4 * 100, 2)}


def main() -> None:
    """Measure and print."""
    where = sys.argv[sys.argv.index("--data") + 1] if "--data" in sys.argv else None
    cases = [
        (throughput, "each profile once", 5_000, 5_000, 5_000),
        (throughput, "100,000 wait", 5_000, 100_000, 100_000),
        (throughput, "100,000 wait, 200 profiles", 5_000, 100_000, 200),
        (latency, "200/s", 200, 0.0, 0.01),
        (latency, "200/s in long batches", 200, 0.3, 0.02),
        (latency, "600/s in long batches", 600, 0.3, 0.02),
        (idle,),
    ]
    rows = []
    for measure, *given in cases:
        with tempfile.TemporaryDirectory(dir=where) as directory:
            rows.append(measure(Path(directory), *given))  # type: ignore[operator]
            print(rows[-1], file=sys.stderr)
    if "--json" not in sys.argv:
        for row in rows:
            print("  ".join(f"{key} {value}" for key, value in row.items()))
    print(json.dumps({"bench": "deliveries", "rows": rows}))


if __name__ == "__main__":
    main()
