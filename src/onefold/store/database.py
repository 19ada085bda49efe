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
from onefold.store.upgrading import extras_apart

_MANY = 500
_PAGE = 20_000
WAIT_SECONDS = 30.0
_LOOK_SECONDS = 0.002
_FRAME_BYTES = 4096 + 24
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
log = structlog.get_logger(__name__)


class Database:
    """One connection to a SQLite file in WAL mode; used by one thread at a time."""

    def __init__(
        self, path: str | Path, *, cache_mb: int = 64, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._wait = wait_seconds
        try:
            self.connection = sqlite3.connect(
                path, timeout=wait_seconds, isolation_level=None, check_same_thread=False
            )
            self._prepare(cache_mb)
        except sqlite3.DatabaseError as error:
            if _is_passing(error):
                raise Busy(f"the store at {path} cannot be opened now: {error}") from error
            raise Damaged(f"cannot open the store at {path}: {error}") from error

    def _prepare(self, cache_mb: int) -> None:
        for pragma in (
            "journal_mode = wal",
            # Full: the lake may hold only batches that the store can never lose.
            "synchronous = full",
            f"cache_size = {-1024 * cache_mb}",
            "temp_store = memory",
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
        self.connection.create_function("extras_apart", 1, extras_apart, deterministic=True)
        with self.transaction():
            done = self.connection.execute("pragma user_version").fetchone()[0]
            for number, script in enumerate(scripts[done:], start=done + 1):
                for statement in script.read_text(encoding="utf-8").split(";\n"):
                    self.connection.execute(statement)
                self.connection.execute(f"pragma user_version = {number}")

    @contextmanager
    def transaction(self, wait_seconds: float | None = None) -> Iterator[sqlite3.Connection]:
        """All of it or nothing; waits for another writer, then raises `Busy`."""
        self._begin(self._wait if wait_seconds is None else wait_seconds)
        try:
            yield self.connection
            self.connection.execute("commit")
        except sqlite3.OperationalError as error:
            self._roll_back()
            raise Busy(f"the store could not be written: {error}") from error
        except BaseException:
            self._roll_back()
            raise

    def _begin(self, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds
        # SQLite itself would look again more and more seldom, up to 100 ms apart: beside a worker
        # that writes batch after batch, another writer then hardly ever meets a gap.
        self._set_wait(0)
        try:
            while True:
                try:
                    self.connection.execute("begin immediate")
                    return
                except sqlite3.OperationalError as error:
                    locked = _code(error) == sqlite3.SQLITE_BUSY
                    if not locked or time.monotonic() > deadline:
                        message = f"the store is locked or cannot be written: {error}"
                        raise Busy(message) from error
                time.sleep(_LOOK_SECONDS)
        finally:
            self._set_wait(self._wait)

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

    def pages(self, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        """All rows of a query that gives many, some at a time."""
        cursor = self.connection.execute(sql)
        while rows := cursor.fetchmany(_PAGE):
            yield rows

    def lookup(self, sql: str, keys: Sequence[Any], *before: Any) -> Iterator[tuple[Any, ...]]:
        """Rows whose key is among many; `sql` holds `{keys}` where the list of keys stands.

        `before` are the values of the `?` before it.
        """
        for start in range(0, len(keys), _MANY):
            some = keys[start : start + _MANY]
            marks = ",".join("?" * len(some))
            yield from self.rows(sql.format(keys=marks), *before, *some)

    def lookup_pairs(self, sql: str, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
        """Like `lookup` for two-column keys; `{keys}` becomes a list of `(?,?)` rows."""
        for start in range(0, len(pairs), _MANY):
            some = pairs[start : start + _MANY]
            marks = ",".join(["(?,?)"] * len(some))
            flat = [value for pair in some for value in pair]
            yield from self.rows(sql.format(keys=marks), *flat)

    def checkpoint(self) -> int:
        """Move what the write-ahead log holds into the database file, as far as readers allow.

        Gives the bytes that the log holds, moved or not: only once nothing is left to move and
        nobody reads does a transaction begin it anew. `Busy` if the disk does not take it.
        """
        _, frames, _ = self._checkpoint("passive")
        return max(0, frames) * _FRAME_BYTES

    def restart_log(self, wait_seconds: float) -> bool:
        """Move all of the write-ahead log and begin it anew; says whether readers let that be.

        Others cannot write meanwhile, for as long as is waited for readers at most.
        """
        self._set_wait(wait_seconds)
        try:
            busy, _, _ = self._checkpoint("truncate")
        finally:
            self._set_wait(self._wait)
        return not busy

    def _checkpoint(self, mode: str) -> tuple[int, int, int]:
        try:
            busy, frames, moved = self.connection.execute(
                f"pragma wal_checkpoint({mode})"
            ).fetchone()
        except sqlite3.OperationalError as error:
            raise Busy(f"the store's log cannot be written back: {error}") from error
        return busy, frames, moved

    def _set_wait(self, seconds: float) -> None:
        self.connection.execute(f"pragma busy_timeout = {int(seconds * 1000)}")

    def changes_seen(self) -> int:
        """A number that differs once another connection has committed something."""
        return int(self.connection.execute("pragma data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code for an error."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_passing(error: sqlite3.Error) -> bool:
    """Whether the same may work a little later: a lock, a full disk, a disk that fails."""
    return _code(error) in _PASSING
