"""A running Onefold for benches, and a process that loads it over HTTP."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.testing.load import live_bodies, skewed, uniform

START_SECONDS = 60.0
CONNECTIONS = 8
MOST_WAITING = 320 << 20


class Tree:
    """`onefold up` on a workspace that is there, on a free port."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.load: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "onefold", "up", "--data", str(self.settings.data)]
        environment = {**os.environ, "ONEFOLD_TIMEZONE": self.settings.timezone}
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--log-level", "warning"],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        for line in self.process.stdout:
            if line.startswith("ready"):
                return self
            if time.monotonic() > deadline:
                break
        raise RuntimeError("Onefold did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)

    def processed(self) -> int:
        """Events folded so far."""
        with open_store(self.settings, cache_mb=2) as store:
            return store.counters().get("events", 0)

    def worker(self) -> dict[str, Any]:
        """The worker's last figures about itself."""
        with open_store(self.settings, cache_mb=2) as store:
            return store.heartbeats().get("worker", (0, 0, {}))[2]

    def memory_mb(self, kind: str = "Pss") -> dict[str, int]:
        """Memory of the tree's processes: proportional (PSS), or only `Anonymous`, without files."""
        found = {name: _memory(pid, kind) for name, pid in self._processes()}
        found["all"] = sum(found.values())
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time of the tree's processes, and of the load process, so far."""
        return {name: _cpu_seconds(pid) for name, pid in (*self._processes(), *self.load)}

    def _processes(self) -> Iterator[tuple[str, int]]:
        yield "up", self.process.pid
        for child in _children(self.process.pid):
            name = _name(child, (b"web", b"worker", b"jobs"))
            yield name, child
            for grandchild in _children(child):
                yield (
                    _name(grandchild, (b"onefold.app.worker.reading",)).rsplit(".")[-1],
                    grandchild,
                )


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int, known: tuple[bytes, ...]) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return next((word.decode() for word in words if word in known), "other")


def _cpu_seconds(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, kind: str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) // 1024
    return 0


def apart_seconds() -> float:
    """Processor time of the processes that this one has started and that still run."""
    return sum(map(_cpu_seconds, _children(os.getpid())))


@contextmanager
def load_process(tree: Tree, write_key: str, users: int, choice: str) -> Iterator[None]:
    """Send batches of 100 events while inside, as fast as the worker follows."""
    process = multiprocessing.get_context("spawn").Process(
        target=_load, args=(tree.settings, tree.port, write_key, users, choice)
    )
    process.start()
    assert process.pid is not None
    tree.load = [("load", process.pid)]
    try:
        yield
    finally:
        tree.load = []
        process.terminate()
        process.join()


def _load(settings: Settings, port: int, write_key: str, users: int, choice: str) -> None:
    chosen = (skewed if choice == "90/10" else uniform)(users, seed=os.getpid())
    bodies = live_bodies(chosen, now_us, run=os.getpid())
    links = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    head = (
        b"POST /v1/batch HTTP/1.1\r\nhost: bench\r\nauthorization: Basic "
        + b64encode(f"{write_key}:".encode())
        + b"\r\ncontent-length: %d\r\n\r\n"
    )
    sent = 0
    while True:
        for link in links:
            body = next(bodies)
            link.sendall(head % len(body) + body)
        for link in links:
            _expect_ok(link)
        sent += 100 * CONNECTIONS
        if sent % 8000 == 0:
            _wait_for_worker(settings)


def _expect_ok(link: socket.socket) -> None:
    """Read one whole answer: the head, then as many bytes as it announces."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += link.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"refused: {answer[:200]!r}")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += link.recv(65536)


def _wait_for_worker(settings: Settings) -> None:
    """Pause while much waits: what is measured is what is processed, not what is piled up."""
    with open_store(settings, cache_mb=2) as store:
        log = open_log(settings, store, None)
        while True:
            done = store.positions()
            if sum(end - done.get(name, 0) for name, end in log.ends().items()) < MOST_WAITING:
                break
            time.sleep(0.02)
        log.close()
