"""What the event log in files takes and gives: python -m bench.eventlog [--json] [--data DIR]

Appends durably from many threads at once, as the tracking API does, then reads all of it again.
The figures depend on the disk below DIR (default: the directory for temporary files).
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from onefold.eventlog.disk import Disk
from onefold.eventlog.files import FileEventLog, FileLogSettings

SECONDS = 4.0
CASES = [
    # name, bytes of a payload, events in it, threads
    ("100-event batches", 50_000, 100, 16),
    ("single events", 600, 1, 64),
    ("single events, one thread", 600, 1, 1),
]


class CountingDisk(Disk):
    """Counts syncs."""

    syncs = 0

    def sync(self, fd: int) -> None:
        super().sync(fd)
        self.syncs += 1


def clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def append(log: FileEventLog, payload: bytes, threads: int) -> tuple[list[float], float]:
    """The seconds of every append, and the seconds all took."""
    taken: list[list[float]] = [[] for _ in range(threads)]
    begin = threading.Barrier(threads + 1)
    stop = threading.Event()

    def work(mine: list[float]) -> None:
        begin.wait()
        while not stop.is_set():
            started = time.perf_counter()
            log.append([payload])
            mine.append(time.perf_counter() - started)

    workers = [threading.Thread(target=work, args=(mine,)) for mine in taken]
    for worker in workers:
        worker.start()
    begin.wait()
    started = time.perf_counter()
    stop.wait(SECONDS)
    stop.set()
    for worker in workers:
        worker.join()
    return sorted(second for mine in taken for second in mine), time.perf_counter() - started


def read(log: FileEventLog) -> tuple[int, float, float]:
    """How many records are read, in how many seconds; and the seconds of a read of nothing."""
    started, count, positions = time.perf_counter(), 0, dict[str, int]()
    while records := log.read(positions, 5_000, 8 << 20):
        count += len(records)
        positions[records[-1].partition] = records[-1].next_offset
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    for _ in range(10_000):
        log.read(positions, 5_000, 8 << 20)
    return count, seconds, (time.perf_counter() - started) / 10_000


def measure(directory: Path, name: str, size: int, events: int, threads: int) -> dict[str, Any]:
    """One row of the table."""
    disk = CountingDisk()
    settings = FileLogSettings(min_free_bytes=0)
    log = FileEventLog(directory, "bench-0", clock, settings, disk=disk)
    taken, seconds = append(log, bytes(range(200)) * (size // 200), threads)
    count, reading, idle = read(log)
    log.close()
    assert count == len(taken), "every append must be read again"
    return {
        "case": name,
        "threads": threads,
        "appends_per_second": round(count / seconds),
        "events_per_second": round(count * events / seconds),
        "megabytes_per_second": round(count * size / seconds / 1e6, 1),
        "append_ms_p50": round(statistics.median(taken) * 1e3, 2),
        "append_ms_p99": round(taken[int(len(taken) * 0.99)] * 1e3, 2),
        "appends_per_sync": round(count / disk.syncs, 1),
        "read_us_per_record": round(reading / count * 1e6, 2),
        "idle_read_us": round(idle * 1e6, 2),
    }


def main() -> None:
    """Measure and print."""
    where = sys.argv[sys.argv.index("--data") + 1] if "--data" in sys.argv else None
    rows = []
    for name, size, events, threads in CASES:
        with tempfile.TemporaryDirectory(dir=where) as directory:
            rows.append(measure(Path(directory), name, size, events, threads))
    if "--json" not in sys.argv:
        for key in rows[0]:
            print(f"{key:<22}" + "".join(f"{row[key]:>28}" for row in rows))
    print(json.dumps({"bench": "eventlog", "rows": rows}))


if __name__ == "__main__":
    main()
