"""Changes of tables in MySQL or MariaDB, as the binary log tells them: first all rows, then each change."""

from __future__ import annotations

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import MysqlChangesSettings
from onefold.collect.sources.extras import missing
from onefold.model.pulled import PulledSource

__all__ = ["MysqlChangesSettings", "open_mysql_changes"]


def open_mysql_changes(settings: MysqlChangesSettings, reach: Reach) -> PulledSource:
    """The reader; needs `onefold[mysql]`, and that `reach` allows the server's address."""
    try:
        from onefold.collect.sources.mysql_stream import MysqlStream  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise missing("mysql", error) from error
    return MysqlStream(settings, reach.address_of(settings.host, settings.port))
