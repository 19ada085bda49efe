"""What a process tells about itself once a second, for status, health and metrics."""

from __future__ import annotations

import os
import platform
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from onefold.store import SQLiteStore

if TYPE_CHECKING:
    # At run time it would bring the whole pipeline into the jobs process.
    from onefold.pipeline import Report

_EVERY_SECONDS = 1.0
_SAMPLES = 2_000
_CLOCK_SLACK_US = 2_000_000
log = structlog.get_logger(__name__)


class Heartbeat:
    """Collects figures of the worker's batches and writes them to the store every second."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._next = 0.0
        self._latencies: deque[float] = deque(maxlen=_SAMPLES)
        self._seconds: dict[str, float] = {}
        self._events = 0
        self._batches = 0

    def batch(self, report: Report, now: int) -> None:
        """Take a batch into account."""
        self._batches += 1
        self._events += report.events
        for step, seconds in report.seconds.items():
            self._seconds[step] = self._seconds.get(step, 0.0) + seconds
        some = report.received_at[:: max(1, len(report.received_at) // 50)]
        self._latencies.extend((now - received) / 1e6 for received in some)

    @contextmanager
    def watch(self, step: str) -> Iterator[None]:
        """Measure a step outside of the pipeline."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[step] = self._seconds.get(step, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Seconds spent so far, per step."""
        return dict(self._seconds)

    def due(self) -> bool:
        """Is it time to write? Whatever became of the wall clock."""
        return time.monotonic() >= self._next

    def write(self, store: SQLiteStore, now: int, more: dict[str, Any]) -> None:
        """Write the figures; those of latency are of the last second's batches."""
        self._next = time.monotonic() + _EVERY_SECONDS
        ordered = sorted(self._latencies)
        state = {
            "where": where_processes_are(),
            "events": self._events,
            "batches": self._batches,
            "latency_p50": ordered[len(ordered) // 2] if ordered else None,
            "latency_p95": ordered[int(len(ordered) * 0.95)] if ordered else None,
            "step_seconds": {step: round(took, 4) for step, took in self._seconds.items()},
            **more,
        }
        store.beat(self._process, os.getpid(), now, state)
        self._latencies.clear()


@cache
def where_processes_are() -> str:
    """Where a process id means the same process: this start of this machine, or of this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return platform.node()


def runs(pid: int, where: str) -> bool | None:
    """Is a process there, by what it told of itself? None where that cannot be seen from here."""
    if where and where != where_processes_are():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        return True
    return True


def clock_fell_back(store: SQLiteStore, process: str, now: int) -> int:
    """How far the wall clock stands before this process's last heartbeat, in µs; 0 if it does not.

    Asked before each heartbeat, this sees every jump once, also one while the process was down.
    """
    _, at, _ = store.heartbeats().get(process, (0, 0, {}))
    behind = at - now
    if behind < _CLOCK_SLACK_US:
        return 0
    log.warning("clock_went_back", seconds=behind // 1_000_000)
    return behind
