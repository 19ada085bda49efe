"""What a source that is a database says: where it is, and which tables are read how."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from onefold.collect.tls import Tls
from onefold.model.errors import Fault, InvalidInput
from onefold.model.quantities import parse_duration

Dialect = Literal["postgresql", "mysql", "mariadb", "sqlite", "mssql"]


class TableSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table or view. `columns` empty means all, `key` empty its primary key.

    With a `cursor` (a column that only grows, such as when a row was changed) only what lies behind
    the last one is read; without, all of it each time. `late` is how far before the last cursor a row
    may still appear: a duration for times, a difference for numbers.
    """

    table: str
    columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    cursor: str = ""
    late: str | int = ""
    schema: str = ""


class SqlSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A database and what to read of it.

    `time_zone` is that of times that have none. `page` rows are read at once. With `count` the rows
    are counted first, so that a load can say how long it takes.
    """

    dialect: Dialect
    tables: tuple[TableSettings, ...]
    host: str = ""
    port: int = 0
    database: str = ""
    user: str = ""
    password: str = ""
    file: str = ""
    schema: str = ""
    tls: Tls = None
    ca: str = ""
    time_zone: str = "UTC"
    page: int = 5_000
    count: bool = True
    timeout: float = 600.0


def check_settings(settings: SqlSettings) -> None:
    """Raise `InvalidInput` with all that cannot work."""
    faults: list[Fault] = []
    if not settings.tables:
        faults.append(Fault("names no table", "settings.tables"))
    if settings.dialect == "sqlite" and not settings.file:
        faults.append(Fault("is missing", "settings.file", "the path of the database"))
    if settings.dialect != "sqlite" and not (settings.host and settings.database):
        faults.append(Fault("are missing", "settings.host, settings.database"))
    try:
        ZoneInfo(settings.time_zone)
    except (ValueError, OSError, LookupError):
        faults.append(Fault(f"there is no {settings.time_zone!r}", "settings.time_zone"))
    if not 1 <= settings.page <= 100_000:
        faults.append(Fault("must be from 1 to 100000", "settings.page"))
    for number, one in enumerate(settings.tables):
        if isinstance(one.late, str) and one.late:
            try:
                parse_duration(one.late)
            except ValueError as error:
                faults.append(Fault(str(error), f"settings.tables[{number}].late"))
    if faults:
        raise InvalidInput("the settings of the database are wrong", faults)
