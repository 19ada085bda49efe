"""Rows are matched on Spark by the queries that match them on DuckDB."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from onefold.app.matching.dedupe import Deduped, Wanted, dedupe
from onefold.model.matching import MatchModel, decode_model
from onefold.testing.people import make_people
from tests.engines.test_engines import needs_java


def _deduped(folder: Path, engine: str, model: Path | None = None) -> tuple[Deduped, MatchModel]:
    folder.mkdir()
    kept = folder / "model.json"
    wanted = Wanted(
        output=folder / "clusters.parquet",
        golden=folder / "golden.parquet",
        review=folder / "review.parquet",
        model=model,
        save_model=kept,
        engine=engine,
    )
    return dedupe([folder.parent / "people.parquet"], wanted), decode_model(kept.read_bytes())


@pytest.mark.slow
@needs_java
def test_spark_finds_the_same_people_as_duckdb(tmp_path: Path) -> None:
    people = make_people(800, seed=21).drop_columns(["entity_id"])
    pq.write_table(people, tmp_path / "people.parquet")
    found, model = _deduped(tmp_path / "duckdb", "duckdb")
    trained = tmp_path / "duckdb" / "model.json"
    same, kept = _deduped(tmp_path / "same", "local[2]", trained)
    assert kept == model
    assert (same.profiles, same.review_pairs) == (found.profiles, found.review_pairs)
    for name in ("clusters", "golden", "review"):
        one, two = (
            pq.read_table(tmp_path / each / f"{name}.parquet") for each in ("duckdb", "same")
        )
        assert one == two
    anew, learned = _deduped(tmp_path / "anew", "local[2]")
    assert anew.compared_pairs == found.compared_pairs
    assert learned.keys == model.keys
    assert learned.match == pytest.approx(model.match, rel=1e-4)
    for mine, theirs in zip(learned.comparisons, model.comparisons, strict=True):
        for one, two in zip(mine.levels, theirs.levels, strict=True):
            assert (one.m, one.u) == pytest.approx((two.m, two.u), rel=1e-3, abs=1e-6)
