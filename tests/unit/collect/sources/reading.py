"""What tests of sources share: a reader that keeps what it is given, as the runner does; a process's memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from onefold.collect.addresses import Reach
from onefold.model.pulled import Batch, Position, PulledSource, Record, Unreadable
from onefold.testing.patience import PATIENCE

HERE = Reach(["127.0.0.0/8"])
PEAK = """
def peak_kb():
    # getrusage would begin with the memory of the process that started this one.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""


class Taker:
    """Takes batches until something is so, and stores each with its position."""

    def __init__(
        self,
        make: Callable[[], PulledSource],
        position: Position | None = None,
    ) -> None:
        self._make = make
        self.position = position
        self.records: list[Record] = []
        self.unreadable: list[Unreadable] = []
        self.batches: list[Batch] = []

    def take(
        self,
        until: Callable[[Taker], bool],
        *,
        durable: bool = True,
    ) -> Taker:
        """Read from the position that is stored, as after a start; stop once `until` says so."""
        source = self._make()
        deadline = time.monotonic() + PATIENCE
        try:
            for batch in source.batches(self.position):
                self.batches.append(batch)
                self.records += batch.records
                self.unreadable += batch.unreadable
                self.position = batch.position
                if durable:
                    source.stored(batch.position)
                if until(self):
                    return self
                assert time.monotonic() < deadline, "what was awaited did not come"
        finally:
            source.close()
        return self

    def changes(self) -> list[tuple[str, Any]]:
        """What happened to which row, in short."""
        return [(record.change, record.fields.get("id")) for record in self.records]


def places(batches: Iterable[Batch]) -> list[str]:
    """Where the records of batches stood."""
    return [record.place for batch in batches for record in batch.records]


def state_of(records: list[Record], key: str = "id") -> dict[Any, dict[str, Any]]:
    """The rows as they are after all changes: the table, if nothing is missing or in disorder."""
    rows: dict[Any, dict[str, Any]] = {}
    for record in records:
        if record.change == "delete":
            rows.pop(record.fields[key], None)
            continue
        if record.before is not None and record.before.get(key) != record.fields[key]:
            rows.pop(record.before.get(key), None)
        rows[record.fields[key]] = {**rows.get(record.fields[key], {}), **record.fields}
    return rows
