"""Pairs as good as random, the same on every engine: from numbers alone."""

from __future__ import annotations

ALL = 500_000
"""All pairs are taken where there are no more than that."""
_SIDE = 500
MOST = _SIDE * _SIDE
AMONG = 100_000
"""Of more records the pairs are of so many: to look up few costs less, and five pairs a record say no less."""
_STEP_L, _STEP_R = 3242174889, 2447445414
_WHOLE = 4294967296


def is_all(records: int) -> bool:
    """Are there so few records that all their pairs are taken?"""
    return records * (records - 1) // 2 <= ALL


def random_pairs_query(records: int, prepared: str = "prepared") -> str:
    """Pairs `(l, r)` of numbers from 1 to `records`, or to `AMONG`; all of them where there are few.

    The numbers are evenly spread, as multiples of two irrational fractions are; records are numbered by their
    content, so who is paired is chance.
    """
    numbers = f"SELECT rid::BIGINT AS i FROM {prepared}"
    if is_all(records):
        return f"SELECT a.i AS l, b.i AS r FROM ({numbers}) AS a JOIN ({numbers}) AS b ON a.i < b.i"
    first = f"{numbers} WHERE rid <= {_SIDE}"
    records = min(records, AMONG)
    return (
        f"SELECT l, r FROM (SELECT i * {_STEP_L} % {_WHOLE} * {records} // {_WHOLE} + 1 AS l,"
        f" i * {_STEP_R} % {_WHOLE} * {records} // {_WHOLE} + 1 AS r"
        f" FROM (SELECT (a.i - 1) * {_SIDE} + b.i AS i FROM ({first}) AS a CROSS JOIN ({first}) AS b))"
        " WHERE l <> r"
    )
