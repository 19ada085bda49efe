"""How good pairs and clusters are, by the truth."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from onefold.engine.duck import DuckEngine

_PAIRS = "SELECT coalesce(sum(n * (n - 1) // 2), 0) FROM (SELECT count(*) AS n FROM {} GROUP BY {})"


def f1(right: float, found: float, there: float) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * right / (found + there) if found + there else 1.0


def measure(truth: pa.Table, pairs: pa.Table, clusters: pa.Table) -> dict[str, Any]:
    """F1 of pairs (`l`, `r` by record_id), and of clusters (`record_id`, `profile`)."""
    engine = DuckEngine(threads=2, memory_mb=6000)
    engine.keep("truth", "SELECT * FROM given", {"given": truth})
    engine.keep("pairs", "SELECT * FROM given", {"given": pairs})
    engine.keep("clusters", "SELECT * FROM given", {"given": clusters})
    engine.keep("j", "SELECT entity_id, profile FROM truth JOIN clusters USING (record_id)")
    there = _one(engine, _PAIRS.format("truth", "entity_id"))
    right, found = engine.rows(
        "pairs",
        "SELECT coalesce(sum((a.entity_id = b.entity_id)::INT), 0), count(*) FROM pairs"
        " JOIN truth AS a ON l = a.record_id JOIN truth AS b ON r = b.record_id",
        {},
    )[0]
    together = _one(engine, _PAIRS.format("j", "entity_id, profile"))
    clustered = _one(engine, _PAIRS.format("j", "profile"))
    precision, recall = engine.rows(
        "b3",
        "SELECT sum(n * n / c) / sum(n), sum(n * n / e) / sum(n) FROM"
        " (SELECT entity_id, profile, count(*) AS n FROM j GROUP BY ALL)"
        " JOIN (SELECT profile, count(*) AS c FROM j GROUP BY ALL) USING (profile)"
        " JOIN (SELECT entity_id, count(*) AS e FROM j GROUP BY ALL) USING (entity_id)",
        {},
    )[0]
    engine.close()
    return {
        "pair_f1": round(f1(right, found, there), 4),
        "pair_precision": round(right / found, 4) if found else 1.0,
        "pair_recall": round(right / there, 4) if there else 1.0,
        "cluster_f1": round(f1(together, clustered, there), 4),
        "b3": round(2 * precision * recall / (precision + recall), 4),
    }


def _one(engine: DuckEngine, sql: str) -> float:
    return float(engine.rows("one", sql, {})[0][0])
