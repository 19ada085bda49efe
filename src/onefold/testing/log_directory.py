"""One directory of an event log, opened by as many writers and readers as a test needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from onefold.eventlog.disk import Disk
from onefold.eventlog.files import FileEventLog, FileLogSettings

SMALL = FileLogSettings(min_free_bytes=0, segment_bytes=4096)


def wall_clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class LogDirectory:
    """Opens event logs over one directory; `close` closes them all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._open: list[FileEventLog] = []

    def open(
        self,
        writer: str | None = "web-0",
        settings: FileLogSettings = SMALL,
        disk: Disk | None = None,
        clock: Callable[[], int] = wall_clock,
        processed: Mapping[str, int] | None = None,
    ) -> FileEventLog:
        """Open the log, to write one partition or, without a writer, only to read."""
        log = FileEventLog(self.directory, writer, clock, settings, processed, disk)
        self._open.append(log)
        return log

    def payloads(self) -> list[bytes]:
        """What a process that starts now reads of all partitions."""
        reader = self.open(None)
        positions: dict[str, int] = {}
        payloads: list[bytes] = []
        while records := reader.read(positions, 1000, 1 << 20):
            payloads.extend(record.payload for record in records)
            positions.update({record.partition: record.next_offset for record in records})
        reader.close()
        return payloads

    def segments(self, partition: str = "web-0") -> list[Path]:
        """The segment files of a partition, oldest first."""
        return sorted((self.directory / partition).glob("*.log"))

    def close(self) -> None:
        """Close whatever is still open."""
        for log in self._open:
            log.close()
