"""Pairs as good as random, the same on every engine: from numbers alone."""

from __future__ import annotations

MOST = 500_000
_STEP_L, _STEP_R = 3242174889, 2447445414
_WHOLE = 4294967296


def is_all(records: int) -> bool:
    """Are there so few records that all their pairs are taken?"""
    return records * (records - 1) // 2 <= MOST


def random_pairs_query(records: int) -> str:
    """Pairs `(l, r)` of numbers from 1 to `records`; all of them where there are few.

    The numbers are evenly spread, as multiples of two irrational fractions are; records are numbered by their
    content, so who is paired is chance.
    """
    if is_all(records):
        return (
            f"SELECT a.i AS l, b.i AS r FROM range(1, {records + 1}) AS a(i)"
            f" JOIN range(1, {records + 1}) AS b(i) ON a.i < b.i"
        )
    return (
        f"SELECT l, r FROM (SELECT i * {_STEP_L} % {_WHOLE} * {records} // {_WHOLE} + 1 AS l,"
        f" i * {_STEP_R} % {_WHOLE} * {records} // {_WHOLE} + 1 AS r"
        f" FROM range(1, {MOST + 1}) AS s(i)) WHERE l <> r"
    )
