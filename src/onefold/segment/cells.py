"""Buckets of many owners at once, as arrays.

An owner is a row: an identifier while buckets are added, a profile while windows are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from onefold.segment.metric import Metric
from onefold.segment.packed import LARGEST_TOTAL, metric_key

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Yes = npt.NDArray[np.bool_]
METRIC_BITS = 20
METRIC = (1 << METRIC_BITS) - 1
_DENSE = 4
_HOW: tuple[np.ufunc, ...] = (np.add, np.minimum, np.maximum)
NO_INTS: Ints = np.zeros(0, np.int64)
NO_FLOATS: Floats = np.zeros(0, np.float64)
NO_VALUES = (NO_INTS, NO_FLOATS, NO_FLOATS)


class Numbered:
    """The metrics that count events and add numbers up, in the order in which runs hold them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        keyed = sorted(
            (key, one.id)
            for one in metrics
            if one.kind in ("count", "number")
            and (key := metric_key(one.id, one.kind == "number")) is not None
        )
        self.names = [one for _, one in keyed]
        self.number = {one: number for number, one in enumerate(self.names)}
        self.keys: Ints = np.array([key for key, _ in keyed], np.int64)
        self.numbers = sum(key < 0 for key, _ in keyed)
        """So many, the first ones, add numbers up."""


class Cells:
    """The buckets of pairs of a row and a metric, ascending.

    Those of `pairs[i]` are from `starts[i]` to `starts[i + 1]`: `buckets`, ascending too, and `counts`; of
    those that `are` numbers, `values` are the sums (millionths), the least and the largest.
    """

    def __init__(
        self,
        pairs: Ints,
        starts: Ints,
        buckets: Ints,
        counts: Ints,
        values: tuple[Any, ...],
        of: Numbered,
    ) -> None:
        self.pairs, self.starts = pairs, starts
        self.buckets, self.counts, self.values = buckets, counts, values
        self.of = of

    @cached_property
    def metrics(self) -> Ints:
        """The number of each pair's metric."""
        return self.pairs & METRIC

    @cached_property
    def rows(self) -> Ints:
        """Each pair's row."""
        return self.pairs >> METRIC_BITS

    @cached_property
    def sizes(self) -> Ints:
        """How many buckets each pair has."""
        sizes: Ints = self.starts[1:] - self.starts[:-1]
        return sizes

    @cached_property
    def owner(self) -> Ints:
        """The place of each cell's pair."""
        return np.arange(len(self.pairs)).repeat(self.sizes)

    @cached_property
    def are(self) -> Yes:
        """Which cells are numbers."""
        return (self.metrics < self.of.numbers).repeat(self.sizes)

    @cached_property
    def place(self) -> Ints:
        """The place of each cell, if it is a number, among the values; in the end, how many there are."""
        return summed(self.are)

    @cached_property
    def counted(self) -> Ints:
        """What all cells before each, and in the end all, count."""
        return summed(self.counts)

    @cached_property
    def totals(self) -> Ints:
        """The same of the sums, by their place."""
        return summed(self.values[0])

    def find(self, pairs: Ints) -> tuple[Ints, Yes]:
        """The places of pairs, and whether they are there."""
        if pairs is self.pairs:
            return np.arange(len(pairs)), np.ones(len(pairs), np.bool_)
        if not len(self.pairs):
            return np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.bool_)
        places = self.pairs.searchsorted(pairs)
        places[places == len(self.pairs)] = 0
        return places, self.pairs[places] == pairs

    def inside(self, places: Ints, low: Ints, high: Ints) -> tuple[Ints, Ints]:
        """From which to before which cell the buckets of pairs lie between two, both included."""
        if not len(self.pairs):
            return places, places
        first, last = self.starts[places], self.starts[places + 1]
        late = (self.buckets[last - 1] > high).nonzero()[0]
        early = (self.buckets[first] < low).nonzero()[0]
        if len(late):
            last[late] = lower(self.buckets, first[late], last[late], high[late] + 1)
        if len(early):
            first[early] = lower(self.buckets, first[early], last[early], low[early])
        return first, last

    def unfit(self) -> Ints:
        """The rows with sums that together are too large to be read at once."""
        sums = self.values[0]
        if not len(sums) or max(sums.max(), -sums.min()) < _MUCH:
            return NO_INTS
        own = self.owner[self.are]
        together = np.bincount(own, np.abs(sums.astype(np.float64)), len(self.pairs))
        return distinct(self.rows[together >= LARGEST_TOTAL])

    def only(self, kept: Yes) -> Cells:
        """Only some of the cells, and the pairs that still have any."""
        if kept.all():
            return self
        sizes = np.bincount(self.owner[kept], minlength=len(self.pairs))
        left = sizes > 0
        values = self.values
        if len(values[0]):
            of_numbers = kept[self.are]
            values = tuple(one[of_numbers] for one in values)
        buckets, counts = self.buckets[kept], self.counts[kept]
        return Cells(self.pairs[left], summed(sizes[left]), buckets, counts, values, self.of)

    def by(self, of: Numbered) -> Cells:
        """The same with metrics numbered otherwise; those that are not are left out."""
        if of is self.of or np.array_equal(of.keys, self.of.keys):
            return self
        number = np.array([of.number.get(one, -1) for one in self.of.names], np.int64)
        cells = self.only((number[self.metrics] >= 0).repeat(self.sizes))
        pairs = cells.rows << METRIC_BITS | number[cells.metrics]
        return Cells(pairs, cells.starts, cells.buckets, cells.counts, cells.values, of)

    def of_rows(self, rows: Ints) -> Cells:
        """The same of other rows, by the row; -1 where there is none. Some may come together."""
        row = rows[self.rows]
        cells = self.only((row >= 0).repeat(self.sizes))
        return together(rows[cells.rows] << METRIC_BITS | cells.metrics, cells)


