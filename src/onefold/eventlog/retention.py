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
    """A segment, whether all of it is processed, and whether it may still be written."""

    written_at: int
    path: Path
    size: int
    processed: bool
    last: bool


def sweep(
    directories: list[Path],
    oldest: int,
    retain_bytes: int | None,
    writer: PartitionWriter | None,
    disk: Disk,
) -> int:
    """Delete what was last written before `oldest` or is over `retain_bytes`; bytes freed.

    The last segment of a partition goes by age only, and only if no other process writes it.
    """
    segments = [segment for directory in directories for segment in _segments(directory)]
    total = sum(segment.size for segment in segments)
    excess = 0 if retain_bytes is None else total - retain_bytes
    freed = 0
    for segment in sorted(segment for segment in segments if segment.processed):
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


def _segments(directory: Path) -> Iterator[_Segment]:
    """The segments that are there now; another process may be deleting them too."""
    committed = read_mark(directory / COMMITTED_FILE)
    end = read_mark(directory / END_FILE)
    bases = segment_bases(directory)
    for base, stop in zip(bases, [*bases[1:], None], strict=False):
        path = segment_path(directory, base)
        last = stop is None
        stop = end.offset if last and end is not None else stop
        processed = committed is not None and stop is not None and stop <= committed.offset
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        yield _Segment(status.st_mtime_ns // 1000, path, status.st_size, processed, last)


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
