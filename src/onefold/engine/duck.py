"""DuckDB, embedded: queries over small Arrow tables and over the lake's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from onefold.model.errors import Damaged


class DuckEngine:
    """One in-memory DuckDB; used by one thread at a time."""

    def __init__(self, *, threads: int = 1, memory_mb: int = 512) -> None:
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": f"{memory_mb}MB",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self.connection.execute("set timezone = 'UTC'")

    def rows(
        self, step: str, sql: str, inputs: Mapping[str, pa.Table], values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """All rows of a query over named tables; `step` names it should it fail."""
        try:
            for name, table in inputs.items():
                self.connection.register(name, table)
            return self.connection.execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise Damaged(f"query {step} failed: {error}\n{sql}") from error
        finally:
            for name in inputs:
                self.connection.unregister(name)

    def close(self) -> None:
        """Free its memory."""
        self.connection.close()
