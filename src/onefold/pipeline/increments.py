"""What a batch adds to buckets, as arrays: read off the rows of the bucket query once, wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from onefold.model.profile import NodeId
from onefold.segment.cells import METRIC_BITS, Ints, Numbered, Yes
from onefold.segment.packed import FARTHEST, LARGEST_TOTAL, MOST_EVENTS

Row = tuple[Any, ...]
"""A row of the bucket query."""


class Increments(msgspec.Struct, array_like=True, frozen=True):
    """What events add to the buckets of their `owners`.

    `cells` are of 64 bits: the owners of all cells by their number, then the metrics, the buckets, how many
    events; ascending by owner, metric and bucket. `values` are those of cells of numbers: the sums
    (millionths), the least, the largest. `rest` are the rows of all else; of an owner with anything
    that is too large for words, all.
    """

    owners: list[NodeId] = []
    metrics: list[str] = []
    cells: bytes = b""
    values: bytes = b""
    rest: list[Row] = []

    @property
    def columns(self) -> tuple[Ints, ...]:
        """Owners, metrics, buckets, events."""
        return tuple(np.frombuffer(self.cells, "<i8").reshape(4, -1))

    @property
    def numbers(self) -> tuple[Any, ...]:
        """Sums, the least and the largest."""
        sums, least, largest = np.frombuffer(self.values, "<i8").reshape(3, -1)
        return sums, least.view(np.float64), largest.view(np.float64)


def increments(tables: Sequence[pa.Table], of: Numbered) -> Increments:
    """Read the rows of bucket queries."""
    if not any(map(len, tables)):
        return Increments()
    whole = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    (table,) = whole.to_batches()
    owners, owner = _coded(table["owner"])
    names, name = _coded(table["metric"])
    metric = np.array([of.number.get(one, -1) for one in names], np.int64)[name]
    # Days alone are narrower numbers than hours.
    buckets, n = _filled(table["bucket"]).astype(np.int64), _filled(table["n"])
    is_number = _there(table["micros"])
    micros = _filled(table["micros"])
    fit = (np.abs(buckets) < FARTHEST) & (n < MOST_EVENTS) & (is_number == (metric < of.numbers))
    if is_number.any():
        fit &= (_filled(table["carry"]) == 0) & (np.abs(micros) < LARGEST_TOTAL)
    odd = (metric >= 0) & ~fit
    if odd.any():
        fit &= ~np.isin(owner, owner[odd])
    fit &= metric >= 0
    rest: list[Row] = []
    if not fit.all():
        left = table.filter(pa.array(~fit))
        rest = list(zip(*(one.to_pylist() for one in left.columns), strict=True))
    some = fit.nonzero()[0]
    order = some[np.lexsort((buckets[some], owner[some] << METRIC_BITS | metric[some]))]
    used = np.zeros(len(of.names), np.bool_)
    used[metric[order]] = True
    place = used.cumsum() - 1
    cells = np.stack([owner[order], place[metric[order]], buckets[order], n[order]])
    numbers = order[is_number[order]]
    values = [micros[numbers].tobytes()]
    values += [_filled(table[one])[numbers].tobytes() for one in ("min", "max")]
    metrics = [of.names[one] for one in used.nonzero()[0].tolist()]
    return Increments(owners, metrics, cells.tobytes(), b"".join(values), rest)


def _coded(column: pa.Array) -> tuple[list[Any], Ints]:
    """The different values of a column, and the place of each row's among them."""
    coded = column.dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _filled(column: pa.Array) -> Any:
    """Numbers, and 0 where there are none."""
    return (column.fill_null(0) if column.null_count else column).to_numpy()


def _there(column: pa.Array) -> Yes:
    """Where there is anything."""
    if column.null_count in (0, len(column)):
        return np.full(len(column), not column.null_count)
    there: Yes = column.is_valid().to_numpy(zero_copy_only=False)
    return there
