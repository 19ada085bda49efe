"""A SQLite database file: opening, migrating, transactions, look-ups by many keys."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import structlog

from onefold.model.errors import Busy, Damaged

_MANY = 500
_BUSY_SECONDS = 30.0
_LOOK_SECONDS = 0.002
log = structlog.get_logger(__name__)


class Database:
    """One connection to a SQLite file in WAL mode; used by one thread at a time."""

    def __init__(self, path: str | Path, *, cache_mb: int = 64) -> None:
        try:
            self.connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare(cache_mb)
        except sqlite3.DatabaseError as error:
            raise Damaged(f"cannot open the store at {path}: {error}") from error

    def _prepare(self, cache_mb: int) -> None:
        for pragma in (
            "journal_mode = wal",
            # Full: the lake may hold only batches that the store can never lose.
            "synchronous = full",
            f"cache_size = {-1024 * cache_mb}",
            "temp_store = memory",
            "mmap_size = 8589934592",
            # Checkpoints run beside the batches, on a connection of their own.
            "wal_autocheckpoint = 0",
        ):
            self.connection.execute(f"pragma {pragma}")

    def migrate(self) -> None:
        """Bring the schema to the newest version; numbered files, each applied once, whole."""
        scripts = sorted(
            (
                entry
                for entry in resources.files("onefold.store").joinpath("migrations").iterdir()
                if entry.name.endswith(".sql")
            ),
            key=lambda entry: entry.name,
        )
        done = self.connection.execute("pragma user_version").fetchone()[0]
        if done > len(scripts):
            raise Damaged(
                f"the store has schema version {done}, this Onefold knows {len(scripts)}: "
                "upgrade Onefold"
            )
        if done == len(scripts):
            return
        with self.transaction():
            done = self.connection.execute("pragma user_version").fetchone()[0]
            for number, script in enumerate(scripts[done:], start=done + 1):
                for statement in script.read_text(encoding="utf-8").split(";\n"):
                    self.connection.execute(statement)
                self.connection.execute(f"pragma user_version = {number}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing; waits for another writer, then raises `Busy`."""
        self._begin()
        try:
            yield self.connection
            self.connection.execute("commit")
        except sqlite3.OperationalError as error:
            self._roll_back()
            raise Busy(f"the store could not be written: {error}") from error
        except BaseException:
            self._roll_back()
            raise

    def _begin(self) -> None:
        deadline = time.monotonic() + _BUSY_SECONDS
        # SQLite itself would look again more and more seldom, up to 100 ms apart: beside a worker
        # that writes batch after batch, another writer then hardly ever meets a gap.
        self.connection.execute("pragma busy_timeout = 0")
        try:
            while True:
                try:
                    self.connection.execute("begin immediate")
                    return
                except sqlite3.OperationalError as error:
                    locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                    if not locked or time.monotonic() > deadline:
                        message = f"the store is locked or cannot be written: {error}"
                        raise Busy(message) from error
                time.sleep(_LOOK_SECONDS)
        finally:
            self.connection.execute(f"pragma busy_timeout = {int(_BUSY_SECONDS * 1000)}")

    def _roll_back(self) -> None:
        # SQLite has already rolled back by itself after a full disk or an I/O error.
        if self.connection.in_transaction:
            self.connection.execute("rollback")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Reads inside see one moment, whatever others write meanwhile."""
        self.connection.execute("begin")
        try:
            yield self.connection
        finally:
            self._roll_back()

    def one(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def lookup(self, sql: str, keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Rows whose key is among many; `sql` holds `{keys}` where the list of keys stands."""
        for start in range(0, len(keys), _MANY):
            some = keys[start : start + _MANY]
            marks = ",".join("?" * len(some))
            yield from self.connection.execute(sql.format(keys=marks), some)

    def lookup_pairs(self, sql: str, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
        """Like `lookup` for two-column keys; `{keys}` becomes a list of `(?,?)` rows."""
        for start in range(0, len(pairs), _MANY):
            some = pairs[start : start + _MANY]
            marks = ",".join(["(?,?)"] * len(some))
            flat = [value for pair in some for value in pair]
            yield from self.connection.execute(sql.format(keys=marks), flat)

    def checkpoint(self) -> None:
        """Move what the write-ahead log holds into the database file, as far as readers allow."""
        self.connection.execute("pragma wal_checkpoint(passive)").fetchall()

    def changes_seen(self) -> int:
        """A number that differs once another connection has committed something."""
        return int(self.connection.execute("pragma data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
