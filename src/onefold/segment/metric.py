"""What rules need to be kept about a profile: metrics over its events, and columns for a query."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import msgspec

from onefold.segment.window import EVER, Unit, Window

Type = Literal["text", "number", "boolean", "date", "time", "list", "numbers", "object"]
"""What a value is. A `list` is one of texts, `numbers` one of numbers."""

SQL_TYPES: dict[Type, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "BIGINT",
    "time": "BIGINT",
    "list": "VARCHAR[]",
    "numbers": "DOUBLE[]",
    "object": "VARCHAR",
}
"""The type of a column in queries: a date is its day from 1970-01-01, a time is in µs UTC."""

Aggregate = Literal[
    "count", "sum", "avg", "min", "max", "first", "last",
    "days", "unique", "frequent", "sequence", "sessions", "session_minutes",
]  # fmt: skip
MetricKind = Literal["count", "number", "edge", "values", "tally", "moments", "visits"]

KINDS: dict[Aggregate, MetricKind] = {
    "count": "count",
    "sum": "number",
    "avg": "number",
    "min": "number",
    "max": "number",
    "first": "edge",
    "last": "edge",
    "days": "count",
    "unique": "values",
    "frequent": "tally",
    "sequence": "moments",
    "sessions": "visits",
    "session_minutes": "visits",
}


FieldType = Type | Literal["objects"]
"""What a value in JSON is read as; `objects` is a list whose elements are JSON."""


class Field(msgspec.Struct, frozen=True):
    """A value inside an event's `properties` or `context`, read as a type."""

    name: str
    root: str
    keys: tuple[str, ...]
    type: FieldType


class Metric(msgspec.Struct, frozen=True):
    """What a fold keeps as buckets for each identifier.

    `where` and `value` are SQL over the names of `fields` and the event's `name`; with `many`, the
    value is a list, of which each element counts. No `event` means any. The `id` depends
    on what is counted only, so every rule and window that asks for the same shares the same
    buckets. `retention` is how many buckets, the current one included, can still matter, and 0 means
    all; those from the bucket `since` on matter too, and with `newest` the last one of the past.
    """

    id: str
    event: str
    kind: MetricKind
    granularity: Unit
    where: str | None = None
    value: str | None = None
    fields: tuple[Field, ...] = ()
    retention: int = 0
    since: int | None = None
    newest: bool = False
    many: bool = False

    def is_within(self, other: Metric | None) -> bool:
        """Say whether all that this keeps is kept for the same metric as it was before."""
        return other is not None and self.widened(other) == other

    def widened(self, other: Metric) -> Metric:
        """The same metric, keeping what either keeps."""
        everything = 0 in (self.retention, other.retention)
        floors = [each.since for each in (self, other) if each.since is not None]
        return msgspec.structs.replace(
            self,
            retention=0 if everything else max(self.retention, other.retention),
            since=min(floors, default=None),
            newest=self.newest or other.newest,
        )


class Sequence(msgspec.Struct, frozen=True):
    """Events in a row: `steps` are the metrics that keep when each happened.

    `within` is the time (µs) in which all have to happen, 0 when there is no such limit; `unless` is
    the metric of what must not come after.
    """

    steps: tuple[str, ...]
    within: int = 0
    unless: str = ""


class Column(msgspec.Struct, frozen=True):
    """One input of the membership query.

    A `trait` of the profile, by `path`; a metric over a `window`; or a fact about the `clock`, named
    by `path`, the same for all profiles. `session` is the metric of the sessions where only what lies in
    the current one counts.
    """

    name: str
    kind: Literal["trait", "window", "clock"]
    type: Type
    path: tuple[str, ...] = ()
    metric: str = ""
    aggregate: Aggregate = "count"
    window: Window = EVER
    turns: tuple[int, ...] | None = None
    sequence: Sequence | None = None
    session: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The ids of the metrics that a window reads."""
        if self.sequence is None:
            return (self.metric, self.session) if self.session else (self.metric,)
        unless = self.sequence.unless
        return (*self.sequence.steps, unless) if unless else self.sequence.steps


def make_metric(
    event: str,
    kind: MetricKind,
    *,
    where: str | None = None,
    value: str | None = None,
    fields: tuple[Field, ...] = (),
    window: Window = EVER,
    many: bool = False,
) -> Metric:
    """Make a metric that keeps what a window needs; its id is a hash of what is counted."""
    unit = window.unit
    identity = short_id(event, kind, unit, where, value)
    return Metric(
        identity,
        event,
        kind,
        unit,
        where,
        value,
        fields,
        window.retention,
        window.since,
        many=many,
    )


def make_field(root: str, keys: tuple[str, ...], type: FieldType) -> Field:
    """Make a field; its name is a hash of its content."""
    return Field("f" + short_id(root, keys, type), root, keys, type)


@lru_cache(maxsize=10_000)
def trait_column(path: tuple[str, ...], type: Type) -> Column:
    """Make the column of a trait, read as a type."""
    return Column("t" + short_id(path, type), "trait", type, path=path)


def clock_column(path: tuple[str, ...], type: Type) -> Column:
    """Make the column of a fact about the clock; `onefold.segment.clock` reads it."""
    return Column("n" + short_id(path, type), "clock", type, path=path)


def window_column(
    metric: str,
    aggregate: Aggregate,
    window: Window,
    type: Type,
    turns: tuple[int, ...] | None = None,
    sequence: Sequence | None = None,
    session: str = "",
) -> Column:
    """Make the column of an aggregate over a window of a metric.

    For `days`, `turns` are the numbers of days at which something can depend on them: only then
    does time alone change it. None: at every midnight.
    """
    name = "w" + short_id(metric, aggregate, window, type, turns, sequence, session)
    return Column(
        name,
        "window",
        type,
        metric=metric,
        aggregate=aggregate,
        window=window,
        turns=turns,
        sequence=sequence,
        session=session,
    )


def merge_metrics(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """List each metric once, keeping all that is asked for."""
    merged: dict[str, Metric] = {}
    for metric in metrics:
        known = merged.get(metric.id)
        merged[metric.id] = metric if known is None else known.widened(metric)
    return tuple(merged.values())


def short_id(*content: object) -> str:
    """Hash a content to ten letters, the same everywhere and for ever."""
    digest = hashlib.blake2b(msgspec.json.encode(content), digest_size=10).digest()
    return base64.b32encode(digest)[:10].decode().lower()
