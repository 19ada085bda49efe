"""Spark, for populations that outgrow one machine: in this process, on a cluster, or by Connect.

It needs the extra: `pip install 'onefold[spark]'`; all but Spark Connect also needs Java 17.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from onefold.engine.interface import Interrupted, OutOfMemory
from onefold.engine.likeness import add_likeness
from onefold.engine.spark_session import spark_errors, start_session
from onefold.model.errors import Damaged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PATTERNS = re.compile(r"([\[\]{}*?\\])")
_PART, _FETCHED = "part_of_all", 500_000
_TOO_LARGE = ("OutOfMemory", "maxResultSize")


class SparkEngine:
    """One session of Spark.

    `url` is `local[N]` for Spark in this process with N threads (`local[*]`: all), the master of a
    cluster (`spark://host:port`), or a Spark Connect server (`sc://host:port`). `settings` are Spark's own, of the
    session. Spark in this process has so much memory, at least 1 GB, and puts what does not fit into `spill`.
    """

    def __init__(
        self,
        url: str = "local[*]",
        settings: Mapping[str, str] | None = None,
        *,
        memory_mb: int = 1_024,
        spill: Path | None = None,
    ) -> None:
        self._session = start_session(url, settings or {}, memory_mb, spill)
        add_likeness(self._session)
        self._remote = url.startswith("sc://")
        self._views: set[str] = set()
        # A server of Spark Connect frees what nobody here refers to.
        self._kept: dict[str, DataFrame] = {}
        self._interrupted = False

    def rows(
        self, step: str, sql: str, inputs: Mapping[str, pa.Table], values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """All rows of a query over named tables; `step` names it should it fail."""
        with self._failures(step, sql), self._named(inputs):
            return _tuples(self._query(sql, values).toArrow())

    def pages(
        self, step: str, sql: str, values: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, at most `size` at a time; of many only some are held here at once."""
        with self._failures(step, sql):
            found = self._query(sql, values).selectExpr("*", f"spark_partition_id() AS {_PART}")
            found.persist()
            try:
                for first, last in _runs(dict(found.groupBy(_PART).count().collect()), size):
                    some = found.where(f"{_PART} BETWEEN {first} AND {last}").drop(_PART).toArrow()
                    for start in range(0, some.num_rows, size):
                        yield _tuples(some.slice(start, size))
            finally:
                found.unpersist()

    def add_view(self, name: str, files: Mapping[str, Sequence[str]], newer: pa.Table) -> None:
        """Make a view of Parquet files and rows newer than those, with the columns of these."""
        with self._failures("view", name):
            parts = [self._read(group, of) for group, of in files.items()]
            parts.append(self._given(newer))
            whole = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), parts)
            self._name(name, whole.select(*[f"`{column}`" for column in newer.column_names]))

    def add_files(self, name: str, group: str, files: Sequence[str]) -> list[str]:
        """Make a view of the Parquet files of one group; give the names of its columns."""
        with self._failures("files", name):
            found = self._read(group, files)
            self._name(name, found)
            return list(found.columns)

    def view(self, name: str, query: str) -> None:
        """Make a view of a query over other views."""
        with self._failures("view", query):
            self._name(name, self._query(query, ()))

    def keep(
        self, name: str, query: str | pa.Table, inputs: Mapping[str, pa.Table] | None = None
    ) -> int:
        """Keep the rows of a query, or of a table, as a table of this name; count them."""
        if isinstance(query, pa.Table):
            query, inputs = "select * from given", {"given": query}
        with self._failures(name, query), self._named(inputs or {}):
            # Cut off from what it was made of, or each query would be planned with all before it.
            found = self._query(query, ()).localCheckpoint()
            self._name(name, found)
            self._kept[name] = found
            return int(found.count())

    def arrow(self, step: str, sql: str) -> pa.Table:
        """All rows of a query over what is kept, as a table."""
        with self._failures(step, sql):
            return self._query(sql, ()).toArrow()

    def forget(self, *names: str) -> None:
        """Free what was kept under these names."""
        with self._failures("forget", ""):
            for name in names:
                self._forget(name)

    def interrupt(self) -> None:
        """Break off what runs, from another thread."""
        self._interrupted = True
        try:
            self._session.interruptAll()
        except spark_errors() as error:
            raise Damaged(f"Spark cannot be asked to stop: {_reason(error)}") from error

    def close(self) -> None:
        """Forget its views, and what it keeps."""
        with self._failures("close", ""):
            for name in list(self._views):
                self._forget(name)
            if self._remote:
                self._session.stop()

    def _read(self, group: str, files: Sequence[str]) -> DataFrame:
        differ = "true" if group == "mixed" else "false"
        # A path is a pattern to Spark.
        paths = [_PATTERNS.sub(r"\\\1", file) for file in files]
        return self._session.read.option("mergeSchema", differ).parquet(*paths)

    def _query(self, sql: str, values: Sequence[Any]) -> DataFrame:
        from onefold.engine.dialect import spark_sql  # noqa: PLC0415 - loads a parser of SQL

        return self._session.sql(spark_sql(sql), args=list(values) or None)

    def _given(self, table: pa.Table) -> DataFrame:
        if table.num_rows:
            return self._session.createDataFrame(table)
        from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - an extra

        # Over Spark Connect what has no rows has no columns either, unless these are named.
        return self._session.createDataFrame([], from_arrow_schema(table.schema, False))

    @contextmanager
    def _named(self, inputs: Mapping[str, pa.Table]) -> Iterator[None]:
        for name, table in inputs.items():
            self._name(name, self._given(table))
        try:
            yield
        finally:
            for name in inputs:
                self._forget(name)

    def _name(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._views.add(name)

    def _forget(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        self._views.discard(name)
        self._kept.pop(name, None)

    @contextmanager
    def _failures(self, step: str, sql: str) -> Iterator[None]:
        try:
            yield
        except spark_errors() as error:
            kind: type[Damaged] = Interrupted if self._interrupted else Damaged
            if any(one in str(error) for one in _TOO_LARGE):
                kind = OutOfMemory
            raise kind(f"query {step} failed: {_reason(error)}\n{sql}") from error


def _reason(error: Exception) -> str:
    return str(error).split("\n", 1)[0]


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _runs(rows: Mapping[int, int], size: int) -> Iterator[tuple[int, int]]:
    """Parts of a result that are fetched together: several small ones, or one large one."""
    first: int | None = None
    held = 0
    for part in sorted(rows):
        if first is not None and held + rows[part] > max(size, _FETCHED):
            yield first, part - 1
            first, held = None, 0
        first = part if first is None else first
        held += rows[part]
    if first is not None:
        yield first, max(rows)
