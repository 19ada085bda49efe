"""Which outputs new counts and sums can change, for many profiles at once.

An output can change only if something that it counts comes to lie on another side of a number
that it is compared with (`watching`). What a window held before and holds now is summed up for all
profiles and windows together; where their codes differ, the outputs between are concerned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from onefold.segment.cells import NO_INTS, Cells, Floats, Ints, distinct, firsts, placed, ranges
from onefold.segment.tallies import (
    AVERAGE,
    COUNT,
    LARGEST,
    LEAST,
    Columns,
    Spans,
    extreme,
    number_values,
    sum_values,
)
from onefold.segment.window_reading import Moment

PLACE_BITS = 24
NEVER = np.iinfo(np.int64).max
_MOST_KNOWN = 200_000


class Readers(NamedTuple):
    """Who reads a column: the outputs that turn at marks, at any other value, and all."""

    marks: Sequence[tuple[float, int]]
    others: Sequence[int]
    everybody: Sequence[int]


class _Added(NamedTuple):
    """Columns of rows in whose windows something was added: between which cells what is there now lies,
    and what was added.
    """

    rows: Ints
    columns: Ints
    first: Ints
    last: Ints
    new: Ints
    end: Ints

    def only(self, some: Ints) -> _Added:
        """Only some of them."""
        return _Added(*(one[some] for one in self))


class Crossings:
    """The outputs that read counts and numbers, by what turns them."""

    def __init__(self, columns: Columns, readers: Sequence[Readers]) -> None:
        self._columns = columns
        turning = sorted(
            (number << 32 | columns.code(columns.columns[number], mark), place)
            for number, one in enumerate(readers)
            for mark, place in one.marks
        )
        self._keys: Ints = np.array([key for key, _ in turning], np.int64)
        self._places: Ints = np.array([place for _, place in turning], np.int64)
        marks = [[mark for mark, _ in one.marks] for one in readers]
        self._least: Floats = np.array([min(one, default=np.inf) for one in marks], np.float64)
        self._most: Floats = np.array([max(one, default=-np.inf) for one in marks], np.float64)
        self._others = _Lists([one.others for one in readers])
        self._everybody = _Lists([one.everybody for one in readers])
        own = np.flatnonzero(columns.of >= COUNT)
        self._kinds: list[int] = distinct(columns.of[own]).tolist()
        of = columns.metric[own]
        self._order: Ints = own[np.argsort(of, kind="stable")]
        metrics = len(columns.numbered.names)
        self._sizes: Ints = np.bincount(of, minlength=metrics).astype(np.int64)
        self._begins: Ints = np.cumsum(self._sizes) - self._sizes
        self._turns: dict[int, int] = {}
        self._moment: Moment | None = None

    def move(self, moment: Moment) -> None:
        """Go to another moment, at which other buckets are inside windows."""
        self._moment = moment
        self._turns.clear()

    def found(self, now: Cells, added: Cells, spans: Spans) -> Ints:
        """Pairs of a row and the place of an output that what was added can have changed."""
        if not len(added.pairs):
            return NO_INTS
        every = self._added(now, added, spans)
        of = self._columns.of[every.columns]
        pairs: list[Ints] = [NO_INTS]
        for kind in self._kinds:
            some = (of == kind).nonzero()[0]
            if len(some):
                one = every.only(some) if len(some) < len(of) else every
                pairs += self._of_kind(kind, one, now, added)
        found = np.concatenate(pairs)
        return distinct(found) if len(found) else found

    def turns(self, added: Cells) -> tuple[list[int], list[int]]:
        """Of which rows time alone next changes what is new, and when."""
        if not len(added.pairs):
            return [], []
        metrics = len(self._columns.numbered.names)
        keys, back = placed(added.buckets * metrics + added.metrics[added.owner])
        known = self._turns
        if len(known) > _MOST_KNOWN:
            known.clear()
        each = [known[key] if key in known else self._turn(key, metrics) for key in keys.tolist()]
        rows = added.rows
        first = firsts(rows).nonzero()[0]
        soonest = np.minimum.reduceat(np.array(each, np.int64)[back], added.starts[first])
        some = (soonest < NEVER).nonzero()[0]
        return rows[first[some]].tolist(), soonest[some].tolist()

    def _added(self, now: Cells, added: Cells, spans: Spans) -> _Added:
        place, known = now.find(added.pairs)
        # What is too old to be kept is in no window.
        sizes = np.where(known, self._sizes[added.metrics], 0)
        columns = self._order[ranges(self._begins[added.metrics], sizes)]
        pair = np.arange(len(sizes)).repeat(sizes)
        low, high = spans.of(columns)
        if len(added.buckets) == len(added.pairs):
            bucket = added.buckets[pair]
            new, end = pair, ((bucket >= low) & (bucket <= high)) + pair
        else:
            new, end = added.inside(pair, low, high)
        if not (end > new).all():
            some = (end > new).nonzero()[0]
            columns, pair, low, high = columns[some], pair[some], low[some], high[some]
            new, end = new[some], end[some]
        first, last = now.inside(place[pair], low, high)
        return _Added(added.rows[pair], columns, first, last, new, end)

    def _of_kind(self, of: int, one: _Added, now: Cells, added: Cells) -> list[Ints]:
        more = added.counted[one.end] - added.counted[one.new]
        events = now.counted[one.last] - now.counted[one.first]
        if of == COUNT:
            crossed = self._crossed(one.rows, one.columns, events - more, events)
            return [crossed, self._others.of(one.rows, one.columns)]
        fresh = (events == more).nonzero()[0]  # perhaps it was absent
        found = [self._everybody.of(one.rows[fresh], one.columns[fresh])]
        before, after = self._numbers(of, one, now, added, events, more)
        changed = ((events != more) & (before != after)).nonzero()[0]
        rows, columns = one.rows[changed], one.columns[changed]
        before, after = before[changed], after[changed]
        found.append(
            self._crossed(rows, columns, np.minimum(before, after), np.maximum(before, after))
        )
        return [*found, self._others.of(rows, columns)]

    def _numbers(
        self, of: int, one: _Added, now: Cells, added: Cells, events: Ints, more: Ints
    ) -> tuple[Floats, Floats]:
        """What numbers were before, as far as can be told, and are now."""
        first, last, new, end = (
            now.place[one.first],
            now.place[one.last],
            added.place[one.new],
            added.place[one.end],
        )
        after = number_values(now, of, first, last, events)
        if of in (LEAST, LARGEST):
            # The farthest that it can have been.
            own = extreme(added, of, new, end)
            same = own > after if of == LEAST else own < after
            return np.where(same, after, np.inf if of == LEAST else -np.inf), after
        sums = now.totals[last] - now.totals[first]
        before = sum_values(sums - (added.totals[end] - added.totals[new]))
        return before / np.maximum(events - more, 1) if of == AVERAGE else before, after

    def _crossed(self, rows: Ints, columns: Ints, low: Ints | Floats, high: Ints | Floats) -> Ints:
        """Pairs of rows and outputs with a mark above one number and not above another."""
        near = high >= self._least[columns]
        near &= low < self._most[columns]
        some = near.nonzero()[0]
        if not len(some):
            return NO_INTS
        rows, columns, ranked = rows[some], columns[some], self._columns.ranked
        begin = self._keys.searchsorted(columns << 32 | ranked(low[some]), "right")
        sizes = self._keys.searchsorted(columns << 32 | ranked(high[some]), "right") - begin
        return rows.repeat(sizes) << PLACE_BITS | self._places[ranges(begin, sizes)]

    def _turn(self, key: int, metrics: int) -> int:
        assert self._moment is not None
        bucket, metric = divmod(key, metrics)
        begin = int(self._begins[metric])
        columns = self._order[begin : begin + int(self._sizes[metric])].tolist()
        windows = {self._columns.columns[one].window for one in columns}
        turns = [self._moment.places(window)[bucket][1] for window in windows]
        found = min((turn for turn in turns if turn is not None), default=NEVER)
        self._turns[key] = found
        return found


class _Lists:
    """A list of outputs for each column."""

    def __init__(self, lists: Sequence[Sequence[int]]) -> None:
        self._sizes: Ints = np.array([len(one) for one in lists], np.int64)
        self._begins: Ints = np.cumsum(self._sizes) - self._sizes
        self._places: Ints = np.array([place for one in lists for place in one], np.int64)

    def of(self, rows: Ints, columns: Ints) -> Ints:
        """Pairs of a row and each of the outputs in the list of its column."""
        if not len(self._places) or not len(rows):
            return NO_INTS
        sizes = self._sizes[columns]
        places = self._places[ranges(self._begins[columns], sizes)]
        return rows.repeat(sizes) << PLACE_BITS | places
