"""Reading windows from buckets: the value now, and when time alone can next change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from onefold.segment.buckets import Bucket, Value, bucket_value, merge
from onefold.segment.metric import Column
from onefold.segment.window import Unit, Window, bucket_start
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


class Places(dict[int, tuple[bool, int | None]]):
    """Of each bucket, worked out once: is it inside a window now, and when will that change?"""

    def __init__(self, window: Window, now: int, zone: Zone, starts: Starts) -> None:
        super().__init__()
        self._window = window
        self._lo, self._hi = window.span(now, zone)
        self._starts = starts

    def __missing__(self, number: int) -> tuple[bool, int | None]:
        inside = self._lo <= number <= self._hi
        if self._window.unit == "ever":
            turns = None
        elif inside:
            turns = self._window.leaves(number)
        else:
            turns = self._window.enters(number) if number > self._hi else None
        place = self[number] = inside, None if turns is None else self._starts[turns]
        return place


def make_reader(index: int, column: Column, places: Places) -> Reader:
    """Prepare to read a column, as of one moment, from the buckets of many profiles."""
    return WindowReader(index, column, places)


class WindowReader:
    """An aggregate of what lies inside a window."""

    __slots__ = ("_aggregate", "_places", "index")

    def __init__(self, index: int, column: Column, places: Places) -> None:
        self.index = index
        self._aggregate = column.aggregate
        self._places = places

    def read(self, buckets: Mapping[int, Bucket]) -> tuple[Value, int | None]:
        """Aggregate what lies inside, and say when the first of it leaves or more comes in."""
        places = self._places
        total: Bucket | None = None
        change: int | None = None
        for number, bucket in buckets.items():
            inside, turns = places[number]
            if inside:
                total = bucket if total is None else _plus(total, bucket)
            if turns is not None and (change is None or turns < change):
                change = turns
        return total if type(total) is int else bucket_value(total, self._aggregate), change


def joined(metric: str, facts: Sequence[Facts]) -> Mapping[int, Bucket] | None:
    """The buckets of a metric of all identifiers of a profile."""
    found: Mapping[int, Bucket] | None = None
    for each in facts:
        buckets = each.get(metric)
        if buckets:
            found = buckets if found is None else _joined(found, buckets)
    return found


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
