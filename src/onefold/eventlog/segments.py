"""The files of one partition: `<first offset>.log`, each written by one run of one process."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from onefold.eventlog.disk import Disk
from onefold.eventlog.frames import CHUNK_BYTES, last_good_end
from onefold.eventlog.marks import Position

END_FILE = "end"
COMMITTED_FILE = "committed"
_NAME = re.compile(r"(\d{20})\.log")
PARTITION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def segment_path(directory: Path, base: int) -> Path:
    """The file of the segment that begins at this offset."""
    return directory / f"{base:020d}.log"


def segment_bases(directory: Path) -> list[int]:
    """The first offsets of the segments that are there, in order."""
    with os.scandir(directory) as entries:
        names = (_NAME.fullmatch(entry.name) for entry in entries)
        return sorted(int(name[1]) for name in names if name)


class Tail(NamedTuple):
    """Where the good records of a partition end, and what stands behind them."""

    end: int
    base: int
    torn: int


def find_tail(directory: Path, disk: Disk, mark: Position | None) -> Tail | None:
    """Look for the end of the last segment and make sure that all before it is on the disk.

    The mark saves reading what it vouches for. Only while nobody writes to the partition.
    """
    bases = segment_bases(directory)
    if not bases:
        return None
    base = bases[-1]
    fd = os.open(segment_path(directory, base), os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.sync(fd)
        limit = base + os.fstat(fd).st_size
        start = mark.offset if mark is not None and base <= mark.offset <= limit else base

        def read(offset: int, count: int) -> bytes:
            return disk.read(fd, count, offset - base)

        end = last_good_end(read, start, limit)
        torn = 0
        for offset in range(end, limit, CHUNK_BYTES):
            written = len(read(offset, CHUNK_BYTES).rstrip(b"\0"))
            torn = offset + written - end if written else torn
        return Tail(end, base, torn)
    finally:
        os.close(fd)
