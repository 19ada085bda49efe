"""What events add to the buckets of identifiers: for all that a batch touches at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from onefold.model.profile import Node, NodeId
from onefold.pipeline.counts import Counts, decode_buckets, encode_buckets
from onefold.pipeline.increments import Increments
from onefold.segment import merge_into, prune, read_rows
from onefold.segment.buckets import Buckets, Kept
from onefold.segment.cells import (
    METRIC_BITS,
    NO_INTS,
    NO_VALUES,
    Cells,
    Ints,
    Numbered,
    Yes,
    distinct,
    firsts,
)
from onefold.segment.metric import Metric
from onefold.segment.packed import FARTHEST
from onefold.segment.runs import Growing, Runs, shrunk

_EVER = -FARTHEST


class Touched(NamedTuple):
    """The identifiers that events add to, each a row: what they hold now, and what was added.

    `now` are the cells that `added` was added to. What is no count or number, or is too large to be read
    at once, is in `rest`.
    """

    owners: Sequence[NodeId]
    counts: Sequence[Counts]
    runs: Runs
    added: Cells
    now: Cells
    rest: Mapping[int, Buckets]


class Adding:
    """Adds to buckets, for the metrics of a plan that is in force `since` a batch."""

    def __init__(self, metrics: Iterable[Metric], since: int = 0) -> None:
        self.numbered = Numbered(metrics)
        self._since = since
        self._oldest: tuple[Mapping[str, Kept], Ints, Ints] = {}, NO_INTS, NO_INTS

    def add(
        self, found: Increments, nodes: Sequence[Node], oldest: Mapping[str, Kept], batch: int
    ) -> Touched:
        """Add to these nodes, which are the known owners in their order, what can still matter."""
        row_of = {node.id: row for row, node in enumerate(nodes)}
        rest = {row_of[one]: more for one, more in read_rows(found.rest).items() if one in row_of}
        counts = [Counts(node.buckets) for node in nodes]
        names = self.numbered.number
        odd = {row for row, more in rest.items() if not names.keys().isdisjoint(more)}
        odd.update(
            row
            for row, one in enumerate(counts)
            if one.rest and not names.keys().isdisjoint(one.rest)
        )
        runs = Runs.of([one.run for one in counts])
        odd.update(self._outdated(runs, nodes))
        whole = self._cells(found, row_of)
        runs, added, now = self._grown(runs, _without(whole, odd), oldest, odd)
        written = runs.written()
        for row, (node, one) in enumerate(zip(nodes, counts, strict=True)):
            if row in odd:
                self._add_oddly(node, one, whole, row, rest.get(row, {}), oldest)
            else:
                one.put(written[row])
                if one.rest or row in rest:
                    one.add(rest.get(row, {}), oldest)
            node.buckets = one.encoded()
            node.counted = batch
        if odd:
            runs = Runs.of([one.run for one in counts])
        return Touched([node.id for node in nodes], counts, runs, added, now, rest)

    def _cells(self, found: Increments, row_of: Mapping[NodeId, int]) -> Cells:
        """What is added, by the rows of those who are known."""
        of = self.numbered
        if not found.cells:
            return Cells(NO_INTS, np.zeros(1, np.int64), NO_INTS, NO_INTS, NO_VALUES, of)
        owner, metric, buckets, counts = found.columns
        row = np.array([row_of.get(one, -1) for one in found.owners], np.int64)
        number = np.array([of.number.get(one, -1) for one in found.metrics], np.int64)
        rows, metrics = row[owner], number[metric]
        every = rows << METRIC_BITS | metrics
        first = firsts(every)
        starts = np.append(first.nonzero()[0], len(every))
        cells = Cells(every[first], starts, buckets, counts, found.numbers, of)
        return cells.only((rows >= 0) & (metrics >= 0))

    def _grown(
        self, runs: Runs, added: Cells, oldest: Mapping[str, Kept], odd: set[int]
    ) -> tuple[Runs, Cells, Cells]:
        """Add cells to runs; what too much would come of is not added, and its row `odd`."""
        if not len(added.pairs):
            return runs, added, added
        growing = Growing(runs, added)
        wrong = growing.too_large()
        if len(wrong):
            odd.update(wrong.tolist())
            return self._grown(runs, _without(added, odd), oldest, odd)
        runs, now = growing.grown()
        wrong = now.unfit()
        if len(wrong):
            odd.update(wrong.tolist())
            now, added = _without(now, odd), _without(added, odd)
        left = self._matters(now, oldest)
        if not left.all():
            runs, now = shrunk(runs, now, left), now.only(left)
        return runs, added, now

    def _matters(self, cells: Cells, oldest: Mapping[str, Kept]) -> Yes:
        """Which cells can still matter."""
        if self._oldest[0] is not oldest:
            self._oldest = oldest, *_bounds(self.numbered, oldest)
        _, least, newest = self._oldest
        metric = cells.metrics
        left: Yes = cells.buckets >= least[metric].repeat(cells.sizes)
        if not left.all():
            places = (newest[metric] > _EVER).nonzero()[0]
            _, end = cells.inside(
                places, np.full(len(places), 1 - FARTHEST), newest[metric[places]]
            )
            some = end > cells.starts[places]
            left[end[some] - 1] = True
        return left

    def _outdated(self, runs: Runs, nodes: Sequence[Node]) -> list[int]:
        """The rows with metrics that no rule uses any more."""
        before = [row for row, node in enumerate(nodes) if node.counted < self._since]
        if not before:
            return before
        keys, rows = runs.keys(np.array(before, np.int64))
        known = self.numbered.keys
        if not len(keys) or not len(known):
            return distinct(rows).tolist()  # type: ignore[no-any-return]
        gone = known.take(known.searchsorted(keys), mode="clip") != keys
        return distinct(rows[gone]).tolist() if gone.any() else []

    def _add_oddly(
        self,
        node: Node,
        counts: Counts,
        added: Cells,
        row: int,
        rest: Buckets,
        oldest: Mapping[str, Kept],
    ) -> None:
        """Add one bucket after the other, which takes whatever is too large for words."""
        buckets = decode_buckets(node.buckets)
        own = added.only((added.rows == row).repeat(added.sizes))
        if len(own.pairs):
            alone = own.of_rows(np.zeros(row + 1, np.int64))
            merge_into(buckets, Counts.of(Growing(Runs.of([b""]), alone).grown()[0].written()[0]))
        merge_into(buckets, rest)
        prune(buckets, oldest)
        again = Counts(encode_buckets(buckets))
        counts.rest = again.rest
        counts.put(again.run)


def _bounds(metrics: Numbered, oldest: Mapping[str, Kept]) -> tuple[Ints, Ints]:
    """Of each metric the oldest bucket that matters, and up to which the last one does, however old."""
    kept = [oldest.get(one) for one in metrics.names]
    least = [
        FARTHEST if one is None else _EVER if one.oldest is None else one.oldest for one in kept
    ]
    newest = [_EVER if one is None or one.current is None else one.current for one in kept]
    return np.array(least, np.int64), np.array(newest, np.int64)


def _without(cells: Cells, rows: Iterable[int]) -> Cells:
    gone = list(rows)
    return cells.only((~np.isin(cells.rows, gone)).repeat(cells.sizes)) if gone else cells