_MUCH = LARGEST_TOTAL >> 14  # a metric has fewer buckets than 2 ** 13


def together(pairs: Ints, cells: Cells) -> Cells:
    """Cells of these pairs instead, which may stand in any order, and more than once."""
    if (pairs[1:] > pairs[:-1]).all():
        return Cells(pairs, cells.starts, cells.buckets, cells.counts, cells.values, cells.of)
    pair = pairs.repeat(cells.sizes)
    order = np.lexsort((cells.buckets, pair))
    pair, buckets = pair[order], cells.buckets[order]
    new_pair = firsts(pair)
    new_cell = new_pair | firsts(buckets)
    first = new_cell.nonzero()[0]
    counts = np.add.reduceat(cells.counts[order], first)
    values = cells.values
    if len(values[0]):
        some = cells.are[order]
        own = cells.place[:-1][order][some]
        starts = new_cell[some].nonzero()[0]
        values = tuple(
            how.reduceat(one[own], starts) for how, one in zip(_HOW, values, strict=True)
        )
    starts = np.append(new_pair[first].nonzero()[0], len(first))
    return Cells(pair[new_pair], starts, buckets[first], counts, values, cells.of)


def lower(numbers: Ints, begin: Ints, end: Ints, wanted: Ints) -> Ints:
    """From each beginning to each end, where numbers are ascending: the first that is not below a wanted one."""
    sizes = end - begin
    at = begin
    for step in reversed(range(int(sizes.max()).bit_length() if len(sizes) else 0)):
        further = at + (1 << step)
        below = further <= end
        below &= numbers.take(further - 1, mode="clip") < wanted
        at = np.where(below, further, at)
    return at


def distinct(numbers: Ints) -> Ints:
    """Each number once, ascending; to sort them is quicker than `np.unique`, which hashes."""
    ordered: Ints = np.sort(numbers)
    found: Ints = ordered[firsts(ordered)]
    return found


def placed(numbers: Ints) -> tuple[Ints, Ints]:
    """Each number once, ascending, and the place of each of all among them."""
    if not len(numbers):
        return numbers, numbers
    least = int(numbers.min())
    width = int(numbers.max()) - least + 1
    if width <= _DENSE * len(numbers):
        there = np.zeros(width, np.bool_)
        there[numbers - least] = True
        return there.nonzero()[0] + least, (there.cumsum() - 1)[numbers - least]
    order = numbers.argsort(kind="stable")
    ordered = numbers[order]
    first = firsts(ordered)
    places = np.empty(len(numbers), np.int64)
    places[order] = first.cumsum() - 1
    return ordered[first], places


def firsts(ordered: Ints) -> Yes:
    """Which numbers are others than the one before."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def ranges(begins: Ints, sizes: Ints) -> Ints:
    """The numbers from each beginning on, so many of each."""
    ends = sizes.cumsum()
    found: Ints = (begins - ends + sizes).repeat(sizes)
    found += np.arange(len(found))
    return found


def summed(numbers: Any) -> Ints:
    """What all before each, and in the end all, add up to."""
    found = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(numbers, out=found[1:])
    return found
