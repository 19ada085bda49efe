"""The columns of the evaluation plan's query, read from profiles: from traits and buckets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from onefold.segment.buckets import Bucket, Value, bucket_value, merge
from onefold.segment.metric import Aggregate, Column, Type
from onefold.segment.window import Unit, bucket_in, bucket_start
from onefold.segment.zone import Zone

Facts = Mapping[str, Mapping[int, Bucket]]
Row = tuple[Any, ...]


class Features:
    """Reads the columns of profiles, all as of the same moment: make one for each batch."""

    def __init__(self, columns: Sequence[Column], now: int, zone: Zone) -> None:
        self._empty: list[Any] = [
            0 if column.kind == "window" and column.aggregate == "count" else None
            for column in columns
        ]
        self._traits: list[tuple[int, str, tuple[str, ...], type, Type]] = []
        self._metrics: dict[str, list[_Window]] = {}
        starts: dict[Unit, _Starts] = {}
        for index, column in enumerate(columns):
            if column.kind == "trait":
                name, *rest = column.path
                plain = _PLAIN[column.type]
                self._traits.append((index, name, tuple(rest), plain, column.type))
            else:
                unit = column.unit
                begins = starts.setdefault(unit, _Starts(unit, zone))
                window = _Window(index, column, bucket_in(unit, now, zone), begins)
                self._metrics.setdefault(column.metric, []).append(window)

    def row(self, traits: Mapping[str, Any], facts: Sequence[Facts]) -> tuple[Row, int | None]:
        """Read one profile: the values of the columns, and when one can next change by itself.

        `traits` is the golden record, `facts` the buckets of each identifier of the profile.
        The moment (µs UTC) is None when time alone will change nothing.
        """
        row = self._empty.copy()
        for index, name, rest, plain, wanted in self._traits:
            value = traits.get(name)
            if value is not None:
                if rest or type(value) is not plain:
                    value = convert(_follow(value, rest), wanted)
                row[index] = value
        soonest: int | None = None
        for metric, windows in self._metrics.items():
            found: Mapping[int, Bucket] | None = None
            for each in facts:
                buckets = each.get(metric)
                if buckets:
                    found = buckets if found is None else _joined(found, buckets)
            if found is not None:
                for window in windows:
                    row[window.index], change = window.read(found)
                    if change is not None and (soonest is None or change < soonest):
                        soonest = change
        return tuple(row), soonest


class _Starts(dict[int, int]):
    """When each bucket of a unit begins, worked out once."""

    def __init__(self, unit: Unit, zone: Zone) -> None:
        super().__init__()
        self._unit: Unit = unit
        self._zone = zone

    def __missing__(self, bucket: int) -> int:
        start = self[bucket] = bucket_start(self._unit, bucket, self._zone)
        return start


class _Window:
    """One window of a metric, from its lowest to the current bucket."""

    __slots__ = ("_aggregate", "_ever", "_hi", "_lo", "_n", "_starts", "_type", "index")

    def __init__(self, index: int, column: Column, current: int, starts: _Starts) -> None:
        self.index = index
        self._aggregate: Aggregate = column.aggregate
        self._type: Type = column.type
        self._ever = column.unit == "ever"
        self._hi = current
        self._n = column.n
        self._lo = current if self._ever else current - column.n + 1
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
            if total is not None:
                change = self._starts[oldest + self._n]
            if future is not None:
                enters = self._starts[future]
                change = enters if change is None or enters < change else change
        value = bucket_value(total, self._aggregate)
        if isinstance(value, str) and self._type != "text":
            value = convert(value, self._type)
        return value, change


def trait_value(traits: Mapping[str, Any], path: Sequence[str], type: Type) -> Value:
    """Read a trait as a type; what is absent or cannot be read as it is None."""
    value = traits.get(path[0])
    return None if value is None else convert(_follow(value, path[1:]), type)


def convert(value: Any, wanted: Type) -> Value:
    """Read a JSON value as a type, as the queries over events do: else None."""
    return None if value is None else _CONVERSIONS[wanted](value)


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _to_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not value.isascii():
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _to_boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


_PLAIN: dict[Type, type] = {"text": str, "number": float, "boolean": bool}
_CONVERSIONS: dict[Type, Callable[[Any], Value]] = {
    "text": _to_text,
    "number": _to_number,
    "boolean": _to_boolean,
}


def _follow(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _joined(a: Mapping[int, Bucket], b: Mapping[int, Bucket]) -> Mapping[int, Bucket]:
    """The buckets of two identifiers of one profile."""
    joined = dict(a)
    for number, bucket in b.items():
        before = joined.get(number)
        joined[number] = bucket if before is None else _plus(before, bucket)
    return joined


def _plus(a: Bucket, b: Bucket) -> Bucket:
    if type(a) is int and type(b) is int:
        return a + b
    return merge(a, b)
