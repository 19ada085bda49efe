"""Identifiers whose buckets tests add to, as the pipeline does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from onefold.model.profile import Node
from onefold.pipeline.adding import Adding, Touched
from onefold.pipeline.counts import encode_buckets
from onefold.pipeline.evaluation import Looked
from onefold.pipeline.increments import increments
from onefold.segment import Plan, oldest_kept
from onefold.segment.buckets import Buckets

_EDGE = pa.struct([("t", pa.int64()), ("i", pa.string()), ("v", pa.string())])
_ROWS = pa.schema(
    [
        ("owner", pa.binary()),
        ("metric", pa.string()),
        *((name, pa.int64()) for name in ("bucket", "n", "carry", "micros")),
        *((name, pa.float64()) for name in ("min", "max")),
        *((name, _EDGE) for name in ("first", "last")),
        ("kind", pa.string()),
        ("parts", pa.list_(pa.struct([("v", pa.string()), ("n", pa.int64())]))),
    ]
)


def rows_of(tables: Iterable[pa.Table]) -> list[tuple[Any, ...]]:
    """The rows of tables, as values."""
    return [
        row
        for table in tables
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
    ]


def looked(found: Looked) -> dict[tuple[int, str], Any]:
    """What was found of what can have changed, by profile and name."""
    numbers, values = found.numbers, {}
    owners = [
        one.id
        for one, (start, end) in zip(numbers.profiles, pairwise(numbers.starts), strict=True)
        for _ in range(start, end)
    ]
    for owner, name, value in zip(owners, numbers.names, numbers.values, strict=True):
        values[owner, name] = value
    return values | {(profile.id, output.name): value for output, profile, value in found.answers}


class Identifiers:
    """Identifiers by name, with their buckets."""

    def __init__(
        self, plan: Plan, now: int, timezone: str, before: Mapping[bytes, Buckets]
    ) -> None:
        self._adding = Adding(plan.metrics)
        self.oldest = oldest_kept(plan.metrics, now, timezone)
        self.nodes = {
            name: Node(name, "user_id", name.decode(), 0, 0, 0, {}, buckets=encode_buckets(buckets))
            for name, buckets in before.items()
        }

    def add(self, rows: Sequence[Sequence[Any]], batch: int = 1) -> Touched:
        """Add rows of a bucket query."""
        columns = list(zip(*rows, strict=True))
        arrays = [pa.array(one, of.type) for one, of in zip(columns, _ROWS, strict=bool(rows))]
        tables = [pa.table(arrays, schema=_ROWS)] if rows else []
        found = increments(tables, self._adding.numbered)
        nodes = [self.nodes[one] for one in found.owners if one in self.nodes]
        return self._adding.add(found, nodes, self.oldest, batch)
