"""The columns that are read for many profiles at once: windows over counts and numbers, and traits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from onefold.segment.cells import (
    METRIC,
    METRIC_BITS,
    Cells,
    Floats,
    Ints,
    Numbered,
    Yes,
    distinct,
    placed,
    ranges,
    together,
)
from onefold.segment.kinds import CARRY
from onefold.segment.metric import Column, Metric
from onefold.segment.reading import trait_value
from onefold.segment.runs import Runs
from onefold.segment.shapes import Single
from onefold.segment.window import Window
from onefold.segment.window_reading import Moment
from onefold.segment.zone import Zone

AGGREGATES = ("count", "sum", "avg", "min", "max")
"""What is read of cells; the place of each is its number."""
COUNT, SUM, AVERAGE, LEAST, LARGEST = range(5)
EXACT = float(1 << 53)
"""Below, a number may be told as a whole one."""
ABSENT = 0
"""The code of a number that is not there."""
_TRAIT = -1


class Held:
    """What some profiles hold, each a row: that of its only run, or of `several`, which may be none."""

    def __init__(
        self, runs: Runs, of: Numbered, rows: int, several: Mapping[int, Sequence[int]]
    ) -> None:
        self._runs, self._of = runs, of
        self._sizes: Ints | None = None
        if several:
            own = [several.get(row, (row,)) for row in range(rows)]
            self._sizes = np.array([len(one) for one in own], np.int64)
            self._begins: Ints = self._sizes.cumsum() - self._sizes
            self._run: Ints = np.array([run for one in own for run in one], np.int64)

    def cells(self, pairs: Ints) -> Cells:
        """The cells of pairs of a row and a metric, ascending; only those that there are."""
        runs = rows = pairs >> METRIC_BITS
        if self._sizes is not None:
            sizes = self._sizes[rows]
            runs, pairs = self._run[ranges(self._begins[rows], sizes)], pairs.repeat(sizes)
        at, there = self._runs.find(runs, self._of.keys[pairs & METRIC])
        if not there.all():
            at, runs, pairs = at[there], runs[there], pairs[there]
        found = self._runs.taken(pairs, runs, at, self._of)
        return found if self._sizes is None else together(pairs, found)


class Columns:
    """Columns that are read at once, numbered: each as a code, which a number's or a text's place among what
    it is compared with makes.

    0 is a number that is absent, or any text that nothing is compared with.
    """

    def __init__(self, singles: Sequence[Single], metrics: Iterable[Metric]) -> None:
        self.numbered = Numbered(metrics)
        self.in_runs = frozenset(self.numbered.number)
        """The metrics that are read at once, unless they are too large for it."""
        self.columns: list[Column] = []
        self.number: dict[str, int] = {}
        marks: set[float] = set()
        texts: dict[str, set[str]] = {}
        for single in singles:
            for _, column in single.columns:
                if column.name not in self.number and self._is_read(column):
                    self.number[column.name] = len(self.columns)
                    self.columns.append(column)
                for mark in single.marks.get(column.name) or ():
                    if isinstance(mark, str):
                        texts.setdefault(column.name, set()).add(mark)
                    else:
                        marks.add(float(mark))
        self.marks: Floats = np.array(sorted(marks), np.float64)
        self._places = {mark: place for place, mark in enumerate(self.marks.tolist())}
        self._texts = {
            name: {text: code for code, text in enumerate(sorted(found), 2)}
            for name, found in texts.items()
        }
        self.of: Ints = np.array([self._aggregate(one) for one in self.columns], np.int64)
        self.metric: Ints = np.array([self._metric(one) for one in self.columns], np.int64)
        windows = {one.window: None for one in self.columns}
        self.windows: list[Window] = list(windows)
        numbered = {window: number for number, window in enumerate(windows)}
        self.window: Ints = np.array([numbered[one.window] for one in self.columns], np.int64)

    def code(self, column: Column, value: Any) -> int:
        """The code of a value that something is compared with, or that a trait has."""
        if column.type == "number":
            return ABSENT if value is None else 2 + self._places[value]
        if value is None:
            return 1
        if column.type == "boolean":
            return 3 if value else 2
        return self._texts.get(column.name, _NONE).get(value, 0)

    def ranked(self, values: Floats | Ints) -> Ints:
        """The codes of numbers: by how many marks each has reached."""
        return 1 + self.marks.searchsorted(values, "right")

    def _is_read(self, column: Column) -> bool:
        if column.kind == "trait":
            return column.type in ("number", "text", "boolean")
        if column.kind != "window" or column.sequence is not None or column.session:
            return False
        number = self.numbered.number.get(column.metric)
        if number is None or column.aggregate not in AGGREGATES:
            return False
        return (number < self.numbered.numbers) == (column.aggregate != "count")

    def _aggregate(self, column: Column) -> int:
        return _TRAIT if column.kind == "trait" else AGGREGATES.index(column.aggregate)

    def _metric(self, column: Column) -> int:
        return _TRAIT if column.kind == "trait" else self.numbered.number[column.metric]


_NONE: Mapping[str, int] = {}


class Values:
    """Reads columns of some profiles as of a moment."""

    def __init__(
        self, columns: Columns, held: Held, traits: Sequence[Mapping[str, Any]], spans: Spans
    ) -> None:
        self._columns = columns
        self._held = held
        self._traits = traits
        self._spans = spans

    def codes(self, rows: Ints, columns: Ints) -> Ints:
        """The codes of some columns, each of a row."""
        known = self._columns
        codes = np.zeros(len(rows), np.int64)
        is_trait = known.of[columns] == _TRAIT
        traits, windows = is_trait.nonzero()[0], (~is_trait).nonzero()[0]
        if len(traits):
            codes[traits] = self._trait_codes(rows[traits], columns[traits])
        if len(windows):
            values, there = self.numbers(rows[windows], columns[windows])
            codes[windows] = np.where(there, known.ranked(values), ABSENT)
        return codes

    def told(self, rows: Ints, columns: Ints) -> list[float | None]:
        """The numbers in some columns, each of a row, as people are told: whole ones without a fraction."""
        if not len(rows):
            return []
        values, there = self.numbers(rows, columns)
        whole = (np.floor(values) == values) & (np.abs(values) < EXACT)
        found = values.astype(object)
        found[whole] = values[whole].astype(np.int64)
        found[~there] = None
        listed: list[float | None] = found.tolist()
        return listed

    def numbers(self, rows: Ints, columns: Ints) -> tuple[Floats, Yes]:
        """Aggregates over windows, and whether they are there."""
        asked, back = placed(rows << METRIC_BITS | self._columns.metric[columns])
        cells = self._held.cells(asked)
        places, found = cells.find(asked)
        places, found = places[back], found[back]
        first, last = cells.inside(places, *self._spans.of(columns))
        return aggregated(cells, self._columns.of[columns], first, np.where(found, last, first))

    def _trait_codes(self, rows: Ints, columns: Ints) -> Ints:
        asked, back = placed(columns << 32 | rows)
        known, zone = self._columns, self._spans.zone
        codes = np.zeros(len(asked), np.int64)
        numbers: list[tuple[int, float]] = []
        for place, (number, row) in enumerate(
            zip((asked >> 32).tolist(), (asked & 0xFFFFFFFF).tolist(), strict=True)
        ):
            column = known.columns[number]
            value = trait_value(self._traits[row], column.path, column.type, zone)
            if column.type == "number":
                if value is not None:
                    numbers.append((place, float(value)))  # type: ignore[arg-type]
            else:
                codes[place] = known.code(column, value)
        if numbers:
            at, values = zip(*numbers, strict=True)
            codes[list(at)] = known.ranked(np.array(values, np.float64))
        return codes[back]


def aggregated(cells: Cells, of: Ints, first: Ints, last: Ints) -> tuple[Floats, Yes]:
    """Aggregates of the cells from some to others, and whether they are there."""
    events = cells.counted[last] - cells.counted[first]
    values: Floats = events.astype(np.float64)
    there: Yes = (events > 0) | (of == COUNT)
    if len(cells.values[0]):
        own = (of != COUNT).nonzero()[0]
        kinds, first, last = of[own], cells.place[first[own]], cells.place[last[own]]
        for kind in distinct(kinds).tolist():
            some = (kinds == kind).nonzero()[0]
            values[own[some]] = number_values(
                cells, kind, first[some], last[some], events[own[some]]
            )
    return values, there


def number_values(cells: Cells, of: int, first: Ints, last: Ints, events: Ints) -> Floats:
    """Sums, averages or extremes of the numbers from some places among the values to others."""
    if of in (LEAST, LARGEST):
        return extreme(cells, of, first, last)
    sums = sum_values(cells.totals[last] - cells.totals[first])
    return sums / np.maximum(events, 1) if of == AVERAGE else sums


def sum_values(micros: Ints) -> Floats:
    """Sums as they are read from buckets."""
    small = micros / 1e6
    whole = np.abs(micros)
    if not (whole >= CARRY).any():
        return small
    large = np.sign(micros) * (whole % CARRY) / 1e6 + np.sign(micros) * (whole // CARRY) * 1e12
    return np.where(whole < CARRY, small, large)


def extreme(cells: Cells, of: int, first: Ints, last: Ints) -> Floats:
    """The least or the largest of the numbers from some places to others; anything where there are none."""
    how = np.minimum if of == LEAST else np.maximum
    values = cells.values[1 if of == LEAST else 2]
    if not len(values) or not len(first):
        return np.zeros(len(first), np.float64)
    # reduceat goes from each to the next: every second one is what is wanted. One more value, so
    # that the last may end behind all.
    bounds = np.stack([first, np.maximum(last, first + 1)], axis=1).ravel()
    padded = np.append(values, values[-1])
    bounds = np.minimum(bounds, len(values))
    found: Floats = how.reduceat(padded, bounds)[::2]
    return found


class Spans:
    """The buckets between which each column counts, as of a moment."""

    def __init__(self, columns: Columns, moment: Moment) -> None:
        self.zone: Zone = moment.zone
        spans = [moment.places(window).span for window in columns.windows] or [(0, 0)]
        self._low: Ints = np.array([low for low, _ in spans], np.int64)
        self._high: Ints = np.array([high for _, high in spans], np.int64)
        self._window = columns.window

    def of(self, columns: Ints) -> tuple[Ints, Ints]:
        """The first and the last bucket inside the windows of columns."""
        windows = self._window[columns]
        return self._low[windows], self._high[windows]
