"""Which outputs new events and traits can change, and so need to be computed anew.

Most outputs compare what they count with a number: `count_of('Order Completed') >= 3` turns with the
third order, and with no other. An output needs to be computed only if something that it reads is now
on another side of a number that it is compared with, or is otherwise used and another than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from onefold.segment.cells import Ints
from onefold.segment.column_reading import Read, column_reader
from onefold.segment.crossing import Crossings, Readers
from onefold.segment.metric import Column, Metric
from onefold.segment.shapes import Marks, Single
from onefold.segment.tallies import Columns, Spans
from onefold.segment.watchers import Watched, Watcher
from onefold.segment.window_reading import Facts, Moment
from onefold.segment.zone import Zone


class Watches:
    """What the outputs of a plan read: by trait, by metric, and in columns that are read at once."""

    def __init__(self, singles: Sequence[Single], metrics: Iterable[Metric]) -> None:
        self.singles = singles
        self.columns = Columns(singles, metrics)
        self.by_trait: dict[str, set[int]] = {}
        self.by_metric: dict[str, list[Watched]] = {}
        windows: dict[str, tuple[Column, list[tuple[int, Marks]]]] = {}
        for place, single in enumerate(singles):
            for _, column in single.columns:
                if column.kind == "trait":
                    self.by_trait.setdefault(column.path[0], set()).add(place)
                elif column.kind == "window":
                    marks = single.marks[column.name] if column.type == "number" else None
                    windows.setdefault(column.name, (column, []))[1].append((place, marks))
        readers = [Readers((), (), ())] * len(self.columns.columns)
        for column, places in windows.values():
            number = self.columns.number.get(column.name)
            if number is not None:
                readers[number] = _readers(places)
                continue
            watched = Watched(column, frozenset(place for place, _ in places))
            for metric in column.metrics:
                self.by_metric.setdefault(metric, []).append(watched)
        self.crossings = Crossings(self.columns, readers)
        self.plain: Ints = np.array([self._plain(one) for one in singles], np.int64)
        """Of each output that is nothing but a number read at once, the column; of others -1."""

    def _plain(self, single: Single) -> int:
        if len(single.columns) != 1 or single.turns:
            return -1
        column = single.columns[0][1]
        alone = single.shape[:1] == ("n0",) and column.kind == "window"
        return self.columns.number.get(column.name, -1) if alone else -1


def _readers(places: Sequence[tuple[int, Marks]]) -> Readers:
    return Readers(
        [(float(mark), place) for place, marks in places for mark in marks or ()],
        [place for place, marks in places if marks is None],
        [place for place, _ in places],
    )


class Row(NamedTuple):
    """How an output becomes a row: what stands in it, and what is read of a profile.

    One that `is_text` is the only thing that is read, and needs no query.
    """

    query: int | None
    single: Single
    reads: tuple[tuple[int, str, Read], ...]
    is_text: bool


class Watch:
    """The same as of a moment, which goes on from batch to batch."""

    def __init__(self, watches: Watches, now: int, zone: Zone) -> None:
        self._watches = watches
        self._moment = Moment(now, zone)
        self._metrics: dict[str, list[Watcher]] = {}
        self._reads: dict[str, Read] = {}
        self._rows: dict[int, Row] = {}
        self._turned()

    def move(self, now: int) -> None:
        """Go to another moment, which is nearly always of the same day."""
        turned = self._moment.move(now)
        if turned:
            self._rows.clear()
            self._reads.clear()
            self._metrics = {
                metric: watches
                for metric, watches in self._metrics.items()
                # Sessions of whatever unit look at days too.
                if "day" not in turned and turned.isdisjoint(one.unit for one in watches)
            }
            self._turned()

    def _turned(self) -> None:
        self.spans = Spans(self._watches.columns, self._moment)
        """The windows of the columns that are read at once."""
        self._watches.crossings.move(self._moment)

    def concerned(
        self,
        traits: Iterable[str],
        metrics: Iterable[str],
        facts: Sequence[Facts],
        values: dict[str, Any],
    ) -> tuple[set[int], int | None]:
        """The places of the outputs that can have changed because traits are others, or by what was added
        to metrics that are read one by one; and when time alone next changes what is new.

        `facts` are the profile's buckets with what was added; `values` takes what was read of columns.
        """
        found: set[int] = set()
        by_trait = self._watches.by_trait
        for trait in traits:
            found |= by_trait.get(trait, _NOBODY)
        soonest: int | None = None
        for metric in metrics:
            for watch in self._metrics.get(metric) or self._make(metric):
                change = watch.look(facts, found, values)
                if change is not None and (soonest is None or change < soonest):
                    soonest = change
        return found, soonest

    def row(self, place: int) -> Row:
        """How the output at a place becomes a row."""
        row = self._rows.get(place)
        if row is None:
            single = self._watches.singles[place]
            reads = ((at, column.name, self.read(column)) for at, column in single.columns)
            row = self._rows[place] = Row(single.query, single, tuple(reads), single.is_text)
        return row

    def read(self, column: Column) -> Read:
        """How a column is read."""
        read = self._reads.get(column.name)
        if read is None:
            read = self._reads[column.name] = column_reader(column, self._moment)
        return read

    def _make(self, metric: str) -> list[Watcher]:
        made = [Watcher(one, self._moment) for one in self._watches.by_metric.get(metric, ())]
        self._metrics[metric] = made
        return made


_NOBODY: frozenset[int] = frozenset()
