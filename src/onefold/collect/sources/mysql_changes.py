"""Changes of tables in MySQL or MariaDB, as the binary log tells them: first all rows, then each change."""

from __future__ import annotations

from functools import partial

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import MysqlChangesSettings
from onefold.collect.sources.extras import missing
from onefold.collect.sources.table_look import TableLook
from onefold.model.pulled import PulledSource

__all__ = ["MysqlChangesSettings", "look_at_mysql", "open_mysql_changes"]


def open_mysql_changes(settings: MysqlChangesSettings, reach: Reach) -> PulledSource:
    """The reader; needs `onefold[mysql]`, and that `reach` allows the server's address."""
    try:
        from onefold.collect.sources.mysql_stream import MysqlStream  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise missing("mysql", error) from error
    return MysqlStream(settings, reach.address_of(settings.host, settings.port))


def look_at_mysql(settings: MysqlChangesSettings, reach: Reach, most: int | None) -> PulledSource:
    """What the tables hold now, `most` rows of it; nothing is followed."""
    try:
        from onefold.collect.sources.mysql_look import view  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise missing("mysql", error) from error
    at = reach.address_of(settings.host, settings.port)
    return TableLook(partial(view, settings, at, most), most)
