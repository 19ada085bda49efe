"""The lake as Delta tables in one directory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from onefold.lake.arrow import arrow_schema
from onefold.lake.names import file_name, parse_file_name
from onefold.model.catalogue import TABLES
from onefold.model.errors import Busy

_WRITER = "onefold"
_SAMPLE = 1_000


class DeltaLake:
    """The tables of the catalogue under `directory`, one Delta table each."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._open: dict[str, DeltaTable] = {}

    def create(self) -> None:
        """Make the tables and columns that are not there yet."""
        for name in TABLES:
            schema = arrow_schema(name)
            table = DeltaTable.create(
                str(self.directory / name),
                schema=schema,
                mode="ignore",
                configuration={"delta.logRetentionDuration": "interval 1 days"},
            )
            known = {field.name for field in table.schema().fields}
            wanted = Schema.from_arrow(schema).fields
            if missing := [field for field in wanted if field.name not in known]:
                table.alter.add_columns(missing)

    @contextmanager
    def _tables(self, name: str, done: str, retry_after: float = 5.0) -> Iterator[DeltaTable]:
        """The newest version of a table; whatever fails inside becomes `Busy`."""
        try:
            table = self._open.get(name)
            if table is None:
                table = self._open[name] = DeltaTable(str(self.directory / name))
            elif not _is_newest(self.directory / name, table.version()):
                table.update_incremental()
            yield table
        except TableNotFoundError as error:
            self._open.pop(name, None)
            raise Busy(f"the lake has no table {name} yet; start Onefold once") from error
        except (DeltaError, OSError, pa.ArrowException) as error:
            # What was known of it may be wrong now: look at it anew next time.
            self._open.pop(name, None)
            # The first line is the reason; what follows is a trace of the driver's own code.
            reason = str(error).split("\n", 1)[0]
            raise Busy(f"the lake table {name} cannot be {done}: {reason}", retry_after) from error

    def last_batch(self, name: str) -> int:
        """The last batch that a table holds; 0 before the first. `Busy` if it cannot be read."""
        with self._tables(name, "read") as table:
            return table.transaction_version(_WRITER) or 0

    def append(self, name: str, rows: pa.Table, batch: int) -> None:
        """Append rows of batches up to `batch`, in one commit. `Busy` if it could not be written.

        Afterwards the rows are on the disk, and at no moment is there a commit whose rows are not:
        after a power loss the table holds all of them or none.
        """
        with self._tables(name, "written") as table:
            directory = self.directory / name
            first = rows["batch"][0].as_py() if rows.num_rows else batch
            # Rows that an older Onefold left in the queue do not know whose they are.
            whole = "profile_id" not in rows.column_names or not rows["profile_id"].null_count
            columns = rows.column_names if whole else ()
            file = file_name("tail", columns, rows.num_rows, first or 0)
            _write(rows, directory / file)
            before = table.version()
            try:
                table.create_write_transaction(
                    [_added(directory / file, rows.num_rows, new=True)],
                    "append",
                    rows.schema,
                    commit_properties=CommitProperties(
                        app_transactions=[Transaction(_WRITER, batch)]
                    ),
                )
            except (DeltaError, OSError):
                self._drop_unnamed(directory, file, batch)
                raise
            _sync_log(directory / "_delta_log", table, before)

    def _drop_unnamed(self, directory: Path, file: str, batch: int) -> None:
        """Remove the file of a commit that failed; one that took place after all keeps it."""
        with suppress(DeltaError, OSError):
            if (DeltaTable(str(directory)).transaction_version(_WRITER) or 0) < batch:
                (directory / file).unlink(missing_ok=True)

    def snapshot(self, name: str) -> tuple[int, list[str]]:
        """The last batch that a table holds, and the Parquet files of that same version."""
        with self._tables(name, "read") as table:
            return table.transaction_version(_WRITER) or 0, self._files(name, table)

    def _files(self, name: str, table: DeltaTable) -> list[str]:
        # The driver names them as URLs; a file is opened by its path, which may have spaces.
        files = (uri.rsplit("/", 1)[1] for uri in table.file_uris())
        return [str(self.directory / name / file) for file in files]

    def new_path(self, name: str, part: str, columns: Sequence[str], rows: int, batch: int) -> Path:
        """Where to write a file for `replace`."""
        return self.directory / name / file_name(part, columns, rows, batch)

    def replace(self, name: str, old: Sequence[str], new: Sequence[str]) -> None:
        """Put files, written under the names of `file_name`, in the place of others, in one commit.

        They say the same. Who reads the old ones goes on: these are removed a day later.
        `Busy` if it could not be committed; then the new files are gone again.
        """
        directory = self.directory / name
        with self._tables(name, "compacted", retry_after=60.0) as table:
            for file in new:
                _sync(Path(file))
            _sync(directory)
            now = time.time_ns() // 10**6
            actions: list[AddAction | RemoveAction] = [
                _added(Path(file), parse_file_name(file).rows, new=False) for file in new
            ]
            actions += [RemoveAction(Path(file).name, False, now) for file in old]
            before = table.version()
            try:
                table.create_write_transaction(actions, "append", table.schema())
            except (DeltaError, OSError):
                held = set(self._files(name, DeltaTable(str(directory))))
                for file in set(new) - held:
                    Path(file).unlink(missing_ok=True)
                raise
            _sync_log(directory / "_delta_log", table, before)

    def tidy(self, name: str) -> None:
        """Remove what no version of the last day names, and the log of older versions."""
        with self._tables(name, "tidied", retry_after=60.0) as table:
            table.vacuum(retention_hours=24, dry_run=False, enforce_retention_duration=False)
            table.cleanup_metadata()

    def compact(self, name: str, small_files: int) -> bool:
        """Join small files once there are more than `small_files`; old ones go after a day."""
        with self._tables(name, "compacted", retry_after=60.0) as table:
            if len(self._files(name, table)) <= small_files:
                return False
            before = table.version()
            table.optimize.compact()
            for path in self._files(name, table):
                _sync(Path(path))
            _sync_log(self.directory / name / "_delta_log", table, before)
        self.tidy(name)
        return True


