"""What a file is like, read once from beginning to end: all of it is counted, some of it is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import msgspec

from onefold.model.pulled import Batch, Record

_MOST_CHARACTERS = 32 << 20
"""Of all that is kept: of rows that are very long, fewer are."""
_MOST_VALUES = 20_000
_MOST_FIELDS = 2_000
_EXAMPLE = 60


class FieldFill(msgspec.Struct, frozen=True):
    """How a field of the file fills: in so many of the rows looked at, with so many values, and one."""

    stream: str
    name: str
    filled: int
    rows: int
    distinct: int
    example: str


class Sampling:
    """Takes batches in; keeps every row of a small file, and of a large one rows at even distances.

    At least as many as its size, and less than twice as many; fewer where rows are very long.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._every = 1
        self._next = 0
        self.records: list[Record] = []
        self._lengths: list[int] = []
        self.rows = 0
        self.unreadable = 0
        self.reasons: Counter[str] = Counter()

    def add(self, batch: Batch) -> None:
        """Count a batch, and keep some of it."""
        self.unreadable += len(batch.unreadable)
        for one in batch.unreadable:
            self.reasons.update(one.reasons)
        count = len(batch.records)
        start = self._next - self.rows
        if start < count:
            kept = batch.records[start :: self._every]
            self.records += kept
            self._lengths += [len(str(one.fields)) for one in kept]
            self._next += len(kept) * self._every
        self.rows += count
        while len(self.records) > 2 * self._size or (
            sum(self._lengths) > _MOST_CHARACTERS and len(self.records) > 1
        ):
            self.records = self.records[::2]
            self._lengths = self._lengths[::2]
            self._every *= 2
            self._next = len(self.records) * self._every

    @property
    def whole(self) -> bool:
        """Is every record kept?"""
        return self._every == 1

    def fills(self) -> list[FieldFill]:
        """How the fields of the kept records fill."""
        rows: Counter[str] = Counter(one.stream for one in self.records)
        columns: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
        for record in self.records:
            stream = record.stream
            for name, value in record.fields.items():
                if value not in (None, "", [], {}):
                    columns[stream, name].append(value)
                elif (stream, name) not in columns:
                    columns[stream, name] = []
        found = []
        for (stream, name), values in list(columns.items())[:_MOST_FIELDS]:
            distinct = len({str(one) for one in values[:_MOST_VALUES]})
            example = str(values[0])[:_EXAMPLE] if values else ""
            found.append(FieldFill(stream, name, len(values), rows[stream], distinct, example))
        return found
