"""The tables of a PostgreSQL change stream as they are now; what would have to be made for it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from onefold.collect.sources import postgres_server as server
from onefold.collect.sources.change_settings import PostgresChangesSettings
from onefold.collect.sources.table_look import Rows, Tables


@contextmanager
def view(settings: PostgresChangesSettings) -> Iterator[tuple[Tables, int]]:
    """The tables that would be read, as they are at one time; every fault that reading them would find."""
    with (
        server.told("reading the tables"),
        server.connect(settings.url, settings.password) as control,
    ):
        server.check_server(control)
        with control.transaction(force_rollback=True):
            server.ensure_publication(control, settings.publication, settings.tables)
            tables = server.published(control, settings.publication)
        (seconds,) = server.one(control, "select extract(epoch from clock_timestamp())")
        control.execute("begin isolation level repeatable read read only")
        snapshot = server.Snapshot(control, 0, int(seconds * 1_000_000))
        yield [(one.full_name, partial(_rows, snapshot, one)) for one in tables], snapshot.time


def _rows(snapshot: server.Snapshot, table: server.PublishedTable) -> Rows:
    return snapshot.rows(table)[1]
