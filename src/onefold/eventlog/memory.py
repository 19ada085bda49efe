"""The event log in memory, for tests and trials: durable until the process ends."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence

from onefold.eventlog import LogRecord
from onefold.model.errors import InvalidInput


class MemoryEventLog:
    """Keeps everything in lists; logs that are given the same `partitions` share them."""

    def __init__(
        self, writer: str | None = "memory", partitions: dict[str, list[bytes]] | None = None
    ) -> None:
        self.writer = writer
        self.committed: dict[str, int] = {}
        self._partitions = {} if partitions is None else partitions
        self._lock = threading.Lock()
        self._turn = 0
        if writer is not None:
            self._partitions.setdefault(writer, [])

    def append(self, payloads: Sequence[bytes]) -> None:
        """Keep the payloads."""
        if self.writer is None:
            raise InvalidInput("this event log was opened for reading only")
        with self._lock:
            self._partitions[self.writer].extend(map(bytes, payloads))

    def read(
        self, positions: Mapping[str, int], max_records: int, max_bytes: int
    ) -> list[LogRecord]:
        """The next records of all partitions, one of each in turn; offsets count records."""
        self._turn += 1
        names = deque(sorted(self._partitions))
        names.rotate(self._turn)
        following = {name: positions.get(name, 0) for name in names}
        records: list[LogRecord] = []
        room = max_bytes
        while names:
            name = names[0]
            payloads, offset = self._partitions[name], following[name]
            if offset >= len(payloads):
                names.popleft()
                continue
            room -= len(payloads[offset])
            if records and (room < 0 or len(records) >= max_records):
                break
            records.append(LogRecord(name, offset, offset + 1, payloads[offset]))
            following[name] = offset + 1
            names.rotate(-1)
        return records

    def commit(self, positions: Mapping[str, int]) -> None:
        """Remember the positions; see `committed`."""
        self.committed.update(positions)

    def ends(self) -> dict[str, int]:
        """The number of records of each partition."""
        return {name: len(payloads) for name, payloads in self._partitions.items()}

    def damaged(self) -> int:
        """Memory does not decay."""
        return 0

    def close(self) -> None:
        """Nothing to release."""
