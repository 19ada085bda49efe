"""How much the tracking API accepts durably: python -m bench.collect [--json] [--data DIR]

The web process as `onefold web` runs it, with its log on the disk below DIR (default: the directory
for temporary files), and a load generator of raw keep-alive connections in a process of its
own on the same machine. An answer comes after `fdatasync`; the wait is from the last byte
sent until the answer is read. CPU is that of the web process.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import cycle, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from onefold.app.access import make_workspace
from onefold.config import Settings
from onefold.serve.web import run_web
from onefold.testing.load import uniform, user_events

SECONDS = 8.0
WARM_UP = 1.0
USERS = 100_000
CASES = [
    # name, path, events in a request, connections
    ("100-event batches", "/v1/batch", 100, 16),
    ("single events", "/v1/track", 1, 64),
]


def serve(settings: Settings, listen: socket.socket, told: Connection) -> None:
    """The web process, until it is told to stop."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_web(settings, lambda: told.send("ready"), stop, listen)


def requests(path: str, events: int, write_key: str) -> list[bytes]:
    """Different requests, ready to be sent."""
    made = user_events(uniform(USERS), time.time_ns() // 1000)
    basic = base64.b64encode(f"{write_key}:".encode()).decode()
    ready = []
    for _ in range(100 if events > 1 else 2_000):
        batch = list(islice(made, events))
        body = b'{"batch":[' + b",".join(batch) + b"]}" if events > 1 else batch[0]
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        ready.append(head.encode() + body)
    return ready


class Caller(asyncio.Protocol):
    """One connection that sends the next request as soon as the last was answered."""

    def __init__(self, following: Callable[[], bytes], answered: Callable[[float], bool]) -> None:
        self._following = following
        self._answered = answered
        self._sent = 0.0
        self._read = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._read.endswith(b"}"):
            return
        assert self._read.startswith(b"HTTP/1.1 200 "), self._read
        self._read = b""
        if self._answered(time.perf_counter() - self._sent):
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            raise SystemExit(f"a connection broke: {exc}")

    def _send(self) -> None:
        self._transport.write(self._following())
        self._sent = time.perf_counter()


async def _call(port: int, prepared: list[bytes], connections: int, seconds: float) -> list[float]:
    loop, taken = asyncio.get_running_loop(), list[float]()
    following = cycle(prepared)
    end = time.perf_counter() + seconds
    open_ones, done = connections, loop.create_future()

    def answered(wait: float) -> bool:
        nonlocal open_ones
        taken.append(wait)
        if time.perf_counter() < end:
            return True
        open_ones -= 1
        if not open_ones:
            done.set_result(None)
        return False

    for _ in range(connections):
        await loop.create_connection(
            lambda: Caller(following.__next__, answered), "127.0.0.1", port
        )
    await done
    return taken


def generate(
    port: int, path: str, events: int, connections: int, key: str, told: Connection
) -> None:
    """The load generator: send for a while, then say how long each request took."""
    prepared = requests(path, events, key)
    uvloop.run(_call(port, prepared, connections, WARM_UP))
    told.send("begin")
    started = time.perf_counter()
    taken = uvloop.run(_call(port, prepared, connections, SECONDS))
    told.send((sorted(taken), time.perf_counter() - started, time.process_time()))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(
    spawn: Any, port: int, server: int, case: tuple[str, str, int, int], key: str
) -> dict[str, Any]:
    """One column of the table."""
    name, path, events, connections = case
    told, tell = spawn.Pipe(duplex=False)
    caller = spawn.Process(
        target=generate, args=(port, path, events, connections, key, tell), daemon=True
    )
    caller.start()
    tell.close()
    assert told.recv() == "begin"
    before = _cpu_seconds(server)
    taken, seconds, caller_cpu = told.recv()
    cpu = _cpu_seconds(server) - before
    caller.join()
    return {
        "case": name,
        "connections": connections,
        "events_per_second": round(len(taken) * events / seconds),
        "requests_per_second": round(len(taken) / seconds),
        "ms_p50": round(statistics.median(taken) * 1e3, 2),
        "ms_p99": round(taken[int(len(taken) * 0.99)] * 1e3, 2),
        "cpu_us_per_request": round(cpu / len(taken) * 1e6, 1),
        "cpu_share": round(cpu / seconds, 2),
        "generator_cpu_share": round(caller_cpu / seconds, 2),
    }


def main() -> None:
    """Measure and print."""
    where = sys.argv[sys.argv.index("--data") + 1] if "--data" in sys.argv else None
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=where) as directory:
        settings = Settings(data=Path(directory) / "data", min_free_disk=0)
        workspace = make_workspace(settings)
        assert workspace is not None
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listen:
            port = listen.getsockname()[1]
            told, tell = spawn.Pipe(duplex=False)
            server = spawn.Process(target=serve, args=(settings, listen, tell))
            server.start()
            tell.close()
        assert told.recv() == "ready"
        try:
            rows = [measure(spawn, port, server.pid, case, workspace.write_key) for case in CASES]
        finally:
            server.terminate()
            server.join()
    if "--json" not in sys.argv:
        for key in rows[0]:
            print(f"{key:<22}" + "".join(f"{row[key]:>24}" for row in rows))
    print(json.dumps({"bench": "collect", "rows": rows}))


if __name__ == "__main__":
    main()
