"""Changes of tables in PostgreSQL, as its log tells them: first all rows, then each change."""

from __future__ import annotations

from functools import partial

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import PostgresChangesSettings
from onefold.collect.sources.extras import missing
from onefold.collect.sources.table_look import TableLook
from onefold.model.pulled import PulledSource

__all__ = ["PostgresChangesSettings", "look_at_postgres", "open_postgres_changes"]


def open_postgres_changes(settings: PostgresChangesSettings, reach: Reach) -> PulledSource:
    """The reader; needs `onefold[postgres]`, and that `reach` allows the server's address."""
    try:
        from onefold.collect.sources.postgres_server import pinned  # noqa: PLC0415 - an extra
        from onefold.collect.sources.postgres_stream import PostgresStream  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise missing("postgres", error) from error
    return PostgresStream(msgspec.structs.replace(settings, url=pinned(settings, reach)))


def look_at_postgres(
    settings: PostgresChangesSettings, reach: Reach, most: int | None
) -> PulledSource:
    """What the tables hold now, `most` rows of it; no slot and no publication are made."""
    try:
        from onefold.collect.sources.postgres_look import view  # noqa: PLC0415 - an extra
        from onefold.collect.sources.postgres_server import pinned  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise missing("postgres", error) from error
    there = msgspec.structs.replace(settings, url=pinned(settings, reach))
    return TableLook(partial(view, there), most)
