"""Append accepted calls durably; read them again, in order, from a position.

In: payloads (bytes). Out: records with their partition and offset. Promise: what `append`
returned for is never lost, and `read` gives it again for as long as it is retained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class LogRecord(NamedTuple):
    """One payload. `next_offset` is the position behind it in its partition."""

    partition: str
    offset: int
    next_offset: int
    payload: bytes


class EventLog(Protocol):
    """One log with partitions; each writer has one of its own, each partition is ordered.

    Positions map a partition to the next offset to read; a partition that is not
    named is read from its oldest retained record.
    """

    def append(self, payloads: Sequence[bytes]) -> None:
        """Return once all payloads are durable, in this order; raise `Busy` and keep none."""

    def read(
        self, positions: Mapping[str, int], max_records: int, max_bytes: int
    ) -> list[LogRecord]:
        """The next records, at once, empty where there is nothing new; at least one if any.

        Only durable records, each whole; no partition waits because another is busy.
        """

    def commit(self, positions: Mapping[str, int]) -> None:
        """Everything before these positions was processed and may go once it is old enough."""

    def ends(self) -> dict[str, int]:
        """The position behind the last durable record of each partition."""

    def damaged(self) -> int:
        """How many damaged places this log has met while reading, and skipped."""

    def close(self) -> None:
        """Release files, locks and connections."""
