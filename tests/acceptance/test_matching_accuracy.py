"""Accuracy on data with truth, which is not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.matching import LAYOUTS, ours, standardized
from bench.matching_metrics import measure

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "identity"
DATA = Path(os.environ.get("ONEFOLD_IDENTITY_DATA", BESIDE))
LEAST = {
    "pseudopeople_multisource_dev": (0.987, 0.993, 0.996),
    "febrl3": (0.995, 0.998, 0.999),
    "febrl4": (0.999, 0.999, 0.999),
    "rldata500": (0.97, 0.97, 0.996),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LAYOUTS))
def test_accuracy_stays(name: str, tmp_path: Path) -> None:
    if not (DATA / f"{name}.parquet").exists():
        pytest.skip(f"{name} is not there: ONEFOLD_IDENTITY_DATA names its directory")
    people = standardized(DATA, name, tmp_path)
    pairs, clusters = tmp_path / "pairs.parquet", tmp_path / "clusters.parquet"
    ours(people, pairs, clusters)
    truth: pa.Table = pq.read_table(people, columns=["record_id", "entity_id"])
    found = measure(truth, pq.read_table(pairs), pq.read_table(clusters))
    pair, cluster, b3 = LEAST[name]
    assert found["pair_f1"] >= pair
    assert found["cluster_f1"] >= cluster
    assert found["b3"] >= b3
