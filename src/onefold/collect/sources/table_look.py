"""Tables of change streams as they are now, looked at without a trace: no slot, no publication, no position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from onefold.collect.sources.first_reading import FirstReading
from onefold.model.pulled import Batch, Position

Rows = Iterator[tuple[str, dict[str, Any]]]
"""Each row of a table, with the place that it stands at."""
Tables = list[tuple[str, Callable[[], Rows]]]
"""Tables by name, with what reads their rows."""
_AT_ONCE = 5_000


class TableLook:
    """A source of the rows that tables have, `most` of all together; it ends with them.

    `open_view` gives the tables and the time (µs) at which they are seen.
    """

    def __init__(
        self, open_view: Callable[[], AbstractContextManager[tuple[Tables, int]]], most: int | None
    ) -> None:
        self._open_view = open_view
        self._most = most

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """All rows, whatever the position."""
        with self._open_view() as (tables, time):
            each = None if self._most is None else max(1, self._most // max(1, len(tables)))
            looked = _Looked()
            looked.begin(time, len(tables))
            for name, rows in tables:
                yield from looked.table(name, islice(rows(), each), _AT_ONCE)

    def stored(self, position: Position) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing outlives the reading."""


class _Looked(FirstReading):
    def position(self) -> Position:
        return {}
