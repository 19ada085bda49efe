"""Spark, for populations that outgrow one machine: in this process, or over Spark Connect.

It needs the extra: `pip install 'onefold[spark]'`; Spark in this process also needs Java 17.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from onefold.engine.dialect import spark_sql
from onefold.model.errors import Damaged, InvalidInput

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # A text `${env:SECRET}` in a rule is that text.
    "spark.sql.variable.substitute": "false",
}
# Of the process that holds it, when Spark runs here. Rules of hundreds of clauses are deep trees.
_LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.driver.extraJavaOptions": "-Xss64m",
}


class SparkEngine:
    """One session of Spark.

    `url` is `local[N]` for Spark in this process with N threads (`local[*]`: all), or
    `sc://host:port` for a Spark Connect server. `settings` are Spark's own, of the session.
    """

    def __init__(self, url: str = "local[*]", settings: Mapping[str, str] | None = None) -> None:
        self._session = _session(url, settings or {})
        self._views: set[str] = set()

    def rows(
        self, step: str, sql: str, inputs: Mapping[str, pa.Table], values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """All rows of a query over named tables; `step` names it should it fail."""
        with _failures(step, sql):
            for name, table in inputs.items():
                self._name(name, self._session.createDataFrame(table))
            try:
                return _tuples(self._query(sql, values).toArrow())
            finally:
                for name in inputs:
                    self._forget(name)

    def pages(
        self, step: str, sql: str, values: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, at most `size` at a time."""
        with _failures(step, sql):
            found = self._query(sql, values).toArrow()
        for start in range(0, found.num_rows, size):
            yield _tuples(found.slice(start, size))

    def add_view(self, name: str, files: Mapping[str, Sequence[str]], newer: pa.Table) -> None:
        """Make a view of Parquet files and rows newer than those, with the columns of these."""
        with _failures("view", name):
            parts = [self._read(group, of) for group, of in files.items()]
            parts.append(self._session.createDataFrame(newer))
            whole = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), parts)
            self._name(name, whole.select(*[f"`{column}`" for column in newer.column_names]))

    def view(self, name: str, query: str) -> None:
        """Make a view of a query over other views."""
        with _failures("view", query):
            self._name(name, self._query(query, ()))

    def close(self) -> None:
        """Forget its views."""
        for name in list(self._views):
            self._forget(name)

    def _read(self, group: str, files: Sequence[str]) -> DataFrame:
        differ = "true" if group == "mixed" else "false"
        return self._session.read.option("mergeSchema", differ).parquet(*files)

    def _query(self, sql: str, values: Sequence[Any]) -> DataFrame:
        return self._session.sql(spark_sql(sql), args=list(values) or None)

    def _name(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._views.add(name)

    def _forget(self, name: str) -> None:
        self._session.catalog.dropTempView(name)
        self._views.discard(name)


def _session(url: str, settings: Mapping[str, str]) -> SparkSession:
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise InvalidInput("Spark is not installed: pip install 'onefold[spark]'") from error
    # Workers run the Python that runs here. What fails is raised, and need not be logged, too.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging.getLogger("SQLQueryContextLogger").disabled = True
    remote = url.startswith("sc://")
    try:
        if remote:
            session = SparkSession.builder.remote(url).create()
        else:
            builder = SparkSession.builder.master(url).appName("onefold")
            for name, value in _LOCAL_SETTINGS.items():
                builder = builder.config(name, value)
            session = builder.getOrCreate().newSession()
        for name, value in {**_SETTINGS, **settings}.items():
            session.conf.set(name, value)
    except (PySparkException, OSError) as error:
        hint = "is the server there?" if remote else "is Java 17 installed?"
        reason = str(error).split("\n", 1)[0]
        raise InvalidInput(f"Spark cannot be started at {url}: {reason} ({hint})") from error
    return session


@contextmanager
def _failures(step: str, sql: str) -> Iterator[None]:
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except PySparkException as error:
        reason = str(error).split("\n", 1)[0]
        raise Damaged(f"query {step} failed: {reason}\n{sql}") from error


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
