"""Which outputs new events and traits can change, and so need to be computed anew.

Most outputs compare what they count with a number: `count_of('Order Completed') >= 3` turns with the
third order, and with no other. An output needs to be computed only if something that it reads is now
on another side of a number that it is compared with, or is otherwise used and another than before.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from onefold.segment.aggregates import sum_value
from onefold.segment.clock import clock_value
from onefold.segment.kinds import CARRY, Bucket, Numbers, make_numbers
from onefold.segment.metric import Aggregate, Column
from onefold.segment.reading import convert, trait_value
from onefold.segment.shapes import Marks, Single
from onefold.segment.this_session import VISITED
from onefold.segment.window_reading import (
    Facts,
    Moment,
    Places,
    SequenceReader,
    SessionReader,
    joined,
    make_reader,
)

Read = Callable[[Mapping[str, Any], Sequence[Facts]], Any]


class Changes(NamedTuple):
    """What a profile was told: which traits, and what was added to the buckets of its identifiers."""

    traits: Iterable[str] = ()
    added: Sequence[Facts] = ()


class Watched(NamedTuple):
    """A column, with the outputs that read it, by their places.

    Those at `places[i]` can change only if the column comes to lie on the other side of `marks[i]`, which
    ascend; the `others` by any change of it.
    """

    column: Column
    marks: tuple[float, ...]
    places: tuple[int, ...]
    others: tuple[int, ...]

    @property
    def everybody(self) -> set[int]:
        """The places of all that read it."""
        return {*self.places, *self.others}


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
                    readers.append((place, single.marks[column.name]))
        for column, readers in columns.values():
            watched = _watched(column, readers)
            for metric in column.metrics:
                self.by_metric.setdefault(metric, []).append(watched)


def _watched(column: Column, readers: Sequence[tuple[int, Marks]]) -> Watched:
    marked = sorted((mark, place) for place, marks in readers for mark in marks or ())
    return Watched(
        column,
        tuple(mark for mark, _ in marked),
        tuple(place for _, place in marked),
        tuple(place for place, marks in readers if marks is None),
    )


class Row(NamedTuple):
    """How an output becomes a row: what stands in it, and what is read of a profile."""

    query: int | None
    single: Single
    reads: tuple[tuple[int, str, Read], ...]


class Watch:
    """The same at one moment: made for each batch."""

    def __init__(self, watches: Watches, moment: Moment) -> None:
        self._watches = watches
        self._moment = moment
        self._metrics: dict[str, list[_Watch]] = {}
        self._reads: dict[str, Read] = {}
        self._rows: dict[int, Row] = {}

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
            reads = ((at, column.name, self._read(column)) for at, column in single.columns)
            row = self._rows[place] = Row(single.query, single, tuple(reads))
        return row

    def _read(self, column: Column) -> Read:
        read = self._reads.get(column.name)
        if read is None:
            read = self._reads[column.name] = _reader(column, self._moment)
        return read

    def _make(self, metric: str) -> list[_Watch]:
        counts: list[Watched] = []
        numbers: list[Watched] = []
        others: list[Watched] = []
        for one in self._watches.by_metric.get(metric, ()):
            column = one.column
            plain = column.sequence is None and not column.session
            if plain and column.aggregate == "count":
                counts.append(one)
            else:
                (numbers if plain and column.aggregate in _CHANGES else others).append(one)
        made: list[_Watch] = []
        if counts:
            made.append(_Counts(counts, self._moment))
        if numbers:
            made.append(_Numbers(numbers, self._moment))
        made += [_Other(one, self._moment) for one in others]
        self._metrics[metric] = made
        return made


_NOBODY: frozenset[int] = frozenset()


def _together(added: Sequence[Facts]) -> Iterable[tuple[str, Mapping[int, Bucket]]]:
    """What was added to some identifiers, by metric."""
    if len(added) == 1:
        return added[0].items()
    metrics = {metric for each in added for metric in each}
    return ((metric, joined(metric, added) or {}) for metric in metrics)


def _reader(column: Column, moment: Moment) -> Read:
    """Prepare to read a column of any kind of many profiles."""
    zone = moment.zone
    if column.kind == "clock":
        told = clock_value(column.path, moment.now, zone)
        return lambda traits, facts: told
    if column.kind == "trait":
        return lambda traits, facts: trait_value(traits, column.path, column.type, zone)
    if column.sequence is None and not column.session and column.aggregate == "count":
        metric, places = column.metric, moment.places(column.window)
        return lambda traits, facts: _count(joined(metric, facts), places)
    read = _window_reader(column, moment)
    return lambda traits, facts: read(facts)[0]


def _count(buckets: Mapping[int, Any] | None, places: Places) -> int:
    return sum([n for number, n in buckets.items() if places[number][0]]) if buckets else 0


def _window_reader(
    column: Column, moment: Moment
) -> Callable[[Sequence[Facts]], tuple[Any, int | None]]:
    """Prepare to read a window, and when time alone next changes it."""
    inside = moment.places(column.window)
    read: Callable[[Sequence[Facts]], tuple[Any, int | None]]
    if column.sequence is not None:
        read = SequenceReader(0, column, inside, moment.places(column.window.open_ended())).read
    elif column.session:
        read = SessionReader(0, column, inside, moment.places(VISITED)).read
    else:
        window = make_reader(0, column, inside)

        def read(facts: Sequence[Facts]) -> tuple[Any, int | None]:
            return window.read(joined(column.metric, facts) or {})

    if column.type == "text":
        return read

    def typed(facts: Sequence[Facts]) -> tuple[Any, int | None]:
        value, change = read(facts)
        return convert(value, column.type, moment.zone) if type(value) is str else value, change

    return typed


class _Watch(Protocol):
    """Watches some columns of a metric."""

    def look(
        self,
        buckets: Mapping[int, Bucket],
        delta: Mapping[int, Bucket],
        facts: Sequence[Facts],
        found: set[int],
        values: dict[str, Any],
    ) -> int | None:
        """Find the outputs that `delta`, which is in `buckets`, can have changed.

        Gives the moment at which time alone next changes what is new.
        """
        ...


class _Inside(dict[int, tuple[tuple[int, ...], int | None]]):
    """Of each bucket, worked out once: in which of some windows it is, and when that next changes."""

    def __init__(self, windows: Sequence[Places]) -> None:
        super().__init__()
        self._windows = windows

    def __missing__(self, number: int) -> tuple[tuple[int, ...], int | None]:
        places = [window[number] for window in self._windows]
        inside = tuple(place for place, (is_in, _) in enumerate(places) if is_in)
        turns = [turn for _, turn in places if turn is not None]
        found = self[number] = inside, min(turns, default=None)
        return found


class _Counts:
    """Numbers of events over some windows: all are added up together."""

    def __init__(self, watched: Sequence[Watched], moment: Moment) -> None:
        self._watched = watched
        self._inside = _Inside([moment.places(one.column.window) for one in watched])
        self._nothing = [0] * len(watched)
        self._marks = sorted({mark for one in watched for mark in one.marks})
        self._others = any(one.others for one in watched)

    def look(
        self,
        buckets: Mapping[int, Any],
        delta: Mapping[int, Any],
        facts: Sequence[Facts],
        found: set[int],
        values: dict[str, Any],
    ) -> int | None:
        inside = self._inside
        soonest: int | None = None
        for number, more in delta.items():
            places, turn = inside[number]
            if turn is not None and (soonest is None or turn < soonest):
                soonest = turn
            if places and (self._others or self._perhaps(buckets, number, more)):
                self._look(buckets, delta, found, values)
                break
        return soonest

    def _perhaps(self, buckets: Mapping[int, Any], number: int, more: int) -> bool:
        """Whether a mark lies between the least and the most that a window with a bucket can hold."""
        marks, least = self._marks, buckets.get(number, more) - more
        return bisect_right(marks, least) != bisect_right(marks, sum(buckets.values()))

    def _look(
        self,
        buckets: Mapping[int, Any],
        delta: Mapping[int, Any],
        found: set[int],
        values: dict[str, Any],
    ) -> None:
        inside = self._inside
        totals, added = self._nothing.copy(), self._nothing.copy()
        for number, n in buckets.items():
            for place in inside[number][0]:
                totals[place] += n
        for number, n in delta.items():
            for place in inside[number][0]:
                added[place] += n
        for one, total, more in zip(self._watched, totals, added, strict=True):
            if more:
                column, marks, places, others = one
                low, high = bisect_right(marks, total - more), bisect_right(marks, total)
                if low != high:
                    found.update(places[low:high])
                    values[column.name] = total
                if others:
                    found.update(others)


class _Numbers:
    """Sums, averages and extremes over some windows."""

    def __init__(self, watched: Sequence[Watched], moment: Moment) -> None:
        self._watched = watched
        self._inside = _Inside([moment.places(one.column.window) for one in watched])
        self._changes = [_CHANGES[one.column.aggregate] for one in watched]

    def look(
        self,
        buckets: Mapping[int, Any],
        delta: Mapping[int, Any],
        facts: Sequence[Facts],
        found: set[int],
        values: dict[str, Any],
    ) -> int | None:
        inside = self._inside
        soonest: int | None = None
        added: dict[int, list[Numbers]] = {}
        for number, bucket in delta.items():
            places, turn = inside[number]
            for place in places:
                added.setdefault(place, []).append(bucket)
            if turn is not None and (soonest is None or turn < soonest):
                soonest = turn
        now: dict[int, list[Numbers]] = {place: [] for place in added}
        for number, bucket in buckets.items():
            for place in inside[number][0]:
                if place in now:
                    now[place].append(bucket)
        for place, more in added.items():
            before, after = self._changes[place](now[place], more)
            one = self._watched[place]
            if before is None or after is None:
                found.update(one.everybody)
            elif before != after:
                low, high = bisect_right(one.marks, before), bisect_right(one.marks, after)
                if low != high:
                    found.update(one.places[min(low, high) : max(low, high)])
                found.update(one.others)
        return soonest


class _Other:
    """What can't be told from what was added alone: it is read."""

    def __init__(self, watched: Watched, moment: Moment) -> None:
        self._name = watched.column.name
        self._everybody = watched.everybody
        self._read = _window_reader(watched.column, moment)

    def look(
        self,
        buckets: Mapping[int, Bucket],
        delta: Mapping[int, Bucket],
        facts: Sequence[Facts],
        found: set[int],
        values: dict[str, Any],
    ) -> int | None:
        found |= self._everybody
        values[self._name], change = self._read(facts)
        return change


