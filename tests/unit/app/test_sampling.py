"""What a rehearsal keeps of a file: rows at even distances, and never more than memory may take."""

from __future__ import annotations

import pytest

from onefold.app.imports.sampling import Sampling
from onefold.model.pulled import Batch, Record


def batch(first: int, count: int, characters: int = 1) -> Batch:
    text = "x" * characters
    return Batch([Record({"id": first + one, "note": text}, "x", "") for one in range(count)], {})


@pytest.mark.parametrize(
    ("rows", "every"), [(10, 1), (200, 1), (201, 2), (5_000, 32), (12_345, 64)]
)
def test_rows_are_kept_at_even_distances(rows: int, every: int) -> None:
    sampling = Sampling(100)
    for first in range(0, rows, 170):
        sampling.add(batch(first, min(170, rows - first)))
    assert [one.fields["id"] for one in sampling.records] == list(range(0, rows, every))
    assert (sampling.rows, sampling.whole) == (rows, every == 1)


def test_of_very_long_rows_fewer_are_kept() -> None:
    sampling = Sampling(1_000)
    for first in range(0, 500, 10):
        sampling.add(batch(first, 10, 1 << 20))
        assert sum(len(one.fields["note"]) for one in sampling.records) <= 32 << 20
    assert [one.fields["id"] for one in sampling.records] == list(range(0, 500, 32))
    assert not sampling.whole

    alone = Sampling(1_000)
    alone.add(batch(0, 1, 40 << 20))
    assert len(alone.records) == 1
    assert alone.whole
