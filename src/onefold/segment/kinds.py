"""The kinds of buckets, and how two of a kind are added up: in any order, to the same.

What is bounded is bounded by content, never by arrival: of more values than a bucket holds, the
ones with the smallest hashes stay; of more moments, the first and the last ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

CARRY = 10**18
MOST_VALUES = 500
"""Different values that `unique_of` counts exactly."""
MOST_TALLIED = 200
"""Different values that `most_frequent_of` chooses from."""
MOST_MOMENTS = 100
"""Moments that are kept from either end of a bucket, for `in_sequence`."""
SESSION_GAP = 30 * 60_000_000
"""So long without an event (µs), and the next one begins a new session."""
HASH_DIGITS, ESTIMATE_DIGITS = 12, 8


class Numbers(msgspec.Struct, array_like=True, tag=1, gc=False):
    """How many numbers, their sum in millionths, the least and the largest.

    The sum is `carry * 10**18 + micros`, so that each part fits 64 bits.
    """

    n: int
    micros: int
    min: float
    max: float
    carry: int = 0


class Edges(msgspec.Struct, array_like=True, tag=2, gc=False):
    """The first and the last value, each with its time and message id."""

    first_time: int
    first_id: str
    first: str
    last_time: int
    last_id: str
    last: str


class Values(msgspec.Struct, array_like=True, tag=3):
    """Different values: their hashes, ascending; the smallest ones when there are too many."""

    hashes: list[int]


class Tally(msgspec.Struct, array_like=True, tag=4):
    """How often each value occurred; of too many, those with the smallest hashes."""

    counts: dict[str, int]


class Moments(msgspec.Struct, array_like=True, tag=5):
    """When events happened (µs UTC), ascending; of too many, the first and the last."""

    times: list[int]


class Visits(msgspec.Struct, array_like=True, tag=6):
    """Sessions: the beginning and the end of each in turn (µs UTC), ascending."""

    ends: list[int]


Bucket: TypeAlias = int | Numbers | Edges | Values | Tally | Moments | Visits
"""What a bucket holds, by the metric's kind; where events are only counted, how many."""


def merge(a: Bucket, b: Bucket) -> Bucket:
    """Add up two buckets of the same metric."""
    if isinstance(a, int):
        assert isinstance(b, int)
        return a + b
    if isinstance(a, Numbers):
        assert isinstance(b, Numbers)
        total = (a.carry + b.carry) * CARRY + a.micros + b.micros
        return make_numbers(a.n + b.n, total, min(a.min, b.min), max(a.max, b.max))
    if isinstance(a, Edges):
        assert isinstance(b, Edges)
        first = min((a.first_time, a.first_id, a.first), (b.first_time, b.first_id, b.first))
        last = max((a.last_time, a.last_id, a.last), (b.last_time, b.last_id, b.last))
        return Edges(*first, *last)
    return _merge_many(a, b)


def _merge_many(a: Bucket, b: Bucket) -> Bucket:
    if isinstance(a, Values):
        assert isinstance(b, Values)
        return Values(sorted({*a.hashes, *b.hashes})[: MOST_VALUES + 1])
    if isinstance(a, Tally):
        assert isinstance(b, Tally)
        return _bounded_tally(Counter(a.counts) + Counter(b.counts))
    if isinstance(a, Moments):
        assert isinstance(b, Moments)
        return make_moments((*a.times, *b.times))
    assert isinstance(a, Visits)
    assert isinstance(b, Visits)
    return _joined_visits(sorted([*_pairs(a.ends), *_pairs(b.ends)]))


def make_numbers(n: int, total: int, least: float, largest: float) -> Numbers:
    """Keep a sum of millionths in its one form: both parts of the same sign, micros below the carry."""
    if -CARRY < total < CARRY:
        return Numbers(n, total, least, largest)
    sign = -1 if total < 0 else 1
    high, low = divmod(abs(total), CARRY)
    return Numbers(n, sign * low, least, largest, sign * high)


def make_values(values: Iterable[str]) -> Values:
    """Keep different values as hashes."""
    hashes = {int(_hash(value)[:HASH_DIGITS], 16) for value in values}
    return Values(sorted(hashes)[: MOST_VALUES + 1])


def make_tally(counts: Iterable[tuple[str, int]]) -> Tally:
    """Keep how often each value occurred."""
    return _bounded_tally(dict(counts))


def make_moments(times: Iterable[int]) -> Moments:
    """Keep when events happened, each moment once."""
    moments = sorted(set(times))
    if len(moments) > 2 * MOST_MOMENTS:
        moments = moments[:MOST_MOMENTS] + moments[-MOST_MOMENTS:]
    return Moments(moments)


def make_visits(times: Iterable[int]) -> Visits:
    """Keep the sessions that events make."""
    return _joined_visits((time, time) for time in sorted(times))


def _hash(text: str) -> str:
    """MD5, which every engine has and gives alike; nothing secret hangs on it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _bounded_tally(counts: dict[str, int]) -> Tally:
    if len(counts) > MOST_TALLIED:
        kept = sorted((_hash(value), value) for value in counts)[:MOST_TALLIED]
        counts = {value: counts[value] for _, value in kept}
    return Tally(dict(counts))


def _pairs(ends: list[int]) -> Iterable[tuple[int, int]]:
    return zip(ends[::2], ends[1::2], strict=True)


def _joined_visits(spans: Iterable[tuple[int, int]]) -> Visits:
    """Join spans, in the order of their beginnings, that are closer than the gap."""
    ends: list[int] = []
    for begin, end in spans:
        if ends and begin - ends[-1] < SESSION_GAP:
            ends[-1] = max(ends[-1], end)
        else:
            ends += (begin, end)
    return Visits(ends)
