"""How alike two texts are, for Spark, which has no such functions, or others: the same numbers as DuckDB's.

They go by the bytes of UTF-8. Workers need `rapidfuzz` and `pyarrow`, nothing of Onefold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

LIKENESS = {
    "jaro_similarity_of_bytes": ("Jaro", "double"),
    "jaro_winkler_similarity_of_bytes": ("JaroWinkler", "double"),
    "levenshtein_of_bytes": ("Levenshtein", "int"),
    "damerau_levenshtein_of_bytes": ("DamerauLevenshtein", "int"),
}
"""The functions by their names in Spark: the measure, and the type of what they give."""


def add_likeness(session: SparkSession) -> None:
    """Let queries of a session ask how alike texts are."""
    from pyspark.sql.pandas.functions import arrow_udf  # noqa: PLC0415 - an extra
    from pyspark.sql.types import DoubleType, IntegerType  # noqa: PLC0415

    made: Any = arrow_udf  # as its types know only functions that say theirs
    # Types as such: to read one that is written Spark Connect would need a Spark of this process.
    types = {"double": DoubleType(), "int": IntegerType()}
    for name, (measure, kind) in LIKENESS.items():
        session.udf.register(name, made(_compared(measure, kind), types[kind]))


def _compared(measure: str, kind: str) -> Callable[[pa.Array, pa.Array], pa.Array]:
    """A function over columns. It is sent to workers as it stands, so it names nothing out of itself."""

    def compare(left: pa.Array, right: pa.Array) -> pa.Array:
        import pyarrow  # noqa: ICN001, PLC0415
        from rapidfuzz import distance  # noqa: PLC0415

        of = getattr(distance, measure)
        ask: Any = of.similarity if kind == "double" else of.distance
        pairs = zip(*(one.cast(pyarrow.binary()).to_pylist() for one in (left, right)), strict=True)
        nothing = 0.0 if kind == "double" else 0
        found = [
            None if one is None or two is None else ask(one, two) if one or two else nothing
            for one, two in pairs
        ]
        return pyarrow.array(found, pyarrow.float64() if kind == "double" else pyarrow.int32())

    # By the types that are written here Spark would be misled: they are texts.
    compare.__annotations__.clear()
    return compare
