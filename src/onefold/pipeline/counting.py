"""What events add to buckets: one prepared query, or a few where conditions are of many forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from onefold.engine import DuckEngine, PlannedQuery
from onefold.model.errors import Damaged
from onefold.pipeline.increments import Increments, increments
from onefold.segment import bucket_query
from onefold.segment.bucket_query import ANY_EVENT
from onefold.segment.cells import Numbered
from onefold.segment.conditions import conditions_of
from onefold.segment.metric import Metric

# Days of the calendar that a query knows the time zone's offsets of: planning is shorter then.
_PERIOD = 30 * 86_400_000_000
_TOGETHER = 40  # conditions that are written differently
_MOST_QUERIES = 200
log = structlog.get_logger(__name__)


class Counting:
    """Runs the bucket query over batches, without planning it anew for each.

    The engine sets up each expression of a query for each batch, so metrics whose conditions are written
    alike share one; where there are many that are not, only those of the names in the batch are asked for. A metric that cannot be counted is left out
    from then on, and `failing` says why.
    """

    def __init__(self, engine: DuckEngine, metrics: Iterable[Metric], timezone: str) -> None:
        self._engine = engine
        self._timezone = timezone
        metrics = list(metrics)
        self._numbered = Numbered(metrics)
        self._groups: list[list[Metric]] = []
        self._group_of: dict[str, int] = {}
        self._queries: dict[tuple[int, int, int], PlannedQuery] = {}
        self.failing: dict[str, str] = {}
        by_name: dict[str, list[Metric]] = {}
        for metric in metrics:
            by_name.setdefault(metric.event, []).append(metric)
        asked = {
            name: {one.text for one in conditions_of(of)} for name, of in sorted(by_name.items())
        }
        together: set[str | None] = set()
        for name in sorted(asked, key=lambda one: len(asked[one])):
            together |= asked[name]
            if not self._groups or len(together) > _TOGETHER:
                self._groups.append([])
                together = set(asked[name])
            self._groups[-1].extend(by_name[name])
            self._group_of[name] = len(self._groups) - 1

    def count(self, events: pa.Table) -> Increments:
        """What events, as rows of the lake, add to owners' buckets."""
        return increments(self.tables(events), self._numbered)

    def tables(self, events: pa.Table) -> list[pa.Table]:
        """The same as rows of the bucket query."""
        groups: dict[int, set[str]] = {}
        for name in pc.unique(events["name"]).to_pylist():
            for wanted in (name, ANY_EVENT):
                if wanted in self._group_of:
                    groups.setdefault(self._group_of[wanted], set()).add(name)
        tables: list[pa.Table] = []
        if not groups:
            return tables
        events = events.select(_EVENTS.names).cast(_EVENTS)
        for group, names in groups.items():
            counted = events.filter(pc.is_in(events["name"], pa.array(sorted(names))))
            try:
                tables.append(self._query(group, counted["time"]).run(counted))
            except Damaged as error:
                log.warning("counting_failed", metrics=len(self._groups[group]), error=str(error))
                tables.extend(self._apart(self._groups[group], counted))
                self._leave_out(group)
        return tables

    def _apart(self, metrics: Sequence[Metric], table: pa.Table) -> Iterator[pa.Table]:
        """Find by halves the metrics that cannot be counted, and count the others."""
        try:
            query = self._engine.prepare(
                "buckets", bucket_query(metrics, self._timezone), "events", _EVENTS
            )
            found = query.run(table)
            query.close()
        except Damaged as error:
            if len(metrics) == 1:
                self.failing[metrics[0].id] = str(error).split("\n", 1)[0]
                return
            middle = len(metrics) // 2
            yield from self._apart(metrics[:middle], table)
            yield from self._apart(metrics[middle:], table)
        else:
            yield found

    def _leave_out(self, group: int) -> None:
        self._groups[group] = [
            metric for metric in self._groups[group] if metric.id not in self.failing
        ]
        for key in [key for key in self._queries if key[0] == group]:
            self._queries.pop(key).close()

    def _query(self, group: int, times: pa.ChunkedArray) -> PlannedQuery:
        bounds = pc.min_max(times).as_py()
        first, last = bounds["min"] // _PERIOD, bounds["max"] // _PERIOD + 1
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
