"""What events add to buckets: one prepared query for the metrics of few event names each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from onefold.engine import DuckEngine, PlannedQuery
from onefold.model.profile import NodeId
from onefold.model.records import Event
from onefold.segment import bucket_query
from onefold.segment.metric import Metric

# Days of the calendar that a query knows the time zone's offsets of: planning is shorter then.
_PERIOD = 30 * 86_400_000_000
_TOGETHER = 40
_MOST_QUERIES = 200


class Counting:
    """Runs the bucket query over batches, without planning it anew for each.

    The engine plans a query in a time that grows with the metrics; a batch holds events of few
    names, and only the metrics of these are asked for.
    """

    def __init__(self, engine: DuckEngine, metrics: Iterable[Metric], timezone: str) -> None:
        self._engine = engine
        self._timezone = timezone
        self._groups: list[list[Metric]] = []
        self._group_of: dict[str, int] = {}
        self._queries: dict[tuple[int, int, int], PlannedQuery] = {}
        by_name: dict[str, list[Metric]] = {}
        for metric in metrics:
            by_name.setdefault(metric.event, []).append(metric)
        for name in sorted(by_name, key=lambda one: (len(by_name[one]), one)):
            if not self._groups or len(self._groups[-1]) + len(by_name[name]) > _TOGETHER:
                self._groups.append([])
            self._groups[-1].extend(by_name[name])
            self._group_of[name] = len(self._groups) - 1

    def rows(self, events: Sequence[Event], owners: Sequence[NodeId]) -> list[tuple[Any, ...]]:
        """What these events add to their owners' buckets, as rows of the bucket query."""
        groups: dict[int, list[tuple[Any, ...]]] = {}
        group_of = self._group_of
        for one, owner in zip(events, owners, strict=True):
            group = group_of.get(one.name)
            if group is not None:
                groups.setdefault(group, []).append(
                    (owner, one.name, one.time, one.message_id, one.properties, one.context)
                )
        rows: list[tuple[Any, ...]] = []
        for group, counted in groups.items():
            columns = list(zip(*counted, strict=True))
            found = self._query(group, columns[2]).run(pa.table(columns, schema=_EVENTS))
            rows.extend(zip(*(column.to_pylist() for column in found.columns), strict=True))
        return rows

    def _query(self, group: int, times: Sequence[int]) -> PlannedQuery:
        first, last = min(times) // _PERIOD, max(times) // _PERIOD + 1
        key = (group, first, last)
        query = self._queries.get(key)
        if query is None:
            if len(self._queries) >= _MOST_QUERIES:
                self.close()
            since, until = first * _PERIOD, last * _PERIOD
            sql = bucket_query(self._groups[group], self._timezone, since, until)
            query = self._engine.prepare("buckets", sql, "events", _EVENTS)
            self._queries[key] = query
        return query

    def close(self) -> None:
        """Forget the plans."""
        for query in self._queries.values():
            query.close()
        self._queries.clear()


_EVENTS = pa.schema(
    [
        ("owner", pa.binary()),
        ("name", pa.string()),
        ("time", pa.int64()),
        ("message_id", pa.string()),
        ("properties", pa.string()),
        ("context", pa.string()),
    ]
)
