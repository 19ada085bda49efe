"""The buckets of one identifier as a profile's document holds them: counts and numbers as words.

Most metrics count events or add numbers up. Those of one identifier are one run of words of 64 bits
each, which `cells` reads and adds to for a whole batch of identifiers at once: a word with how many
metrics, buckets, and buckets of numbers there are; a head for each metric, ascending, those of
numbers first; the buckets, in the order of the heads and of time, each with its count; then the sums
of the numbers, the least of each, the largest of each. What does not fit, and whatever else is kept,
stands beside by the metric's name.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from onefold.segment.kinds import Bucket, Numbers

RUN = "#"
"""What the run is named by; no metric is."""
SIZE_BITS, COUNT_BITS = 13, 29
MOST_BUCKETS, MOST_EVENTS = 1 << SIZE_BITS, 1 << COUNT_BITS
HEADS_BITS, CELLS_BITS = 16, 24
MOST_HEADS, MOST_CELLS = 1 << HEADS_BITS, 1 << CELLS_BITS - 1
FARTHEST = 1 << 34
"""Buckets lie so close to that of 1970-01-01: a second's until the year 2514."""
LARGEST_TOTAL = 1 << 57
"""All sums of a metric together, in millionths: those of some identifiers still fit a word."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_LENGTH = 10
_CODES = 1 << 50


@lru_cache(maxsize=50_000)
def metric_key(metric: str, is_number: bool) -> int | None:
    """A metric's id as a number of 51 bits, below 0 of one that adds numbers up; None of another text."""
    if len(metric) != _LENGTH or not _VALUES.keys() >= set(metric):
        return None
    code = 0
    for letter in metric:
        code = code << 5 | _VALUES[letter]
    return code - _CODES if is_number else code


@lru_cache(maxsize=50_000)
def metric_of(key: int) -> str:
    """The way back."""
    return "".join(_LETTERS[key >> 5 * place & 31] for place in reversed(range(_LENGTH)))


def pack(buckets: Mapping[str, Mapping[int, Bucket]]) -> dict[str, Any]:
    """What a document holds of an identifier's buckets."""
    packed: dict[str, Any] = {}
    found: dict[int, Mapping[int, Any]] = {}
    cells = 0
    for metric, values in buckets.items():
        is_number = _numbers_fit(values)
        key = metric_key(metric, is_number) if is_number or _counts_fit(values) else None
        if key is None or len(found) + 1 >= MOST_HEADS or cells + len(values) >= MOST_CELLS:
            packed[metric] = values
        else:
            found[key] = values
            cells += len(values)
    if found:
        packed[RUN] = _packed(found)
    return packed


def unpack(run: bytes) -> dict[str, dict[int, Any]]:
    """Read what `pack` wrote of counts and numbers."""
    found: dict[str, dict[int, Any]] = {}
    if not run:
        return found
    words = memoryview(run).cast("q").tolist()
    heads = words[0] & MOST_HEADS - 1
    cells, size = (
        words[0] >> HEADS_BITS & (1 << CELLS_BITS) - 1,
        words[0] >> HEADS_BITS + CELLS_BITS,
    )
    floats = memoryview(run).cast("d").tolist() if size else []
    start = 1 + heads
    for head in words[1:start]:
        end = start + (head & MOST_BUCKETS - 1)
        key = head >> SIZE_BITS
        if key < 0:
            found[metric_of(key)] = {
                words[at] >> COUNT_BITS: Numbers(
                    words[at] & MOST_EVENTS - 1,
                    words[at + cells],
                    floats[at + cells + size],
                    floats[at + cells + 2 * size],
                )
                for at in range(start, end)
            }
        else:
            found[metric_of(key)] = {
                word >> COUNT_BITS: word & MOST_EVENTS - 1 for word in words[start:end]
            }
        start = end
    return found


def _packed(metrics: Mapping[int, Mapping[int, Any]]) -> bytes:
    keys = sorted(metrics)
    cells = [(number, metrics[key][number]) for key in keys for number in sorted(metrics[key])]
    heads = [key << SIZE_BITS | len(metrics[key]) for key in keys]
    counts = [one if type(one) is int else one.n for _, one in cells]
    words = [number << COUNT_BITS | n for (number, _), n in zip(cells, counts, strict=True)]
    numbers = [one for _, one in cells if isinstance(one, Numbers)]
    first = len(heads) | len(words) << HEADS_BITS | len(numbers) << HEADS_BITS + CELLS_BITS
    run = struct.pack(f"<{1 + len(heads) + len(words)}q", first, *heads, *words)
    if numbers:
        run += struct.pack(f"<{len(numbers)}q", *(one.micros for one in numbers))
        run += struct.pack(f"<{len(numbers)}d", *(one.min for one in numbers))
        run += struct.pack(f"<{len(numbers)}d", *(one.max for one in numbers))
    return run


def _counts_fit(values: Mapping[int, Any]) -> bool:
    return 0 < len(values) < MOST_BUCKETS and all(
        type(one) is int and 0 <= one < MOST_EVENTS and -FARTHEST < number < FARTHEST
        for number, one in values.items()
    )


def _numbers_fit(values: Mapping[int, Any]) -> bool:
    if not 0 < len(values) < MOST_BUCKETS:
        return False
    if not all(
        type(one) is Numbers
        and not one.carry
        and 0 <= one.n < MOST_EVENTS
        and -FARTHEST < number < FARTHEST
        for number, one in values.items()
    ):
        return False
    return bool(sum(abs(one.micros) for one in values.values()) < LARGEST_TOTAL)
