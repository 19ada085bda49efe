"""Which outputs new events and traits can change, and so need to be computed anew.

Most outputs compare what they count with a number: `count_of('Order Completed') >= 3` turns with the
third order, and with no other. An output needs to be computed only if something that it reads is now
on another side of a number that it is compared with, or is otherwise used and another than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from onefold.segment.column_reading import Read, column_reader
from onefold.segment.kinds import Bucket
from onefold.segment.metric import Column
from onefold.segment.shapes import Marks, Single
from onefold.segment.watchers import (
    NUMBERS,
    CountsWatcher,
    NumbersWatcher,
    OtherWatcher,
    Watched,
    Watcher,
)
from onefold.segment.window_reading import Facts, Moment, joined
from onefold.segment.zone import Zone


class Changes(NamedTuple):
    """What a profile was told: which traits, and what was added to the buckets of its identifiers."""

    traits: Iterable[str] = ()
    added: Sequence[Facts] = ()


class Watches:
    """What the outputs of a plan read: by trait, and by metric."""

    def __init__(self, singles: Sequence[Single]) -> None:
        self.singles = singles
        self.by_trait: dict[str, set[int]] = {}
        self.by_metric: dict[str, list[Watched]] = {}
        columns: dict[str, tuple[Column, list[tuple[int, Marks]]]] = {}
        for place, single in enumerate(singles):
            for _, column in single.columns:
                if column.kind == "trait":
                    self.by_trait.setdefault(column.path[0], set()).add(place)
                elif column.kind == "window":
                    readers = columns.setdefault(column.name, (column, []))[1]
                    marks = single.marks[column.name] if column.type == "number" else None
                    readers.append((place, marks))
        for column, readers in columns.values():
            watched = _watched(column, readers)
            for metric in column.metrics:
                self.by_metric.setdefault(metric, []).append(watched)


def _watched(column: Column, readers: Sequence[tuple[int, Marks]]) -> Watched:
    marked = sorted((float(mark), place) for place, marks in readers for mark in marks or ())
    return Watched(
        column,
        tuple(mark for mark, _ in marked),
        tuple(place for _, place in marked),
        tuple(place for place, marks in readers if marks is None),
        frozenset(place for place, _ in readers),
    )


class Row(NamedTuple):
    """How an output becomes a row: what stands in it, and what is read of a profile."""

    query: int | None
    single: Single
    reads: tuple[tuple[int, str, Read], ...]


class Watch:
    """The same as of a moment, which goes on from batch to batch."""

    def __init__(self, watches: Watches, now: int, zone: Zone) -> None:
        self._watches = watches
        self._moment = Moment(now, zone)
        self._metrics: dict[str, list[Watcher]] = {}
        self._reads: dict[str, Read] = {}
        self._rows: dict[int, Row] = {}

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

    def concerned(
        self, changes: Changes, facts: Sequence[Facts], values: dict[str, Any]
    ) -> tuple[set[int], int | None]:
        """The places of the outputs that can have changed, and when time alone next changes what
        is new.

        `facts` are the profile's buckets with what was added; `values` takes what was read of columns.
        """
        found: set[int] = set()
        by_trait = self._watches.by_trait
        for trait in changes.traits:
            found |= by_trait.get(trait, _NOBODY)
        soonest: int | None = None
        for metric, delta in _together(changes.added):
            watches = self._metrics.get(metric)
            if watches is None:
                watches = self._make(metric)
            if watches:
                buckets = joined(metric, facts) or {}
                for watch in watches:
                    change = watch.look(buckets, delta, facts, found, values)
                    if change is not None and (soonest is None or change < soonest):
                        soonest = change
        return found, soonest

    def row(self, place: int) -> Row:
        """How the output at a place becomes a row."""
        row = self._rows.get(place)
        if row is None:
            single = self._watches.singles[place]
            reads = ((at, column.name, self.read(column)) for at, column in single.columns)
            row = self._rows[place] = Row(single.query, single, tuple(reads))
        return row

    def read(self, column: Column) -> Read:
        """How a column is read."""
        read = self._reads.get(column.name)
        if read is None:
            read = self._reads[column.name] = column_reader(column, self._moment)
        return read

    def _make(self, metric: str) -> list[Watcher]:
        counts: list[Watched] = []
        numbers: list[Watched] = []
        others: list[Watched] = []
        for one in self._watches.by_metric.get(metric, ()):
            column = one.column
            plain = column.sequence is None and not column.session
            if plain and column.aggregate == "count":
                counts.append(one)
            else:
                (numbers if plain and column.aggregate in NUMBERS else others).append(one)
        made: list[Watcher] = []
        if counts:
            made.append(CountsWatcher(counts, self._moment))
        if numbers:
            made.append(NumbersWatcher(numbers, self._moment))
        made += [OtherWatcher(one, self._moment) for one in others]
        self._metrics[metric] = made
        return made


_NOBODY: frozenset[int] = frozenset()


def _together(added: Sequence[Facts]) -> Iterable[tuple[str, Mapping[int, Bucket]]]:
    """What was added to some identifiers, by metric."""
    if len(added) == 1:
        return added[0].items()
    metrics = {metric for each in added for metric in each}
    return ((metric, joined(metric, added) or {}) for metric in metrics)
