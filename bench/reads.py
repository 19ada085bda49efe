"""Profile look-ups while events come in: python -m bench.reads [--users N] [--json] [--data DIR]

Onefold as `onefold up` runs it takes in 2,000 events a second in requests of 50, of N known users.
A process of its own asks for profiles of users at random over 16 keep-alive connections, at fixed
moments, 500 and then 1,000 a second. The wait is from the moment at which a look-up was due
until its answer is read, so a server that falls behind cannot hide it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import select
import tempfile
import time
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from bench.background import Line, answer_end, background, get, load_average, percentiles
from bench.known import make, settings_for
from bench.tree import Tree

RATE = 2_000.0
READS_A_SECOND = (500, 1_000)
CONNECTIONS = 16
WARM_SECONDS = 2.0


class Reader:
    """Sends look-ups when they are due, each on a connection that waits for no other answer."""

    def __init__(self, url: str, key: str, users: int) -> None:
        self._lines = {line.socket.fileno(): line for line in self._connect(url)}
        self._free = deque(list(self._lines))
        self._poll = select.epoll()
        for number in self._lines:
            self._poll.register(number, select.EPOLLIN)
        self._due: dict[int, float] = {}
        self._read: dict[int, bytes] = {}
        self._key, self._users, self._random = key, users, Random(7).random

    def _connect(self, url: str) -> list[Line]:
        return [Line(url) for _ in range(CONNECTIONS)]

    def run(self, rate: float, seconds: float) -> list[float]:
        """The waits of all look-ups that were due within so many seconds."""
        begin = time.perf_counter()
        total, sent, waits = int(rate * seconds), 0, list[float]()
        while len(waits) < total:
            now = time.perf_counter()
            while sent < total and self._free and begin + sent / rate <= now:
                self._send(begin + sent / rate)
                sent += 1
            following = begin + sent / rate - time.perf_counter()
            idle = sent == total or not self._free
            for number, _ in self._poll.poll(1.0 if idle else max(0.0, following)):
                waits.extend(self._take(number))
        return waits

    def _send(self, due: float) -> None:
        number = self._free.popleft()  # in turn: the server ends those that are idle
        user = int(self._random() * self._users)
        self._due[number], self._read[number] = due, b""
        self._lines[number].socket.sendall(get(f"/api/profiles/user_id:u{user}", self._key))

    def _take(self, number: int) -> list[float]:
        data = self._read[number] = self._read[number] + self._lines[number].socket.recv(1 << 18)
        if not (end := answer_end(data)) or len(data) < end:
            return []
        assert data.startswith(b"HTTP/1.1 200"), data[:300]
        self._free.append(number)
        return [time.perf_counter() - self._due.pop(number)]


def read(url: str, key: str, users: int, seconds: float, told: Connection) -> None:
    """The reader's process: the waits at each rate."""
    reader = Reader(url, key, users)
    for rate in READS_A_SECOND:
        reader.run(rate, WARM_SECONDS)
        told.send(reader.run(rate, seconds))


def measure(directory: Path, users: int, seconds: float, rate: float) -> list[dict[str, Any]]:
    """A row for each rate."""
    settings = settings_for(directory)
    made = make(settings, users)
    rows = []
    spawn = multiprocessing.get_context("spawn")
    with Tree(settings) as tree, background(tree, made.write_key, users, rate) as came:
        told, tell = spawn.Pipe(duplex=False)
        reader = spawn.Process(
            target=read, args=(tree.url, made.admin_key, users, seconds, tell), daemon=True
        )
        reader.start()
        tell.close()
        for reads in READS_A_SECOND:
            rows.append(
                {
                    "users": users,
                    "reads_per_second": reads,
                    **percentiles(told.recv()),
                    "load_average": load_average(),
                }
            )
        reader.join()
    return [{**row, "events_per_second": came[0]} for row in rows]


def main() -> None:
    """Measure and print a table, and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--data", help="where the temporary directory is made")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.data) as folder:
        rows = measure(Path(folder), given.users, given.seconds, given.rate)
    if not given.json:
        print(f"{'reads a second':<20}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'max ms':>10}")
        for row in rows:
            waits = "".join(f"{row[f'{name}_ms']:>10}" for name in ("p50", "p95", "p99", "max"))
            print(f"{row['reads_per_second']:<20}{waits}")
    print(json.dumps({"bench": "reads", "rows": rows}))


if __name__ == "__main__":
    main()
