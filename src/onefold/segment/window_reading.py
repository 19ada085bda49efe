"""Reading windows from buckets: the value now, and when time alone can next change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from onefold.segment.buckets import Bucket, Value, bucket_value, merge
from onefold.segment.metric import Column
from onefold.segment.window import Unit, bucket_start
from onefold.segment.zone import Zone

Facts = Mapping[str, Mapping[int, Bucket]]


class Reader(Protocol):
    """Reads one column from the buckets of a metric that it shares with others."""

    index: int

    def read(self, buckets: Mapping[int, Bucket]) -> tuple[Value, int | None]:
        """The value, and the moment (µs UTC) at which time alone can change it, if there is one."""
        ...


class Starts(dict[int, int]):
    """When each bucket of a unit begins, worked out once."""

    def __init__(self, unit: Unit, zone: Zone) -> None:
        super().__init__()
        self._unit: Unit = unit
        self._zone = zone

    def __missing__(self, bucket: int) -> int:
        start = self[bucket] = bucket_start(self._unit, bucket, self._zone)
        return start


def make_reader(index: int, column: Column, now: int, zone: Zone, starts: Starts) -> Reader:
    """Prepare to read a column, as of one moment, from the buckets of many profiles."""
    return WindowReader(index, column, now, zone, starts)


class WindowReader:
    """An aggregate of what lies inside a window."""

    __slots__ = ("_aggregate", "_ever", "_hi", "_lo", "_starts", "_window", "index")

    def __init__(self, index: int, column: Column, now: int, zone: Zone, starts: Starts) -> None:
        self.index = index
        self._aggregate = column.aggregate
        self._window = column.window
        self._ever = column.window.unit == "ever"
        self._lo, self._hi = column.window.span(now, zone)
        self._starts = starts

    def read(self, buckets: Mapping[int, Bucket]) -> tuple[Value, int | None]:
        """Aggregate what lies inside, and say when the oldest of it leaves or more comes in."""
        lo, hi = self._lo, self._hi
        total: Bucket | None = None
        oldest, future = hi + 1, None
        for number, bucket in buckets.items():
            if number > hi:
                future = number if future is None or number < future else future
            elif number >= lo:
                total = bucket if total is None else _plus(total, bucket)
                oldest = min(oldest, number)
        change = None
        if not self._ever:
            leaves = None if total is None else self._window.leaves(oldest)
            enters = None if future is None else self._window.enters(future)
            change = sooner(self._start(leaves), self._start(enters))
        return bucket_value(total, self._aggregate), change

    def _start(self, bucket: int | None) -> int | None:
        return None if bucket is None else self._starts[bucket]


def joined(metric: str, facts: Sequence[Facts]) -> Mapping[int, Bucket] | None:
    """The buckets of a metric of all identifiers of a profile."""
    found: Mapping[int, Bucket] | None = None
    for each in facts:
        buckets = each.get(metric)
        if buckets:
            found = buckets if found is None else _joined(found, buckets)
    return found


def sooner(a: int | None, b: int | None) -> int | None:
    """The earlier of two moments, of which either may never come."""
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def _joined(a: Mapping[int, Bucket], b: Mapping[int, Bucket]) -> Mapping[int, Bucket]:
    together = dict(a)
    for number, bucket in b.items():
        before = together.get(number)
        together[number] = bucket if before is None else _plus(before, bucket)
    return together


def _plus(a: Bucket, b: Bucket) -> Bucket:
    if type(a) is int and type(b) is int:
        return a + b
    return merge(a, b)
