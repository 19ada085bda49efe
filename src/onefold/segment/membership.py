"""The columns of the evaluation plan's query, read from profiles: from traits and buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onefold.segment.clock import clock_value
from onefold.segment.metric import Column, Type
from onefold.segment.reading import convert, follow
from onefold.segment.this_session import VISITED
from onefold.segment.window_reading import (
    Facts,
    Moment,
    Reader,
    SequenceReader,
    SessionReader,
    absent,
    joined,
    make_reader,
    sooner,
)
from onefold.segment.zone import Zone

Row = tuple[Any, ...]


class _Never:
    """What no value is: one of these types is always converted."""


_PLAIN: dict[Type, type] = {"text": str, "number": float, "boolean": bool}


class Features:
    """Reads the columns of profiles, all as of the same moment: make one for each batch."""

    def __init__(self, columns: Sequence[Column], now: int, zone: Zone) -> None:
        self._zone = zone
        self._empty: list[Any] = [
            absent(column) if column.kind == "window" else None for column in columns
        ]
        self._traits: list[tuple[int, str, tuple[str, ...], type, Type]] = []
        self._metrics: dict[str, list[tuple[Reader, Type]]] = {}
        self._sequences: list[SequenceReader] = []
        self._sessions: list[SessionReader] = []
        places_of = Moment(now, zone).places
        for index, column in enumerate(columns):
            if column.kind == "clock":
                self._empty[index] = clock_value(column.path, now, zone)
            elif column.kind == "trait":
                name, *rest = column.path
                plain = _PLAIN.get(column.type, _Never)
                self._traits.append((index, name, tuple(rest), plain, column.type))
            else:
                inside = places_of(column.window)
                if column.sequence is not None:
                    later = places_of(column.window.open_ended())
                    self._sequences.append(SequenceReader(index, column, inside, later))
                    continue
                if column.session:
                    days = places_of(VISITED)
                    self._sessions.append(SessionReader(index, column, inside, days))
                    continue
                reader = make_reader(index, column, inside)
                self._metrics.setdefault(column.metric, []).append((reader, column.type))

    def row(self, traits: Mapping[str, Any], facts: Sequence[Facts]) -> tuple[Row, int | None]:
        """Read one profile: the values of the columns, and when one can next change by itself.

        `traits` is the golden record, `facts` the buckets of each identifier of the profile.
        The moment (µs UTC) is None when time alone will change nothing.
        """
        row = self._empty.copy()
        zone = self._zone
        for index, name, rest, plain, wanted in self._traits:
            value = traits.get(name)
            if value is not None:
                if rest or type(value) is not plain:
                    value = convert(follow(value, rest), wanted, zone)
                row[index] = value
        soonest: int | None = None
        kept = self._metrics
        for metric in {name for each in facts for name in kept.keys() & each.keys()}:
            found = joined(metric, facts)
            if found is not None:
                for reader, wanted in kept[metric]:
                    value, change = reader.read(found)
                    if type(value) is str and wanted != "text":
                        value = convert(value, wanted, zone)
                    row[reader.index] = value
                    if change is not None and (soonest is None or change < soonest):
                        soonest = change
        for sequence in self._sequences:
            row[sequence.index], change = sequence.read(facts)
            soonest = sooner(soonest, change)
        for session in self._sessions:
            value, change = session.read(facts)
            if type(value) is str and session.type != "text":
                value = convert(value, session.type, zone)
            row[session.index] = value
            soonest = sooner(soonest, change)
        return tuple(row), soonest
