"""The runs of words of many identifiers at once: looked up, added to, written.

Only what is asked for or added to is looked at: somebody known for long has hundreds of buckets, of
which an event touches a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from onefold.segment.cells import (
    NO_VALUES,
    Cells,
    Floats,
    Ints,
    Numbered,
    Yes,
    distinct,
    firsts,
    lower,
    ranges,
    summed,
)
from onefold.segment.packed import (
    CELLS_BITS,
    COUNT_BITS,
    HEADS_BITS,
    MOST_BUCKETS,
    MOST_CELLS,
    MOST_EVENTS,
    MOST_HEADS,
    SIZE_BITS,
)

_EMPTY = bytes(8)
_SIZE = MOST_BUCKETS - 1
_COUNT = MOST_EVENTS - 1
_CELL = 1 << HEADS_BITS
_NUMBER = 1 << HEADS_BITS + CELLS_BITS


class Runs:
    """Runs of words, one for each row, one after the other."""

    def __init__(self, words: Ints, lengths: Ints) -> None:
        self.words = words
        """With one more in the end, so that the place behind the last is one."""
        self.floats: Floats = words.view(np.float64)
        self.lengths = lengths
        self.base: Ints = lengths.cumsum() - lengths
        first = words[self.base]
        self.heads: Ints = first & MOST_HEADS - 1
        self.cells: Ints = first >> HEADS_BITS & (1 << CELLS_BITS) - 1
        self.numbers: Ints = first >> HEADS_BITS + CELLS_BITS

    @classmethod
    def of(cls, runs: Sequence[bytes]) -> Runs:
        """Those that documents hold."""
        whole = [run or _EMPTY for run in runs]
        lengths = np.fromiter(map(len, whole), np.int64, len(whole)) >> 3
        whole.append(_EMPTY)
        return cls(np.frombuffer(bytearray().join(whole), "<i8"), lengths)

    def with_more(self, runs: Sequence[bytes]) -> Runs:
        """With more rows in the end."""
        if not runs:
            return self
        more = Runs.of(runs)
        words = np.concatenate([self.words[:-1], more.words])
        return Runs(words, np.concatenate([self.lengths, more.lengths]))

    def written(self) -> list[bytes]:
        """What documents hold of each row."""
        data = self.words.tobytes()
        ends = (self.lengths.cumsum() * 8).tolist()
        begins = (self.base * 8).tolist()
        return [data[begin:end] for begin, end in zip(begins, ends, strict=True)]

    def keys(self, rows: Ints) -> tuple[Ints, Ints]:
        """The keys of all metrics of some rows, and the row of each."""
        heads = self.heads[rows]
        keys = self.words[ranges(self.base[rows] + 1, heads)] >> SIZE_BITS
        return keys, rows.repeat(heads)

    def find(self, rows: Ints, keys: Ints) -> tuple[Ints, Yes]:
        """Where the heads of metrics stand in their rows, or would, and whether they are there."""
        begin = self.base[rows] + 1
        end = begin + self.heads[rows]
        at = lower(self.words, begin, end, keys << SIZE_BITS)
        there = at < end
        there &= self.words[at] >> SIZE_BITS == keys
        return at, there

    def begins(self, rows: Ints, at: Ints) -> Ints:
        """Where the cells of heads begin."""
        first = self.base[rows] + 1
        return first + self.heads[rows] + self._before[at] - self._before[first]

    def taken(self, pairs: Ints, rows: Ints, at: Ints, of: Numbered) -> Cells:
        """The cells of heads in their rows, as those of ascending pairs."""
        words = self.words
        sizes = words[at] & _SIZE
        places = ranges(self.begins(rows, at), sizes)
        cells = words[places]
        buckets, counts = cells >> COUNT_BITS, cells & _COUNT
        found = Cells(pairs, summed(sizes), buckets, counts, NO_VALUES, of)
        if of.numbers and found.are.any():
            are = found.are
            row = rows.repeat(sizes)[are]
            sums, step = places[are] + self.cells[row], self.numbers[row]
            found.values = (
                words[sums],
                self.floats[sums + step],
                self.floats[sums + 2 * step],
            )
        return found

    @cached_property
    def _before(self) -> Ints:
        """How many cells the heads before each word have, counted from anywhere."""
        return summed(self.words & _SIZE)


class Growing:
    """Adds cells to runs: what is there is added up in place, what is new is put between."""

    def __init__(self, runs: Runs, added: Cells) -> None:
        rows = added.rows
        self._runs, self._added = runs, added
        at, there = runs.find(rows, added.of.keys[added.metrics])
        begins = runs.begins(rows, at)
        self._held = np.where(there, runs.words[at] & _SIZE, 0)
        ends = begins + self._held
        own = added.owner
        self._row = rows[own]
        end = ends[own]
        self._place = lower(runs.words, begins[own], end, added.buckets << COUNT_BITS)
        self._known = self._place < end
        self._known &= runs.words[self._place] >> COUNT_BITS == added.buckets
        self._at, self._there = at, there

    def too_large(self) -> Ints:
        """The rows that cannot take what is added; nothing is added yet."""
        runs, added, known = self._runs, self._added, self._known
        wrong = self._held + added.sizes >= MOST_BUCKETS
        large = added.counts >= MOST_EVENTS
        large[known] |= (runs.words[self._place[known]] & _COUNT) + added.counts[
            known
        ] >= MOST_EVENTS
        if large.any():
            wrong |= np.logical_or.reduceat(large, added.starts[:-1])
        if runs.cells.max() + len(added.buckets) >= MOST_CELLS or (
            runs.heads.max() + len(added.pairs) >= MOST_HEADS
        ):
            rows = added.rows
            each = np.bincount(rows, added.sizes, len(runs.base)).astype(np.int64)
            full = (runs.cells + each >= MOST_CELLS) | (runs.heads + each >= MOST_HEADS)
            wrong |= full[rows]
        return distinct(added.rows[wrong])

    def grown(self) -> tuple[Runs, Cells]:
        """Add, and give the runs as they are then, with the cells of what was added to."""
        runs, added, known, place = self._runs, self._added, self._known, self._place
        words = runs.words
        words[place[known]] += added.counts[known]
        new = ~known
        sums = self._add_numbers() if len(added.values[0]) else None
        if not new.any():
            return runs, runs.taken(added.pairs, added.rows, self._at, added.of)
        self._announce(new)
        heads = ~self._there
        head = added.of.keys[added.metrics[heads]] << SIZE_BITS | added.sizes[heads]
        cell = added.buckets[new] << COUNT_BITS | added.counts[new]
        # What comes to stand at one place stands in this order there.
        parts = [(self._at[heads], head), (place[new], cell), *(sums or ())]
        places, values = (np.concatenate(one) for one in zip(*parts, strict=True))
        order = places.argsort(kind="stable")
        places = places[order]
        to = places + np.arange(len(places))
        found = np.empty(len(words) + len(places), np.int64)
        old = np.ones(len(found), np.bool_)
        old[to] = False
        found[to] = values[order]
        found[old] = words
        runs = Runs(found, _lengths(runs))
        # Heads moved by what was put before them; those before which a new one was put, by that too.
        at = self._at + places.searchsorted(self._at, "right")
        came = np.empty(len(order), np.int64)
        came[order] = to
        at[heads] = came[: len(head)]
        return runs, runs.taken(added.pairs, added.rows, at, added.of)

    def _add_numbers(self) -> list[tuple[Ints, Ints]]:
        """Add up the numbers that are there; gives where the others come, and as what words."""
        runs, added = self._runs, self._added
        words, floats, are = runs.words, runs.floats, added.are
        row, known = self._row[are], self._known[are]
        sums, step = self._place[are] + runs.cells[row], runs.numbers[row]
        if known.any():
            to, far = sums[known], step[known]
            total, least, largest = (one[known] for one in added.values)
            words[to] += total
            floats[to + far] = np.minimum(floats[to + far], least)
            floats[to + 2 * far] = np.maximum(floats[to + 2 * far], largest)
        if known.all():
            return []
        to, far = sums[~known], step[~known]
        each = (one[~known].view(np.int64) for one in added.values)
        return list(zip((to, to + far, to + 2 * far), each, strict=True))

    def _announce(self, new: Yes) -> None:
        """Say in heads and first words what will be there."""
        runs, added = self._runs, self._added
        words, rows, there = runs.words, added.rows, self._there
        fresh = np.bincount(added.owner[new], minlength=len(there))
        words[self._at[there]] += fresh[there]
        each = fresh * (_CELL + _NUMBER * (added.metrics < added.of.numbers)) + ~there
        first = firsts(rows).nonzero()[0]
        words[runs.base[rows[first]]] += np.add.reduceat(each, first)


def shrunk(runs: Runs, cells: Cells, kept: Yes) -> Runs:
    """Runs without some of the cells that were taken of them."""
    rows, gone = cells.rows, ~kept
    at, _ = runs.find(rows, cells.of.keys[cells.metrics])
    words = runs.words
    place = ranges(runs.begins(rows, at), cells.sizes)
    fewer = np.bincount(cells.owner[gone], minlength=len(rows))
    empty = fewer == cells.sizes
    some = gone & cells.are
    row = rows[cells.owner[some]]
    sums, step = place[some] + runs.cells[row], runs.numbers[row]
    places = np.concatenate([at[empty], place[gone], sums, sums + step, sums + 2 * step])
    words[at] -= fewer
    each = fewer * (_CELL + _NUMBER * (cells.metrics < cells.of.numbers)) + empty
    first = firsts(rows).nonzero()[0]
    words[runs.base[rows[first]]] -= np.add.reduceat(each, first)
    left = np.ones(len(words), np.bool_)
    left[places] = False
    return Runs(words[left], _lengths(runs))


def _lengths(runs: Runs) -> Ints:
    """How long runs are by their first words, as they stand now."""
    first = runs.words[runs.base]
    heads: Ints = first & MOST_HEADS - 1
    numbers: Ints = first >> HEADS_BITS + CELLS_BITS
    cells: Ints = first >> HEADS_BITS & (1 << CELLS_BITS) - 1
    return 1 + heads + cells + 3 * numbers
