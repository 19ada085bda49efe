"""How far the reader of a PostgreSQL change stream is, and what its messages become. No I/O."""

from __future__ import annotations

from typing import Any

import structlog

from onefold.collect.sources.first_reading import FirstReading
from onefold.collect.sources.pgoutput import (
    EPOCH,
    Changed,
    Decoder,
    Table,
    begin_of,
    commit_of,
    lsn_text,
)
from onefold.model.pulled import Batch, Position, Record, Unreadable

_FIRST = 25  # bytes before pgoutput's own message

log = structlog.get_logger()


class State(FirstReading):
    """How far we are: the place in the log, and the tables whose rows were all read.

    `skip` says of the transaction that ends at its first number how many changes were given already.
    `time` is that of the rows that are read: before every change of theirs that follows.
    """

    def __init__(self, system: str, slot_exists: bool) -> None:
        super().__init__()
        self.system = system
        self.slot_exists = slot_exists
        self.lsn = 0
        self.skip: tuple[int, ...] = (0, 0)

    def position(self) -> Position:
        told: Position = {**self.told(), "system": self.system, "lsn": lsn_text(self.lsn)}
        if self.skip[1]:
            told["skip"] = list(self.skip)
        return told


class Reading:
    """Turns messages into records, and knows what of them has been given."""

    def __init__(self, state: State, until: int | None) -> None:
        self._state = state
        self._until = until
        self._decoder = Decoder()
        self._commit = self._at = self._number = 0
        self._inside = False
        self._place = ""
        self._seen: dict[Any, int] = {}
        self.records: list[Record] = []
        self.unreadable: list[Unreadable] = []
        self.finished = False

    def batch(self) -> Batch:
        """What was read since the last batch, with the position after it."""
        state = self._state
        if self._inside:
            state.skip = (self._commit, self._number)
        batch = Batch(self.records, state.position(), tuple(self.unreadable))
        self.records, self.unreadable = [], []
        return batch

    def reached(self, place: int) -> None:
        """All before this place has come."""
        if self._inside:
            return
        self._state.lsn = max(self._state.lsn, place)
        self.finished = self._until is not None and place >= self._until

    def message(self, data: bytes) -> None:
        kind = data[_FIRST]
        if kind in b"IUD":
            self._change(data[_FIRST:])
        elif kind == 66:  # B
            self._begin(data)
        elif kind == 67:  # C
            self._end(data)
        elif kind == 82:  # R
            self._shape(data[_FIRST:])
        elif kind == 84:  # T
            self._emptied(data[_FIRST:])

    def _begin(self, data: bytes) -> None:
        self._commit, at, _ = begin_of(data, _FIRST + 1)
        if self._until is not None and self._commit >= self._until:
            self.finished = True
            return
        self._at = at + EPOCH
        self._place = lsn_text(self._commit)
        self._number, self._inside = 0, True
        self._seen.clear()

    def _end(self, data: bytes) -> None:
        _, _, end, _ = commit_of(data, _FIRST + 1)
        self._inside = False
        self._state.lsn, self._state.skip = end, (0, 0)
        if self._until is not None:
            self._state.time = max(self._state.time, self._at + 1)

    def _is_given(self) -> bool:
        """Count one more change of this transaction: was it given before?"""
        self._number += 1
        commit, given = self._state.skip
        return commit == self._commit and self._number <= given

    def _change(self, message: bytes) -> None:
        changed = self._decoder.change(message)
        if self._is_given():
            return
        name = changed.table.name
        if self._until is not None and name not in self._state.read and changed.kind != "delete":
            self._state.changed.add((name, changed.table.place(changed.fields)))
            before = changed.before
            if not before or all(
                before[one] == changed.fields.get(one) for one in changed.table.key
            ):
                return  # read later, as it is then
            changed = Changed(changed.table, "delete", before, before)  # its old key is gone
        self.records.append(
            Record(
                changed.fields,
                name,
                f"{self._place}#{self._number}",
                changed.kind,  # type: ignore[arg-type]
                self._at + self._repeat(changed),
                changed.before,
            )
        )

    def _repeat(self, changed: Changed) -> int:
        """Changes of one row in one transaction are told one microsecond after the other."""
        table = changed.table
        row = (table.name, *[str(changed.fields.get(name)) for name in table.key])
        times = self._seen.get(row, -1) + 1
        self._seen[row] = times
        return times

    def _shape(self, message: bytes) -> None:
        table, before = self._decoder.table(message)
        if before is not None and (gone := _names(before) ^ _names(table)):
            log.info(
                "source.columns_changed",
                table=table.name,
                added=sorted(gone & _names(table)),
                removed=sorted(gone & _names(before)),
            )

    def _emptied(self, message: bytes) -> None:
        for table in self._decoder.emptied(message):
            if not self._is_given():
                reason = "TRUNCATE emptied this table; which rows it held the server does not say"
                place = f"{self._place}#{self._number}"
                self.unreadable.append(Unreadable(b"truncate", table.name, place, (reason,)))


def _names(table: Table) -> set[str]:
    return {column.name for column in table.columns}