def _added(path: Path, rows: int, *, new: bool) -> AddAction:
    status = path.stat()
    counted = msgspec.json.encode({"numRecords": rows}).decode()
    return AddAction(path.name, status.st_size, {}, status.st_mtime_ns // 10**6, new, counted)


def _write(rows: pa.Table, path: Path) -> None:
    """Write a Parquet file that no commit names yet; what a full disk leaves of it is removed."""
    written = False
    try:
        pq.write_table(rows, path, compression="zstd", use_dictionary=_repeating(rows))
        _sync(path)
        _sync(path.parent)
        written = True
    finally:
        if not written:
            path.unlink(missing_ok=True)


def _repeating(rows: pa.Table) -> list[str]:
    """The columns in which most values came before, as a sample says: only for such is a dictionary worth its time and
    place.
    """
    some = rows.slice(0, _SAMPLE)
    names: list[str] = some.column_names
    return [one for one in names if 2 * len(some[one].unique()) <= len(some)]


def _sync(path: Path) -> None:
    """Return once a file, or the names in a directory, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_newest(directory: Path, version: int) -> bool:
    """Whether a table has no newer version, told by the names of commits: to have the driver look costs
    a hundred times as much, and more with each file of the table.

    They are numbered without a gap. Where old ones were removed, that of this version is gone too.
    """
    log = directory / "_delta_log"
    return not _commit(log, version + 1).exists() and _commit(log, version).exists()


def _commit(log: Path, version: int) -> Path:
    return log / f"{version:020d}.json"


def _sync_log(log: Path, table: DeltaTable, before: int) -> None:
    """Return once all commits since the version `before` are on the disk, with their checkpoints.

    The table is then of the newest version: the driver leaves it at that before the commit.
    """
    table.update_incremental()
    for version in range(before + 1, table.version() + 1):
        _sync(_commit(log, version))
        checkpoint = log / f"{version:020d}.checkpoint.parquet"
        if checkpoint.exists():
            _sync(checkpoint)
            _sync(log / "_last_checkpoint")
    _sync(log)