# What an aggregate was before some buckets were added to what lies in a window, and what it is now. Of an
# extreme, the farthest that it can have been. None: perhaps it was absent.

_Change = tuple[float | None, float | None]


def _sum_change(now: Sequence[Numbers], more: Sequence[Numbers]) -> _Change:
    total = added = n = 0
    for one in now:
        total += one.micros
        n += one.n
        if one.carry:
            total += one.carry * CARRY
    for one in more:
        added += one.micros
        n -= one.n
        if one.carry:
            added += one.carry * CARRY
    return (_value(total - added), _value(total)) if n else (None, None)


def _average_change(now: Sequence[Numbers], more: Sequence[Numbers]) -> _Change:
    before, after = _sum_change(now, more)
    if before is None or after is None:
        return None, None
    n = _count_of(now)
    return before / (n - _count_of(more)), after / n


def _least_change(now: Sequence[Numbers], more: Sequence[Numbers]) -> _Change:
    if _count_of(now) == _count_of(more):
        return None, None
    after = min([one.min for one in now])
    return after if min([one.min for one in more]) > after else math.inf, after


def _largest_change(now: Sequence[Numbers], more: Sequence[Numbers]) -> _Change:
    if _count_of(now) == _count_of(more):
        return None, None
    after = max([one.max for one in now])
    return after if max([one.max for one in more]) < after else -math.inf, after


def _count_of(buckets: Sequence[Numbers]) -> int:
    return sum([one.n for one in buckets])


def _value(micros: int) -> float:
    """A sum as it is read from a bucket."""
    if -CARRY < micros < CARRY:
        return micros / 1e6
    return sum_value(make_numbers(0, micros, 0, 0))


_CHANGES: dict[Aggregate, Callable[[Sequence[Numbers], Sequence[Numbers]], _Change]] = {
    "sum": _sum_change,
    "avg": _average_change,
    "min": _least_change,
    "max": _largest_change,
}
