"""The event log in files: one directory a partition, one writer a partition, many readers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog

from onefold.eventlog import LogRecord
from onefold.eventlog.disk import Disk
from onefold.eventlog.marks import Mark, Position
from onefold.eventlog.reader import PartitionReader
from onefold.eventlog.retention import sweep
from onefold.eventlog.segments import COMMITTED_FILE, END_FILE, PARTITION_NAME
from onefold.eventlog.writer import PartitionWriter
from onefold.model.errors import Busy, Conflict, InvalidInput

log = structlog.get_logger(__name__)

DISCOVER_EVERY = 200_000


@contextmanager
def _busy(done: str) -> Iterator[None]:
    """The one place where the disk's errors become ours, except for appends."""
    try:
        yield
    except OSError as error:
        log.error("log_failed", error=str(error))
        raise Busy(f"the log cannot be {done}: {error.strerror}") from error


class FileLogSettings(msgspec.Struct, frozen=True):
    """Sizes and times of the event log in files; retention by None is without limit."""

    segment_bytes: int = 64 << 20
    min_free_bytes: int = 512 << 20
    retain_seconds: int | None = 7 * 86_400
    retain_bytes: int | None = None


class FileEventLog:
    """Segment files below one directory; `append` returns after `fdatasync`.

    `writer` names the partition to append to, which no other process may have open;
    without it the log is only read. `processed` are positions kept elsewhere (in the store):
    new records never get an offset that lies before one of them.
    """

    def __init__(
        self,
        directory: Path,
        writer: str | None,
        clock: Callable[[], int],
        settings: FileLogSettings | None = None,
        processed: Mapping[str, int] | None = None,
        disk: Disk | None = None,
    ) -> None:
        self._directory = Path(directory)
        self._clock = clock
        self._settings = settings or FileLogSettings()
        self._disk = disk or Disk()
        self._readers: dict[str, PartitionReader] = {}
        self._commits: dict[str, tuple[Mark, int]] = {}
        self._looked_at: int | None = None
        self._turn = 0
        self._closed = False
        self._lock = threading.RLock()
        self._writer = self._open_writer(writer, processed or {}) if writer else None

    @classmethod
    def claim(
        cls,
        directory: Path,
        prefix: str,
        clock: Callable[[], int],
        settings: FileLogSettings | None = None,
        processed: Mapping[str, int] | None = None,
    ) -> FileEventLog:
        """Open the first partition `prefix-0`, `prefix-1`, … that no process is writing."""
        number = 0
        while True:
            try:
                return cls(directory, f"{prefix}-{number}", clock, settings, processed)
            except Conflict:
                number += 1

    @property
    def writer(self) -> str | None:
        """The partition that this log appends to."""
        return self._writer.name if self._writer else None

    def append(self, payloads: Sequence[bytes]) -> None:
        """Return once all payloads are on the disk; many threads share one sync."""
        if self._writer is None:
            raise InvalidInput("this event log was opened for reading only")
        self._writer.append(payloads)

    def read(
        self, positions: Mapping[str, int], max_records: int, max_bytes: int
    ) -> list[LogRecord]:
        """The next records of all partitions, each given its share, another one first each time."""
        with self._lock, _busy("read"):
            return self._read(positions, max_records, max_bytes)

    def commit(self, positions: Mapping[str, int]) -> None:
        """Keep the positions in a small file of each partition, which retention respects."""
        with self._lock:
            for name, position in positions.items():
                try:
                    self._commit(name, position)
                except OSError as error:  # only retention waits for it; the next commit repeats it
                    log.warning("log_commit_failed", partition=name, error=str(error))

    def ends(self) -> dict[str, int]:
        """The position behind the last durable record of each partition."""
        with self._lock, _busy("read"):
            self._discover()
            return {name: reader.end() for name, reader in self._readers.items()}

    def retain(self, now: int) -> int:
        """Delete processed segments that are too old or too many; returns the bytes freed.

        What lies behind the committed positions stays, whatever its age.
        """
        age = self._settings.retain_seconds
        oldest = 0 if age is None else now - age * 1_000_000
        with _busy("swept"):
            directories = [self._directory / name for name in self._partitions()]
            limit = self._settings.retain_bytes
            return sweep(directories, oldest, limit, self._writer, self._disk)

    def damaged(self) -> int:
        """How many damaged places this log has met and skipped."""
        with self._lock:
            return sum(reader.damaged for reader in self._readers.values())

    def close(self) -> None:
        """Close all files and let another process write the partition."""
        if self._writer is not None:
            self._writer.close()
        with self._lock:
            self._closed = True
            for reader in self._readers.values():
                reader.close()
            for mark, _ in self._commits.values():
                mark.close()
            self._readers.clear()
            self._commits.clear()

    def _open_writer(self, name: str, processed: Mapping[str, int]) -> PartitionWriter:
        if not PARTITION_NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} cannot name a partition of the event log")
        with _busy("opened"):
            self._directory.mkdir(parents=True, exist_ok=True)
            return PartitionWriter(
                self._directory / name,
                self._disk,
                self._clock,
                self._settings.segment_bytes,
                self._settings.min_free_bytes,
                processed.get(name, 0),
            )

    def _read(
        self, positions: Mapping[str, int], max_records: int, max_bytes: int
    ) -> list[LogRecord]:
        waiting = self._waiting(positions)
        records: list[LogRecord] = []
        room = max_bytes
        for number, (reader, position) in enumerate(waiting):
            left = len(waiting) - number
            count = -(-(max_records - len(records)) // left)
            found = reader.read(position, count, max(1, room // left), not records)
            records.extend(found)
            if found:
                room -= found[-1].next_offset - found[0].offset
            if len(records) >= max_records or room <= 0:
                break
        return records

    def _waiting(self, positions: Mapping[str, int]) -> list[tuple[PartitionReader, int]]:
        """The partitions with something to read; another one comes first each time."""
        self._discover()
        waiting: list[tuple[PartitionReader, int]] = []
        for name, reader in self._readers.items():
            position = positions.get(name, 0)
            if reader.has_behind(position):
                waiting.append((reader, position))
        self._turn = turn = (self._turn + 1) % max(1, len(waiting))
        return waiting[turn:] + waiting[:turn]

    def _commit(self, name: str, position: int) -> None:
        mark, kept = self._commits.get(name) or self._open_commit(name)
        if mark is not None and kept != position:
            mark.set(Position(position))
            self._commits[name] = (mark, position)

    def _open_commit(self, name: str) -> tuple[Mark | None, int]:
        directory = self._directory / name
        if not PARTITION_NAME.fullmatch(name) or not directory.is_dir():
            return None, -1
        mark = Mark(directory / COMMITTED_FILE, writable=True)
        kept = mark.get()
        self._commits[name] = (mark, kept.offset if kept else -1)
        return self._commits[name]

    def _discover(self) -> None:
        """Find partitions that other processes began; at most a few times a second."""
        now = self._clock()
        if self._looked_at is not None and 0 <= now - self._looked_at < DISCOVER_EVERY:
            return
        self._looked_at = now
        for name in self._partitions():
            if name not in self._readers and not self._closed:
                self._readers[name] = PartitionReader(self._directory / name, self._disk)

    def _partitions(self) -> list[str]:
        if not self._directory.is_dir():
            return []
        with os.scandir(self._directory) as entries:
            names = [entry.name for entry in entries if PARTITION_NAME.fullmatch(entry.name)]
        return [name for name in sorted(names) if (self._directory / name / END_FILE).is_file()]
