"""The lake as Delta tables in one directory."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from onefold.lake.arrow import arrow_schema
from onefold.model.catalogue import TABLES
from onefold.model.errors import Busy

_WRITER = "onefold"


class DeltaLake:
    """The tables of the catalogue under `directory`, one Delta table each."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._open: dict[str, DeltaTable] = {}

    def create(self) -> None:
        """Make the tables that are not there yet."""
        for name in TABLES:
            DeltaTable.create(
                str(self.directory / name),
                schema=arrow_schema(name),
                mode="ignore",
                configuration={"delta.logRetentionDuration": "interval 1 days"},
            )

    def _table(self, name: str) -> DeltaTable:
        table = self._open.get(name)
        try:
            if table is None:
                table = self._open[name] = DeltaTable(str(self.directory / name))
            else:
                table.update_incremental()
        except TableNotFoundError as error:
            raise Busy(f"the lake has no table {name} yet; start Onefold once") from error
        except (DeltaError, OSError) as error:
            raise Busy(f"the lake table {name} cannot be read: {_reason(error)}", 5.0) from error
        return table

    def last_batch(self, name: str) -> int:
        """The last batch that a table holds; 0 before the first."""
        return self._table(name).transaction_version(_WRITER) or 0

    def append(self, name: str, rows: pa.Table, batch: int) -> None:
        """Append rows of batches up to `batch`, in one commit. `Busy` if it could not be written."""
        try:
            write_deltalake(
                self._table(name),
                rows,
                mode="append",
                commit_properties=CommitProperties(app_transactions=[Transaction(_WRITER, batch)]),
            )
        except (DeltaError, OSError) as error:
            raise Busy(
                f"the lake table {name} could not be written: {_reason(error)}", 5.0
            ) from error

    def snapshot(self, name: str) -> tuple[int, list[str]]:
        """The last batch that a table holds, and the Parquet files of that same version."""
        table = self._table(name)
        return table.transaction_version(_WRITER) or 0, list(table.file_uris())

    def compact(self, name: str, small_files: int) -> bool:
        """Join small files once there are more than `small_files`; old ones go after a day."""
        table = self._table(name)
        if len(table.file_uris()) <= small_files:
            return False
        try:
            table.optimize.compact()
            table.vacuum(retention_hours=24, dry_run=False, enforce_retention_duration=False)
            table.cleanup_metadata()
        except (DeltaError, OSError) as error:
            raise Busy(
                f"the lake table {name} could not be compacted: {_reason(error)}", 60.0
            ) from error
        return True


def _reason(error: Exception) -> str:
    # What follows the first line is a trace of the driver's own code.
    return str(error).split("\n", 1)[0]
