"""DuckDB, embedded: queries over small Arrow tables and over the lake's files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from onefold.engine.interface import Interrupted, OutOfMemory
from onefold.model.errors import Damaged
from onefold.model.sql import literal_sql


class DuckEngine:
    """One in-memory DuckDB; used by one thread at a time.

    What does not fit into its memory goes to the directory `spill`; without one it is an error.
    Without `optimizer` queries run as they are written: for those that run often, over little.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        memory_mb: int = 512,
        spill: Path | None = None,
        optimizer: bool = True,
    ) -> None:
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": f"{memory_mb}MiB",
                "temp_directory": "" if spill is None else str(spill),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                # A name in a query is never a variable of this program.
                "python_enable_replacements": "false",
            },
        )
        self._optimizer = optimizer
        # By the name of a layout, which is made of its columns; sessions share it.
        self._columns: dict[str, list[str]] = {}
        self.connection.execute("set global timezone = 'UTC'")
        # What a view was made of is asked soon after: each file's end need be read but once.
        self.connection.execute("set global parquet_metadata_cache = true")
        self._set_up(self.connection)

    def session(self) -> DuckEngine:
        """Another one over the same database, with views and tables of its own that end with it."""
        other = copy(self)
        other.connection = self.connection.cursor()
        self._set_up(other.connection)
        return other

    def _set_up(self, connection: duckdb.DuckDBPyConnection) -> None:
        if not self._optimizer:
            connection.execute("pragma disable_optimizer")

    def rows(
        self, step: str, sql: str, inputs: Mapping[str, pa.Table], values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """All rows of a query over named tables; `step` names it should it fail."""
        try:
            for name, table in inputs.items():
                self.connection.register(name, table)
            return self.connection.execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise _failed(step, sql, error) from error
        finally:
            for name in inputs:
                self.connection.unregister(name)

    def arrow(self, step: str, sql: str) -> pa.Table:
        """All rows of a query over tables that are kept."""
        try:
            return self.connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise Damaged(f"query {step} failed: {error}\n{sql}") from error

    def forget(self, *names: str) -> None:
        """Free what was kept under these names."""
        for name in names:
            self.connection.execute(f"drop table if exists {name}")

    def named(self) -> frozenset[str]:
        """The names of this session's own tables and views."""
        return frozenset(name for name, _ in self._own())

    def forget_but(self, names: Collection[str]) -> None:
        """Free all of this session's own tables and views but these."""
        for name, kind in self._own():
            if name not in names:
                self.connection.execute(f"drop {kind} if exists {name}")

    def _own(self) -> list[tuple[str, str]]:
        query = (
            "select table_name, 'table' from duckdb_tables() where temporary union all"
            " select view_name, 'view' from duckdb_views() where temporary and not internal"
        )
        return [(str(name), str(kind)) for name, kind in self.rows("own", query, {})]

    def prepare(self, step: str, sql: str, name: str, schema: pa.Schema) -> PlannedQuery:
        """Plan a query over one named table once, to run it over many tables of this schema."""
        connection = self.connection.cursor()
        self._set_up(connection)
        return PlannedQuery(connection, step, sql, name, schema)

    def pages(
        self, step: str, sql: str, values: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, `size` at a time."""
        try:
            cursor = self.connection.execute(sql, values)
            while page := cursor.fetchmany(size):
                yield page
        except duckdb.Error as error:
            raise _failed(step, sql, error) from error

    def add_view(self, name: str, files: Mapping[str, Sequence[str]], newer: pa.Table) -> None:
        """Make a view of Parquet files and rows newer than those, with the columns of these.

        Files of one group have the same columns, but for the group `mixed`. A column that a file
        lacks is null.
        """
        self.connection.register(f"{name}_newer", newer)
        parts = [f"select * from {name}_newer"]
        parts += [f"select * from {files_sql(group, of)}" for group, of in files.items()]
        columns = ", ".join(f'"{column}"' for column in newer.column_names)
        self.view(name, f"select {columns} from ({' union all by name '.join(parts)})")

    def add_files(self, name: str, group: str, files: Sequence[str]) -> list[str]:
        """Make a view of the Parquet files of one group; give the names of its columns."""
        self.view(name, f"select * from {files_sql(group, files)}")
        columns = self._columns.get(group)
        if columns is None:
            columns = [str(row[0]) for row in self.rows("columns", f"describe {name}", {})]
            if group != "mixed":
                self._columns[group] = columns
        return columns

    def keep(
        self, name: str, query: str | pa.Table, inputs: Mapping[str, pa.Table] | None = None
    ) -> int:
        """Keep the rows of a query, or of a table, as a table of this name; count them."""
        if isinstance(query, pa.Table):
            query, inputs = "select * from given", {"given": query}
        sql = f"create or replace temp table {name} as {query}"
        return int(self.rows(name, sql, inputs or {})[0][0])

    def view(self, name: str, query: str) -> None:
        """Make a view of a query over the lake."""
        try:
            self.connection.execute(f"create or replace temp view {name} as {query}")
        except duckdb.Error as error:
            reason = str(error).split("\n", 1)[0]
            raise Damaged(f"the lake cannot be read: {reason}; see `onefold doctor`") from error

    def columns(self, file: str) -> list[str]:
        """The columns of a Parquet file."""
        query = f"describe select * from {files_sql('', [file])}"
        return [str(row[0]) for row in self.rows("columns", query, {})]

    def write(self, query: str, path: Path, rows_a_group: int, *, level: int = 3) -> int:
        """Write the rows of a query to a Parquet file, in their order; give how many there were.

        `level` is that of zstd: 1 takes a sixth less time than 3, and makes files a tenth larger.
        """
        target = literal_sql(str(path))
        options = (
            f"format parquet, compression zstd, compression_level {level:d},"
            f" row_group_size {rows_a_group}, parquet_version v2"
        )
        try:
            found = self.connection.execute(f"copy ({query}) to {target} ({options})").fetchone()
        except duckdb.Error as error:
            path.unlink(missing_ok=True)
            raise Damaged(f"{path.name} cannot be written: {error}") from error
        return 0 if found is None else int(found[0])

    def lock(self, files: Sequence[str], directories: Sequence[Path] = ()) -> None:
        """From now on only these can be read, and no setting can be changed."""
        for statement in (
            f"set allowed_paths = [{_listed(files)}]",
            f"set allowed_directories = [{_listed(map(str, directories))}]",
            "set enable_external_access = false",
            "set lock_configuration = true",
        ):
            self.connection.execute(statement)

    def interrupt(self) -> None:
        """Break off what runs, from another thread."""
        self.connection.interrupt()

    def close(self) -> None:
        """Free its memory."""
        self.connection.close()


def _failed(step: str, sql: str, error: duckdb.Error) -> Damaged:
    kind = next((one for known, one in _KINDS.items() if isinstance(error, known)), Damaged)
    return kind(f"query {step} failed: {error}\n{sql}")


_KINDS: dict[type[duckdb.Error], type[Damaged]] = {
    duckdb.InterruptException: Interrupted,
    duckdb.OutOfMemoryException: OutOfMemory,
}


def files_sql(group: str, files: Sequence[str]) -> str:
    """A table of SQL that reads Parquet files, which have the same columns unless `mixed`."""
    differ = ", union_by_name = true" if group == "mixed" else ""
    return f"read_parquet([{_listed(files)}]{differ})"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(literal_sql, texts))


class PlannedQuery:
    """A query that is planned once: over a few rows planning takes longer than all the rest."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        step: str,
        sql: str,
        name: str,
        schema: pa.Schema,
    ) -> None:
        self._connection = connection
        self._failed = f"query {step} failed: {{}}\n{sql}"
        self._given = _Given(schema.empty_table())
        try:
            connection.register(name, self._given)
            connection.execute(f"prepare prepared as {sql}")
        except duckdb.Error as error:
            connection.close()
            raise Damaged(self._failed.format(error)) from error

    def run(self, table: pa.Table) -> pa.Table:
        """The rows of the query over this table."""
        self._given.table = table
        try:
            return self._connection.sql("execute prepared").to_arrow_table()
        except duckdb.Error as error:
            raise Damaged(self._failed.format(error)) from error

    def close(self) -> None:
        """Forget the plan."""
        self._connection.close()


class _Given:
    """A table whose rows are other ones each time that a query reads it."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, schema: object = None) -> object:
        return self.table.__arrow_c_stream__(schema)
