"""What was added to the buckets of a metric, and which outputs that can change."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from onefold.segment.aggregates import sum_value
from onefold.segment.column_reading import window_reader
from onefold.segment.kinds import CARRY, Bucket, Numbers, make_numbers
from onefold.segment.metric import Aggregate, Column
from onefold.segment.window import Unit
from onefold.segment.window_reading import Facts, Moment, Places


class Watched(NamedTuple):
    """A column, with the outputs that read it, by their places.

    Those at `places[i]` can change only if the column comes to lie on the other side of `marks[i]`, which
    ascend; the `others` by any change of it; `everybody` who reads it if it comes to be, or ceases to be, absent.
    """

    column: Column
    marks: tuple[float, ...]
    places: tuple[int, ...]
    others: tuple[int, ...]
    everybody: frozenset[int]


class Watcher(Protocol):
    """Watches some columns of a metric."""

    unit: Unit

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


class CountsWatcher:
    """Numbers of events over some windows: all are added up together."""

    def __init__(self, watched: Sequence[Watched], moment: Moment) -> None:
        self.unit = watched[0].column.window.unit
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
        if len(self._watched) == 1:  # as of every condition that only one rule has
            total = sum([n for number, n in buckets.items() if inside[number][0]])
            more = sum([n for number, n in delta.items() if inside[number][0]])
            self._note(self._watched[0], total - more, total, found, values)
            return
        totals, added = self._nothing.copy(), self._nothing.copy()
        for number, n in buckets.items():
            for place in inside[number][0]:
                totals[place] += n
        for number, n in delta.items():
            for place in inside[number][0]:
                added[place] += n
        for one, total, more in zip(self._watched, totals, added, strict=True):
            if more:
                self._note(one, total - more, total, found, values)

    def _note(
        self, one: Watched, before: int, after: int, found: set[int], values: dict[str, Any]
    ) -> None:
        marks = one.marks
        low, high = bisect_right(marks, before), bisect_right(marks, after)
        if low != high:
            found.update(one.places[low:high])
            values[one.column.name] = after
        if one.others:
            found.update(one.others)


class NumbersWatcher:
    """Sums, averages and extremes over some windows."""

    def __init__(self, watched: Sequence[Watched], moment: Moment) -> None:
        self.unit = watched[0].column.window.unit
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


class OtherWatcher:
    """What can't be told from what was added alone: it is read."""

    def __init__(self, watched: Watched, moment: Moment) -> None:
        self.unit = watched.column.window.unit
        self._name = watched.column.name
        self._everybody = watched.everybody
        self._read = window_reader(watched.column, moment)

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
NUMBERS = tuple(_CHANGES)
"""The aggregates of numbers that are added up."""
