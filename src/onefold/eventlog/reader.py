"""Reads one partition, in any process, while another may be writing to it."""

from __future__ import annotations

import fcntl
import os
from bisect import bisect_right
from pathlib import Path

import structlog

from onefold.eventlog import LogRecord
from onefold.eventlog.disk import Disk
from onefold.eventlog.frames import CHUNK_BYTES, HEADER_BYTES, next_good, split
from onefold.eventlog.marks import Mark, Position
from onefold.eventlog.segments import END_FILE, find_tail, segment_bases, segment_path

log = structlog.get_logger(__name__)


class PartitionReader:
    """Gives whole, durable, undamaged records; skips what is damaged and says so once."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self.name = directory.name
        self._directory = directory
        self._disk = disk
        self._mark = Mark(directory / END_FILE, writable=False)
        self._bases = segment_bases(directory)
        self._last = Position(0)
        self._fd: int | None = None
        self._fd_base = -1
        self._skips: dict[int, int] = {}
        self._noted: set[int] = set()
        self.damaged = 0
        self._look_behind_mark()

    def end(self) -> int:
        """The position behind the last durable record."""
        mark = self._mark.get()
        if mark is not None and mark.offset > self._last.offset:
            if not self._bases or mark.base > self._bases[-1]:
                self._bases = segment_bases(self._directory)
            self._last = mark
        return self._last.offset

    def has_behind(self, position: int) -> bool:
        """Whether there is anything to read from this position on."""
        end = self.end()
        if position > end:
            self._note("log_position_beyond_end", position, end=end)
        return position < end

    def read(
        self, position: int, max_records: int, max_bytes: int, at_least_one: bool
    ) -> list[LogRecord]:
        """Records from this position on, up to both limits; one larger than that if asked to."""
        records: list[LogRecord] = []
        end = self.end()
        position = self._begin(position)
        room = max_bytes
        while position < end and len(records) < max_records and room > 0:
            base, limit = self._segment(position, end)
            if base < 0 or not self._open(base):
                break
            block = self._bytes(
                position, min(limit - position, max(room, HEADER_BYTES), CHUNK_BYTES)
            )
            used, needs = split(block, self.name, position, records, max_records)
            if not used and len(block) < needs <= limit - position:
                if needs > room and (records or not at_least_one):
                    break
                block = self._bytes(position, needs)
                used, _ = split(block, self.name, position, records, max_records)
            if used:
                position, room = position + used, room - used
                continue
            behind = self._skip(position, limit, bool(block))
            if behind == position:
                break
            position = behind
        return records

    def close(self) -> None:
        """Close the files."""
        self._mark.close()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _begin(self, position: int) -> int:
        """Where to read from when what was asked for is damaged or gone."""
        if self._bases and position < self._bases[0]:
            if position > 0:
                self._note("log_records_expired", position, oldest=self._bases[0])
            position = self._bases[0]
        return self._skips.get(position, position)

    def _segment(self, position: int, end: int) -> tuple[int, int]:
        """The segment that holds this position, and where to stop reading it."""
        index = bisect_right(self._bases, position) - 1
        if index < 0:
            return -1, end
        last = index + 1 == len(self._bases)
        return self._bases[index], end if last else min(end, self._bases[index + 1])

    def _open(self, base: int) -> bool:
        if self._fd is not None and self._fd_base == base:
            return True
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        try:
            path = segment_path(self._directory, base)
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # retention took it; the next call goes on behind it
            self._bases = segment_bases(self._directory)
            return False
        self._fd_base = base
        return True

    def _bytes(self, position: int, count: int) -> bytes:
        assert self._fd is not None
        return self._disk.read(self._fd, count, position - self._fd_base)

    def _skip(self, position: int, limit: int, written: bool) -> int:
        """The next place to read; damage on the way there is counted and said once."""
        if position in self._skips:
            return self._skips[position]
        if not written:  # the file ends here: nothing was ever written up to the next segment
            return limit if limit in self._bases else position
        found = next_good(self._bytes, position + 1, limit)
        self._skips[position] = found
        self.damaged += 1
        log.error(
            "log_record_damaged", partition=self.name, offset=position, bytes=found - position
        )
        return found

    def _note(self, event: str, position: int, **about: int) -> None:
        if position not in self._noted:
            self._noted.add(position)
            log.error(event, partition=self.name, position=position, **about)

    def _look_behind_mark(self) -> None:
        """After a power loss the mark may be too low: believe the segments if nobody writes."""
        try:
            fcntl.flock(self._mark.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        try:
            mark = self._mark.get()
            tail = find_tail(self._directory, self._disk, mark)
            found = Position(tail.end, tail.base) if tail else self._last
            self._last = max(self._last, mark or self._last, found)
        except OSError as error:  # what the mark vouches for can be read all the same
            log.error("log_tail_not_read", partition=self.name, error=str(error))
        finally:
            fcntl.flock(self._mark.fd, fcntl.LOCK_UN)
