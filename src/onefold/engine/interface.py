"""What every engine can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from onefold.model.errors import Damaged


class Interrupted(Damaged):
    """The query was broken off, as somebody asked."""


class OutOfMemory(Damaged):
    """The query needs more memory than it may use."""


class Engine(Protocol):
    """Runs queries in DuckDB's dialect over what it was given, for one thread at a time.

    A query that fails raises `Damaged`, which names its step and shows its SQL.
    """

    def rows(
        self, step: str, sql: str, inputs: Mapping[str, pa.Table], values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """All rows of a query over named tables; `step` names it should it fail.

        The tables are known to this query only. Each `?` in it stands for one of the values.
        """

    def pages(
        self, step: str, sql: str, values: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, at most `size` at a time."""

    def add_view(self, name: str, files: Mapping[str, Sequence[str]], newer: pa.Table) -> None:
        """Make a view of Parquet files and rows newer than those, with the columns of these.

        Files of one group have the same columns, but for the group `mixed`. A column that a file
        lacks is null.
        """

    def add_files(self, name: str, group: str, files: Sequence[str]) -> list[str]:
        """Make a view of the Parquet files of one group; give the names of its columns."""

    def view(self, name: str, query: str) -> None:
        """Make a view of a query over other views."""

    def keep(
        self, name: str, query: str | pa.Table, inputs: Mapping[str, pa.Table] | None = None
    ) -> int:
        """Keep the rows of a query, or of a table, as a table of this name; count them.

        What was kept by that name before is forgotten. The inputs are tables known to this query only.
        """

    def arrow(self, step: str, sql: str) -> pa.Table:
        """All rows of a query over what is kept, as a table."""

    def forget(self, *names: str) -> None:
        """Free what was kept under these names."""

    def interrupt(self) -> None:
        """Break off what runs, from another thread: it raises `Interrupted`."""

    def close(self) -> None:
        """Free its memory."""
