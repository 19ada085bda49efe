"""The tables of a MySQL or MariaDB change stream as they are now; nobody is locked, and no log is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from onefold.collect.sources import mysql_server as server
from onefold.collect.sources.change_settings import MysqlChangesSettings
from onefold.collect.sources.table_look import Tables


@contextmanager
def view(settings: MysqlChangesSettings, at: str, most: int | None) -> Iterator[tuple[Tables, int]]:
    """The tables as they are at one time, at `most` so many rows of each."""
    with server.told("reading the tables"), closing(server.connect(settings, at)) as connection:
        server.check_server(connection, settings.tables)
        server.rows(connection, "set transaction isolation level repeatable read")
        server.rows(connection, "start transaction with consistent snapshot, read only")
        now = time.time_ns() // 1000
        snapshot = server.Snapshot(connection, ("", 0), now)
        # A driver reads all that it asked for, wanted or not: so no more is asked for.
        yield [(one, partial(snapshot.rows, one, most)) for one in settings.tables], now
