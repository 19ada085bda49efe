"""Tables that are read whole before their changes are followed. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from onefold.model.pulled import Batch, Position, Record

HOUR = 3_600_000_000


def later(at: int, last: int) -> int:
    """The time of a change: a microsecond after the last one at least, unless the clock was set back.

    >>> later(5, 3), later(3, 3)
    (5, 4)
    """
    return at if at > last or last - at > HOUR else last + 1


class FirstReading(ABC):
    """How far a change stream is with the tables whose rows are all read first.

    `time` is that of the rows that are read. A row that was perhaps read before, by a reader that was
    killed, and did not change since, keeps the time at which the first reading `began`, so that it is the
    same record; `changed` are those that did, by table and place.
    """

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.time = 0
        self.changed: set[tuple[str, str]] = set()
        self._began = 0
        self._unread = 0

    @abstractmethod
    def position(self) -> Position:
        """Where to go on, with what `told` says."""

    def told(self) -> Position:
        """What a position says of this reading."""
        told: Position = {"read": sorted(self.read)}
        if self._began and self._unread:
            told["began"] = self._began
        return told

    def resume(self, position: Position) -> None:
        """Go on where a position was given."""
        self.read |= set(position["read"])
        self._began = position.get("began", 0)

    def begin(self, time: int, unread: int) -> None:
        """So many tables will be read as they are at a time, unless that was begun before."""
        self._began, self._unread = self._began or time, unread

    def end(self) -> None:
        """All are read."""
        self._began = 0
        self.changed.clear()

    def table(
        self,
        name: str,
        rows: Iterable[tuple[str, dict[str, Any]]],
        most: int,
        total: int | None = None,
    ) -> Iterator[Batch]:
        """The rows of a table with their places, at `most` so many at once."""
        records: list[Record] = []
        for place, fields in rows:
            records.append(Record(fields, name, place, "read", self._time_of(name, place)))
            if len(records) >= most:
                yield Batch(records, self.position(), total=total)
                records = []
        self.read.add(name)
        self._unread -= 1
        yield Batch(records, self.position(), total=total)

    def _time_of(self, table: str, place: str) -> int:
        if (table, place) in self.changed or (table, "") in self.changed:
            return self.time
        return self._began
