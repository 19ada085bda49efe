"""A disk that fails when told to, and counts what is asked of it."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path

from onefold.eventlog.disk import Disk


class FaultyDisk(Disk):
    """The real file system, except for the faults that a test plans with `fail`."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.free_bytes: int | None = None
        self.unreadable: set[tuple[int, int]] = set()
        self._faults: dict[str, list[tuple[int, int]]] = {}

    def fail(self, call: str, code: int = errno.EIO, times: int = 1, written: int = 0) -> None:
        """Let the next `times` of this call fail; a write still leaves so many bytes behind."""
        self._faults.setdefault(call, []).extend([(code, written)] * times)

    def mend(self) -> None:
        """Forget all planned faults."""
        self._faults.clear()

    def _called(self, call: str) -> tuple[int, int] | None:
        self.calls[call] += 1
        planned = self._faults.get(call)
        return planned.pop(0) if planned else None

    def _raise(self, call: str) -> None:
        if fault := self._called(call):
            raise OSError(fault[0], os.strerror(fault[0]))

    def create(self, path: Path) -> int:
        self._raise("create")
        return super().create(path)

    def reserve(self, fd: int, start: int, size: int) -> bool:
        self._raise("reserve")
        return super().reserve(fd, start, size)

    def write(self, fd: int, data: bytes, at: int) -> None:
        if fault := self._called("write"):
            super().write(fd, data[: fault[1]], at)
            raise OSError(fault[0], os.strerror(fault[0]))
        super().write(fd, data, at)

    def sync(self, fd: int) -> None:
        self._raise("sync")
        super().sync(fd)

    def sync_directory(self, path: Path) -> None:
        self._raise("sync_directory")
        super().sync_directory(path)

    def truncate(self, fd: int, size: int) -> None:
        self._raise("truncate")
        super().truncate(fd, size)

    def free(self, path: Path) -> int:
        self._raise("free")
        return super().free(path) if self.free_bytes is None else self.free_bytes

    def read_once(self, fd: int, count: int, at: int) -> bytes:
        self._raise("read")
        if any(at < stop and start < at + count for start, stop in self.unreadable):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read_once(fd, count, at)
