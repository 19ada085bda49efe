"""What is added to buckets that are not read for many profiles at once, and which outputs that can change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from onefold.segment.column_reading import window_reader
from onefold.segment.metric import Column
from onefold.segment.window import Unit
from onefold.segment.window_reading import Facts, Moment


class Watched(NamedTuple):
    """A column, with the places of the outputs that read it."""

    column: Column
    everybody: frozenset[int]


class Watcher:
    """Watches a column of which can't be told from what was added alone whether it changes: it is read."""

    def __init__(self, watched: Watched, moment: Moment) -> None:
        self.unit: Unit = watched.column.window.unit
        self._name = watched.column.name
        self._everybody = watched.everybody
        self._read = window_reader(watched.column, moment)

    def look(self, facts: Sequence[Facts], found: set[int], values: dict[str, Any]) -> int | None:
        """Find the outputs that can have changed.

        Gives the moment at which time alone next changes what is new.
        """
        found |= self._everybody
        values[self._name], change = self._read(facts)
        return change
