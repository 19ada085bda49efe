"""Which records of one person somebody could tell to be that person's: what the others leave is nobody's error.

Two records of a person tell who it is if they share what few others have (a mail address, a telephone
number, a number of the state, a place, a birth date, be it with a slip), or a name that nobody else has, in any
order. A record that shares nothing of this with any other of its person could be anybody of that name.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from bench.matching_metrics import f1
from onefold.engine.duck import DuckEngine
from onefold.resolve.matching import clustering

_TOLD = """
    a.email = b.email OR list_has_any(a.emails, b.emails) OR a.phone = b.phone
    OR list_has_any(a.phones, b.phones) OR right(a.phone, 7) = right(b.phone, 7)
    OR damerau_levenshtein(a.email, b.email) <= 1 OR damerau_levenshtein(a.phone, b.phone) <= 1
    OR damerau_levenshtein(a.national_id, b.national_id) <= 2
    OR damerau_levenshtein(a.birth_digits, b.birth_digits) <= 2
    OR a.house_number = b.house_number AND jaro_winkler_similarity(a.street, b.street) >= 0.85
    OR a.name_sorted = b.name_sorted AND a.bearers = 1
"""


def tellable(engine: DuckEngine, people: str = "truth") -> int:
    """Make the table `told`, `(record_id, told)`: records with the same number can be told; how many pairs.

    `people` has the standard columns and `entity_id`.
    """
    engine.keep(
        "named",
        f"SELECT p.*, row_number() OVER (ORDER BY p.record_id) - 1 AS place, n.bearers FROM {people} AS p"
        " LEFT JOIN (SELECT name_sorted, count(DISTINCT entity_id) AS bearers"
        f" FROM {people} GROUP BY name_sorted) AS n ON p.name_sorted = n.name_sorted",
    )
    found = engine.arrow(
        "links",
        "SELECT a.place AS l, b.place AS r FROM named AS a JOIN named AS b"
        f" ON a.entity_id = b.entity_id AND a.place < b.place WHERE {_TOLD}",
    )
    (row,) = engine.rows("size", "SELECT count(*) FROM named", {})
    labels = clustering.components(
        int(row[0]), *(found[name].to_numpy().astype("int64") for name in "lr")
    )
    engine.keep(
        "labels",
        "SELECT * FROM given",
        {"given": pa.table({"place": range(len(labels)), "told": labels})},
    )
    engine.keep("told", "SELECT record_id, told FROM named JOIN labels USING (place)")
    engine.forget("named", "labels")
    return _pairs(engine, "told", "told")


def measure_told(people: Path, clusters: pa.Table) -> dict[str, float]:
    """F1 of clusters (`record_id`, `profile`), pairs of one person left out that cannot be told."""
    engine = DuckEngine(threads=2, memory_mb=6000)
    engine.keep("truth", f"SELECT * FROM read_parquet('{people}')")
    engine.keep("clusters", "SELECT * FROM given", {"given": clusters})
    there = tellable(engine)
    engine.keep(
        "placed",
        "SELECT record_id, entity_id, told, profile FROM truth JOIN told USING (record_id)"
        " JOIN clusters USING (record_id)",
    )
    right = _pairs(engine, "placed", "told, profile")
    wrong = _pairs(engine, "placed", "profile") - _pairs(engine, "placed", "entity_id, profile")
    every = _pairs(engine, "placed", "entity_id")
    engine.close()
    return {
        "told": round(there / every, 4) if every else 1.0,
        "told_f1": round(f1(right, right + wrong, there), 4),
    }


def _pairs(engine: DuckEngine, table: str, by: str) -> int:
    """How many pairs of rows have the same."""
    (row,) = engine.rows(
        "pairs",
        f"SELECT coalesce(sum(n * (n - 1) // 2), 0) FROM (SELECT count(*) AS n FROM {table} GROUP BY {by})",
        {},
    )
    return int(row[0])
