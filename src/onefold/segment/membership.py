"""The columns of the evaluation plan's query, read from profiles: from traits and buckets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from onefold.segment.buckets import Value
from onefold.segment.metric import Column, Type
from onefold.segment.window import Unit
from onefold.segment.window_reading import Facts, Reader, Starts, joined, make_reader
from onefold.segment.zone import Zone

Row = tuple[Any, ...]


class Features:
    """Reads the columns of profiles, all as of the same moment: make one for each batch."""

    def __init__(self, columns: Sequence[Column], now: int, zone: Zone) -> None:
        self._empty: list[Any] = [
            0 if column.kind == "window" and column.aggregate == "count" else None
            for column in columns
        ]
        self._traits: list[tuple[int, str, tuple[str, ...], type, Type]] = []
        self._metrics: dict[str, list[tuple[Reader, Type]]] = {}
        starts: dict[Unit, Starts] = {}
        for index, column in enumerate(columns):
            if column.kind == "trait":
                name, *rest = column.path
                plain = _PLAIN[column.type]
                self._traits.append((index, name, tuple(rest), plain, column.type))
            else:
                unit = column.window.unit
                begins = starts.setdefault(unit, Starts(unit, zone))
                reader = make_reader(index, column, now, zone, begins)
                self._metrics.setdefault(column.metric, []).append((reader, column.type))

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
        kept = self._metrics
        for metric in {name for each in facts for name in kept.keys() & each.keys()}:
            found = joined(metric, facts)
            if found is not None:
                for reader, wanted in kept[metric]:
                    value, change = reader.read(found)
                    if type(value) is str and wanted != "text":
                        value = convert(value, wanted)
                    row[reader.index] = value
                    if change is not None and (soonest is None or change < soonest):
                        soonest = change
        return tuple(row), soonest


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
