"""The one writer of a partition: its lock, its segments, and what it does when the disk fails."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from onefold.eventlog.disk import Disk
from onefold.eventlog.frames import frame
from onefold.eventlog.group_commit import GroupCommit
from onefold.eventlog.marks import Mark, Position, read_mark
from onefold.eventlog.segments import COMMITTED_FILE, END_FILE, find_tail, segment_path
from onefold.model.errors import Busy, Conflict

log = structlog.get_logger(__name__)

RESERVE_BYTES = 16 << 20
MAX_GROUP_BYTES = 16 << 20
FREE_CHECK_EVERY = 250_000
LOCK_TRIES = 20
LOCK_PAUSE = 0.01
RETRY_FULL = 5.0
RETRY_FAILED = 1.0


class PartitionWriter:
    """Appends to one partition. Only one in the world: others get `Conflict`."""

    def __init__(
        self,
        directory: Path,
        disk: Disk,
        clock: Callable[[], int],
        segment_bytes: int,
        min_free_bytes: int,
        floor: int,
    ) -> None:
        self.name = directory.name
        self._directory = directory
        self._disk = disk
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._min_free_bytes = min_free_bytes
        directory.mkdir(parents=True, exist_ok=True)
        disk.sync_directory(directory.parent)
        self._mark = Mark(directory / END_FILE, writable=True)
        self._fd: int | None = None
        self._reserved = 0
        self._free = 0
        self._free_at: int | None = None
        self._closed = False
        self._io = threading.Lock()
        self._group = GroupCommit(self._write, MAX_GROUP_BYTES)
        locked = False
        try:
            _lock(self._mark.fd, self.name)
            locked = True
            self._end, self._base = self._recover(floor)
        finally:
            if not locked or not hasattr(self, "_end"):
                self._mark.close()
        self._publish()

    def append(self, payloads: Sequence[bytes]) -> None:
        """Return once all payloads are durable."""
        if payloads:
            self._group.add(payloads)

    def delete_last(self, path: Path, processed: int) -> bool:
        """Delete the segment at this path if it is the last one and wholly processed."""
        with self._io:
            if self._closed or self._end > processed:
                return False
            if path != segment_path(self._directory, self._base):
                return False
            self._seal()
            os.fsync(self._mark.fd)  # the only place that knows the next offset now
            path.unlink(missing_ok=True)
            return True

    def close(self) -> None:
        """Finish the segment and let another process write."""
        with self._io:
            if not self._closed:
                self._closed = True
                self._seal()
                self._mark.close()

    def _recover(self, floor: int) -> tuple[int, int]:
        """Where to go on: behind all that is durable and all that was ever processed."""
        mark = self._mark.get()
        tail = find_tail(self._directory, self._disk, mark)
        committed = read_mark(self._directory / COMMITTED_FILE)
        known = [floor, mark.offset if mark else 0, committed.offset if committed else 0]
        if tail is None:
            return self._beyond(0, max(known)), 0
        if tail.torn:
            log.warning(
                "log_tail_cut",
                partition=self.name,
                segment=tail.base,
                offset=tail.end,
                bytes=tail.torn,
            )
        fd = os.open(segment_path(self._directory, tail.base), os.O_RDWR | os.O_CLOEXEC)
        try:
            self._disk.truncate(fd, tail.end - tail.base)
            self._disk.sync(fd)
        finally:
            os.close(fd)
        return self._beyond(tail.end, max(known)), tail.base

    def _beyond(self, end: int, position: int) -> int:
        """Never give an offset again that a reader may already have passed."""
        if position > end:
            log.warning("log_position_beyond_end", partition=self.name, end=end, position=position)
        return max(end, position)

    def _write(self, payloads: list[bytes], size: int) -> None:
        with self._io:
            if self._closed:
                raise Busy("the log is closing", RETRY_FAILED)
            try:
                self._check_space(size)
                self._store(payloads, size)
            except OSError as error:
                log.error("log_write_failed", partition=self.name, error=str(error))
                raise Busy(f"the log cannot be written: {error.strerror}", RETRY_FAILED) from error
            self._publish()

    def _store(self, payloads: list[bytes], size: int) -> None:
        stored = False
        try:
            fd = self._segment(size)
            parts: list[bytes] = []
            end = frame(payloads, self._end, parts)
            self._disk.write(fd, b"".join(parts), self._end - self._base)
            self._disk.sync(fd)
            self._end = end
            stored = True
        finally:
            if not stored:
                self._abandon()

    def _segment(self, size: int) -> int:
        """The open file with room for `size` bytes more."""
        if self._fd is not None and self._end - self._base >= self._segment_bytes:
            self._seal()
        if self._fd is None:
            self._fd = self._disk.create(segment_path(self._directory, self._end))
            self._base, self._reserved = self._end, 0
            self._disk.sync_directory(self._directory)
        needed = self._end - self._base + size
        if needed > self._reserved:
            more = max(needed - self._reserved, min(RESERVE_BYTES, self._segment_bytes))
            reserves = self._disk.reserve(self._fd, self._reserved, more)
            self._reserved = self._reserved + more if reserves else 1 << 62
        return self._fd

    def _abandon(self) -> None:
        """Never trust this file again: its durable part stays, the next append begins another."""
        self._free_at = None
        self._seal()

    def _seal(self) -> None:
        fd, self._fd = self._fd, None
        if fd is None:
            return
        try:
            self._disk.truncate(fd, self._end - self._base)
        except OSError as error:  # readers stop at the next segment's first offset
            log.warning("log_segment_not_cut", partition=self.name, error=str(error))
        finally:
            os.close(fd)

    def _check_space(self, size: int) -> None:
        """Refuse before the disk is full; ask the disk only a few times a second."""
        now = self._clock()
        if self._free_at is None or not 0 <= now - self._free_at < FREE_CHECK_EVERY:
            self._free = self._disk.free(self._directory)
            self._free_at = now
        if self._free - size < self._min_free_bytes:
            raise Busy("the disk of the log is nearly full", RETRY_FULL)
        self._free -= size

    def _publish(self) -> None:
        """Tell readers how far they may read."""
        try:
            self._mark.set(Position(self._end, self._base))
        except OSError as error:  # the next append tells them
            log.warning("log_end_not_published", partition=self.name, error=str(error))


def _lock(fd: int, name: str) -> None:
    """Take the partition; a reader that looks for a writer holds it only for a moment."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE)
        else:
            return
    raise Conflict(f"partition {name} of the log is being written by another process")
