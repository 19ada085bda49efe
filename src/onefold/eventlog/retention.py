"""Delete segments that are processed and old, or too many; never what is yet to be processed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import structlog

from onefold.eventlog.disk import Disk
from onefold.eventlog.marks import Mark, Position, read_mark
from onefold.eventlog.segments import (
    COMMITTED_FILE,
    END_FILE,
    find_tail,
    segment_bases,
    segment_path,
)
from onefold.eventlog.writer import PartitionWriter

log = structlog.get_logger(__name__)


class _Segment(NamedTuple):
    """A segment that is wholly processed."""

    written_at: int
    path: Path
    size: int
    last: bool


def sweep(
    directories: list[Path],
    oldest: int,
    retain_bytes: int,
    writer: PartitionWriter | None,
    disk: Disk,
) -> int:
    """Delete what was last written before `oldest` or is over `retain_bytes`; bytes freed.

    The last segment of a partition goes by age only, and only if no other process writes it.
    """
    processed = [segment for directory in directories for segment in _processed(directory)]
    excess = sum(_sizes(directories)) - retain_bytes if retain_bytes else 0
    freed = 0
    for segment in sorted(processed):
        expired = segment.written_at < oldest
        if segment.last:
            deleted = expired and _delete_last(segment.path, writer, disk)
        else:
            deleted = expired or freed < excess
            if deleted:
                segment.path.unlink(missing_ok=True)
        if deleted:
            freed += segment.size
            log.info(
                "log_segment_deleted",
                partition=segment.path.parent.name,
                segment=segment.path.stem,
                bytes=segment.size,
            )
    return freed


def _processed(directory: Path) -> Iterator[_Segment]:
    committed = read_mark(directory / COMMITTED_FILE)
    if committed is None:
        return
    end = read_mark(directory / END_FILE)
    bases = segment_bases(directory)
    behind = [*bases[1:], end.offset if end else None]
    for base, stop in zip(bases, behind, strict=True):
        if stop is not None and stop <= committed.offset:
            path = segment_path(directory, base)
            status = path.stat()
            last = base == bases[-1]
            yield _Segment(status.st_mtime_ns // 1000, path, status.st_size, last)


def _sizes(directories: list[Path]) -> Iterator[int]:
    for directory in directories:
        for base in segment_bases(directory):
            yield segment_path(directory, base).stat().st_size


def _delete_last(path: Path, writer: PartitionWriter | None, disk: Disk) -> bool:
    directory = path.parent
    committed = read_mark(directory / COMMITTED_FILE)
    processed = committed.offset if committed else 0
    if writer is not None and writer.name == directory.name:
        return writer.delete_last(path, processed)
    mark = Mark(directory / END_FILE, writable=True)
    try:
        fcntl.flock(mark.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tail = find_tail(directory, disk, mark.get())
        if tail is None or tail.end > processed or path != segment_path(directory, tail.base):
            return False
        mark.set(Position(tail.end, tail.base))
        os.fsync(mark.fd)  # the only place that knows the next offset now
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        mark.close()
    return True
