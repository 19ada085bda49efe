from __future__ import annotations

import pytest

from onefold.eventlog import EventLog
from onefold.eventlog.memory import MemoryEventLog
from onefold.testing.eventlog_suite import EventLogSuite


class TestMemoryEventLog(EventLogSuite):
    @pytest.fixture(autouse=True)
    def _partitions(self) -> None:
        self.partitions: dict[str, list[bytes]] = {}

    def open_log(self, writer: str | None) -> EventLog:
        return MemoryEventLog(writer, self.partitions)
