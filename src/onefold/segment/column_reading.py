"""Reading one column of a profile at a time, as of a moment that goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onefold.segment.clock import clock_value
from onefold.segment.metric import Column
from onefold.segment.reading import convert, trait_value
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
"""Reads a column from traits and buckets."""


def column_reader(column: Column, moment: Moment) -> Read:
    """Prepare to read a column of any kind of many profiles."""
    zone = moment.zone
    if column.kind == "clock":
        return lambda traits, facts: clock_value(column.path, moment.at, zone)
    if column.kind == "trait":
        return lambda traits, facts: trait_value(traits, column.path, column.type, zone)
    if column.sequence is None and not column.session and column.aggregate == "count":
        metric, places = column.metric, moment.places(column.window)
        return lambda traits, facts: _count(joined(metric, facts), places)
    read = window_reader(column, moment)
    return lambda traits, facts: read(facts)[0]


def _count(buckets: Mapping[int, Any] | None, places: Places) -> int:
    return sum([n for number, n in buckets.items() if places[number][0]]) if buckets else 0


def window_reader(
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
