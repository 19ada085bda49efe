"""Buckets: what a metric adds up to for an identifier on a day, an hour, a minute, a second, or ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from onefold.segment.kinds import (
    Bucket,
    Edges,
    Numbers,
    make_moments,
    make_tally,
    make_values,
    make_visits,
    merge,
)
from onefold.segment.metric import Metric, MetricKind
from onefold.segment.window import bucket_in
from onefold.segment.zone import load_zone

Buckets: TypeAlias = dict[str, dict[int, Bucket]]
"""The buckets of one identifier: by metric id, then by bucket number."""


class Kept(NamedTuple):
    """Which buckets of a metric can still matter: from the oldest on, which is None where all can.

    With `current`, the last one up to it matters too, however old.
    """

    oldest: int | None
    current: int | None = None


def merge_into(buckets: Buckets, more: Mapping[str, Mapping[int, Bucket]]) -> None:
    """Add buckets to those of an identifier, in place."""
    for metric, found in more.items():
        known = buckets.get(metric)
        if known is None:
            buckets[metric] = dict(found)
        else:
            add_buckets(known, found)


def add_buckets(known: dict[int, Bucket], more: Mapping[int, Bucket]) -> None:
    """Add buckets to those of the same metric, in place."""
    for number, bucket in more.items():
        before = known.get(number)
        known[number] = bucket if before is None else merge(before, bucket)


def oldest_kept(metrics: Iterable[Metric], now: int, timezone: str) -> dict[str, Kept]:
    """Say for each metric which buckets can still matter."""
    zone = load_zone(timezone)
    return {
        metric.id: _kept(metric, bucket_in(metric.granularity, now, zone)) for metric in metrics
    }


def _kept(metric: Metric, current: int) -> Kept:
    if not metric.retention:
        return Kept(None)
    oldest = current - metric.retention + 1
    if metric.since is not None:
        oldest = min(oldest, metric.since)
    return Kept(oldest, current if metric.newest else None)


def prune(buckets: Buckets, oldest: Mapping[str, Kept]) -> None:
    """Drop the buckets that can matter no more, and the metrics that no rule uses, in place."""
    for metric in list(buckets):
        found, kept = buckets[metric], oldest.get(metric)
        if kept is None or not found:
            del buckets[metric]
        elif kept.oldest is not None and min(found) < kept.oldest:
            least, newest = kept.oldest, None
            if kept.current is not None:
                newest = max((one for one in found if one <= kept.current), default=None)
            left = {one: found[one] for one in found if one >= least or one == newest}
            if left:
                buckets[metric] = left
            else:
                del buckets[metric]


def read_rows(rows: Iterable[Sequence[Any]]) -> dict[bytes, Buckets]:
    """Read the rows of `bucket_query` as the buckets of each owner."""
    found: dict[bytes, Buckets] = {}
    for owner, metric, number, n, carry, micros, least, largest, first, last, kind, parts in rows:
        if kind is not None:
            bucket: Bucket = _COLLECTED[kind]([(one["v"], one["n"]) for one in parts])
        elif micros is not None:
            bucket = Numbers(n, micros, least, largest, carry)
        elif first is not None:
            bucket = Edges(*_edge(first), *_edge(last))
        else:
            bucket = n
        metrics = found.setdefault(owner, {})
        metrics.setdefault(metric, {})[number] = bucket
    return found


def _edge(edge: Mapping[str, Any]) -> tuple[int, str, str]:
    return edge["t"], edge["i"], edge["v"]


_COLLECTED: dict[MetricKind, Callable[[list[tuple[str, int]]], Bucket]] = {
    "values": lambda parts: make_values(value for value, _ in parts),
    "tally": make_tally,
    "moments": lambda parts: make_moments(int(time) for time, _ in parts),
    "visits": lambda parts: make_visits(int(time) for time, _ in parts),
}
