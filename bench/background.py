"""Events that come in evenly, as from a shop's back end, while something else is measured."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.tree import Tree
from onefold.app.workspace import now_us, open_store
from onefold.testing.load import live_bodies, uniform

EVENTS_A_REQUEST = 50
CONNECTIONS = 4


class Line:
    """One keep-alive connection for requests made by hand: they cost next to nothing to send."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; the answer's status and body."""
        self.socket.sendall(request)
        data = b""
        while True:
            more = self.socket.recv(1 << 18)
            if not more:
                raise RuntimeError("the server closed the connection")
            data += more
            if (end := answer_end(data)) and len(data) >= end:
                return int(data[9:12]), data[data.index(b"\r\n\r\n") + 4 :]


def answer_end(data: bytes) -> int:
    """Where an answer that begins with this ends; 0 while its head is not whole."""
    head, found, _ = data.partition(b"\r\n\r\n")
    if not found:
        return 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + 4 + int(value)
    raise RuntimeError(f"an answer without a length: {head!r}")


def post(path: str, write_key: str, body: bytes) -> bytes:
    """A request to the tracking API."""
    basic = b64encode(f"{write_key}:".encode()).decode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic {basic}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, key: str) -> bytes:
    """A request to the management API."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def settled(tree: Tree, seconds: float = 600.0) -> None:
    """Wait until the worker has evaluated the segments of everybody that it found."""
    deadline = time.monotonic() + seconds
    with open_store(tree.settings, cache_mb=2) as store:
        while True:
            begun = store.setting("evaluated_outputs") is not None
            if begun and store.setting("evaluating") is None:
                return
            assert time.monotonic() < deadline, "the population was not evaluated in time"
            time.sleep(0.2)


@contextmanager
def background(tree: Tree, write_key: str, users: int, rate: float) -> Iterator[list[float]]:
    """While inside, so many events a second of users chosen uniformly.

    Afterwards the list holds how many a second were processed: fewer on a machine that is too busy.
    """
    settled(tree)
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_send, args=(tree.url, write_key, users, rate), daemon=True)
    process.start()
    time.sleep(3.0)
    came: list[float] = []
    before, started = tree.processed(), time.monotonic()
    try:
        yield came
        came.append(round((tree.processed() - before) / (time.monotonic() - started)))
    finally:
        process.terminate()
        process.join()


def _send(url: str, write_key: str, users: int, rate: float) -> None:
    lines = [Line(url) for _ in range(CONNECTIONS)]
    run = os.getpid() << 8 | int(time.time()) & 0xFF
    bodies = live_bodies(uniform(users, seed=run), now_us, size=EVENTS_A_REQUEST, run=run)
    started = time.monotonic()
    for sent, body in enumerate(bodies):
        time.sleep(max(0.0, started + sent * EVENTS_A_REQUEST / rate - time.monotonic()))
        status, answer = lines[sent % CONNECTIONS].ask(post("/v1/batch", write_key, body))
        if status != 200:
            raise RuntimeError(f"refused: {answer!r}")


def percentiles(seconds: Sequence[float]) -> dict[str, Any]:
    """Of waits in seconds, in milliseconds."""
    ordered = sorted(seconds)
    assert ordered, "nothing was measured"
    found: dict[str, Any] = {"count": len(ordered)}
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
        found[f"{name}_ms"] = round(
            1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2
        )
    return found


def load_average() -> float:
    """What else runs on this machine: its load of the last minute."""
    return round(os.getloadavg()[0], 2)
