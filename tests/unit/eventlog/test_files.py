from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.eventlog import EventLog
from onefold.eventlog.files import FileEventLog, FileLogSettings
from onefold.testing.eventlog_suite import EventLogSuite


def clock() -> int:
    return time.time_ns() // 1000


class FileSuite(EventLogSuite):
    settings = FileLogSettings(min_free_bytes=0)

    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> Iterator[None]:
        self.directory = tmp_path
        self.logs: list[FileEventLog] = []
        yield
        for log in self.logs:
            log.close()

    def open_log(self, writer: str | None) -> EventLog:
        self.logs.append(FileEventLog(self.directory, writer, clock, self.settings))
        return self.logs[-1]


class TestFileEventLog(FileSuite):
    pass


class TestFileEventLogOfManySegments(FileSuite):
    settings = FileLogSettings(min_free_bytes=0, segment_bytes=300)
