"""What rules need to be kept about a profile: metrics over its events, and columns for a query."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from onefold.segment.window import Unit

Type = Literal["text", "number", "boolean"]
Aggregate = Literal["count", "sum", "avg", "min", "max", "first", "last"]
MetricKind = Literal["count", "number", "edge"]

KINDS: dict[Aggregate, MetricKind] = {
    "count": "count",
    "sum": "number",
    "avg": "number",
    "min": "number",
    "max": "number",
    "first": "edge",
    "last": "edge",
}


class Field(msgspec.Struct, frozen=True):
    """A value inside an event's `properties` or `context`, read as a type."""

    name: str
    root: str
    keys: tuple[str, ...]
    type: Type


class Metric(msgspec.Struct, frozen=True):
    """What a fold keeps as buckets for each identifier.

    `where` and `value` are SQL over the names of `fields` and the event's `name`. The `id` depends
    on what is counted only, so every rule and window that asks for the same shares the same
    buckets. `retention` is how many buckets, the current one included, can still matter; 0 means all.
    """

    id: str
    event: str
    kind: MetricKind
    granularity: Unit
    where: str | None = None
    value: str | None = None
    fields: tuple[Field, ...] = ()
    retention: int = 0


class Column(msgspec.Struct, frozen=True):
    """One input of the membership query: a trait of the profile, or a metric over a window."""

    name: str
    kind: Literal["trait", "window"]
    type: Type
    path: tuple[str, ...] = ()
    metric: str = ""
    aggregate: Aggregate = "count"
    unit: Unit = "ever"
    n: int = 0


def make_metric(
    event: str,
    kind: MetricKind,
    granularity: Unit,
    *,
    where: str | None = None,
    value: str | None = None,
    fields: tuple[Field, ...] = (),
    retention: int = 0,
) -> Metric:
    """Make a metric; its id is a hash of its content."""
    identity = short_id(event, kind, granularity, where, value)
    return Metric(identity, event, kind, granularity, where, value, fields, retention)


def make_field(root: str, keys: tuple[str, ...], type: Type) -> Field:
    """Make a field; its name is a hash of its content."""
    return Field("f" + short_id(root, keys, type), root, keys, type)


def trait_column(path: tuple[str, ...], type: Type) -> Column:
    """Make the column of a trait, read as a type."""
    return Column("t" + short_id(path, type), "trait", type, path=path)


def window_column(metric: str, aggregate: Aggregate, unit: Unit, n: int, type: Type) -> Column:
    """Make the column of an aggregate over a window of a metric."""
    name = "w" + short_id(metric, aggregate, unit, n, type)
    return Column(name, "window", type, metric=metric, aggregate=aggregate, unit=unit, n=n)


def merge_metrics(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """List each metric once, with the longest retention that is asked for."""
    merged: dict[str, Metric] = {}
    for metric in metrics:
        known = merged.get(metric.id)
        if known is None or metric.retention > known.retention:
            merged[metric.id] = metric
    return tuple(merged.values())


def short_id(*content: object) -> str:
    """Hash a content to ten letters, the same everywhere and for ever."""
    digest = hashlib.blake2b(msgspec.json.encode(content), digest_size=10).digest()
    return base64.b32encode(digest)[:10].decode().lower()
