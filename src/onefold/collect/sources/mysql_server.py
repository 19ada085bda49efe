"""What the reader of a MySQL or MariaDB binary log asks of the server."""

from __future__ import annotations

import datetime as dt
import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import msgspec
import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.cursors import SSCursor

from onefold.collect.sources.change_settings import MysqlChangesSettings
from onefold.collect.tls import pymysql_options
from onefold.model.errors import Fault, InvalidInput, Unreachable

GONE = 1236
"""The server no longer has the part of the log that is asked for."""
_REFUSED = {1044, 1045, 1142, 1143, 1227, 1698, 1049, 1146}
_NEEDED = {
    "log_bin": ("ON", "start the server with log_bin"),
    "binlog_format": ("ROW", "set binlog_format = ROW"),
    "binlog_row_image": ("FULL", "set binlog_row_image = FULL"),
    "binlog_row_metadata": ("FULL", "set binlog_row_metadata = FULL, which names the columns"),
}
_COLUMNS = """
    select column_name, column_key = 'PRI' from information_schema.columns
    where table_schema = %s and table_name = %s order by ordinal_position
"""

Place = tuple[str, int]
"""A file of the log and the byte in it."""


def order(place: Place) -> tuple[int, int]:
    """What puts places in the log's order.

    >>> order(("log.000010", 4)) > order(("log.000009", 500))
    True
    """
    return int(place[0].rpartition(".")[2]), place[1]


@contextmanager
def told(doing: str) -> Iterator[None]:
    """The driver's errors as ours: what the settings cause, and what may pass."""
    try:
        yield
    except pymysql.MySQLError as error:
        code, said = (*error.args, "")[:2] if error.args else (0, str(error))
        if code == GONE:
            hint = "reset the source's position, and everything is read anew"
            raise InvalidInput(
                "changes may have been lost", [Fault(str(said), "binary log", hint)]
            ) from error
        if code in _REFUSED:
            hint = "the user needs REPLICATION SLAVE, BINLOG MONITOR and SELECT on the tables"
            raise InvalidInput(f"{doing}: refused", [Fault(str(said), hint=hint)]) from error
        raise Unreachable(f"{doing}: {said or code}") from error


def address(settings: MysqlChangesSettings, at: str) -> dict[str, Any]:
    """How the driver connects."""
    return {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": settings.password,
        "charset": "utf8mb4",
        "connect_timeout": 15,
        **pymysql_options(settings.tls, settings.ca, at),
    }


def open_at(at: str, **given: Any) -> pymysql.Connection[Any]:
    """A connection to the address that was judged, while certificates are checked for the name.

    The log's reader names the database by an older word.
    """
    database = given.pop("db", given.pop("database", None))
    made = pymysql.connect(**{**given, "database": database, "defer_connect": True})
    try:
        made.connect(socket.create_connection((at, given["port"]), 15))
    except OSError as error:
        raise Unreachable(f"{given['host']} does not answer: {error}") from error
    return made


def own_number(settings: MysqlChangesSettings) -> int:
    """The number under which we read: the same on every start, so that an older reader is let go."""
    if settings.server_id:
        return settings.server_id
    told_apart = f"{settings.host} {settings.port} {settings.user} {settings.tables}"
    return 1_000_000_000 + zlib.crc32(told_apart.encode()) % 1_000_000_000


def connect(settings: MysqlChangesSettings, at: str) -> pymysql.Connection[Any]:
    """A connection for questions, with times in UTC as in the log."""
    with told("connecting"):
        commands = "set time_zone = '+00:00', net_write_timeout = 3600, wait_timeout = 86400"
        return open_at(at, **address(settings, at), autocommit=True, init_command=commands)


def rows(
    connection: pymysql.Connection[Any], query: str, values: tuple[Any, ...] = ()
) -> list[Any]:
    """All rows of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def check_server(connection: pymysql.Connection[Any], tables: tuple[str, ...]) -> str:
    """Which server it is; raises `InvalidInput` with all that keeps it from being read."""
    have = {name.lower(): str(value) for name, value in rows(connection, "show global variables")}
    faults = [
        Fault(f"is {have.get(name, 'unknown')}, must be {must}", name, hint)
        for name, (must, hint) in _NEEDED.items()
        if have.get(name, "").upper() != must
    ]
    for number, table in enumerate(tables):
        if "." not in table:
            faults.append(Fault("must be database.table", f"tables[{number}]"))
        elif not rows(connection, _COLUMNS, tuple(table.split(".", 1))):
            faults.append(Fault(f"there is no table {table}", f"tables[{number}]"))
    if faults:
        raise InvalidInput("this server cannot be read as a change stream", faults)
    return have.get("server_uuid") or have.get("server_uid") or f"{have['hostname']}:{have['port']}"


class Snapshot(msgspec.Struct, frozen=True):
    """All tables as they were at one place of the log, on a connection that sees just that."""

    connection: Any
    place: Place
    time: int

    def rows(self, table: str, most: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row, or `most` of them, with the place that it stands at."""
        schema, name = table.split(".", 1)
        keys = [column for column, key in rows(self.connection, _COLUMNS, (schema, name)) if key]
        with SSCursor(self.connection) as cursor:
            limit = "" if most is None else f" limit {int(most)}"
            cursor.execute(f"select * from {quoted(schema)}.{quoted(name)}{limit}")
            columns = [(column[0], column[1]) for column in cursor.description]
            for number, row in enumerate(cursor):
                fields = {
                    column: plain(value, kind)
                    for (column, kind), value in zip(columns, row, strict=True)
                }
                yield (
                    ",".join([f"{key}={fields[key]}" for key in keys]) or f"row {number}",
                    fields,
                )

    def close(self) -> None:
        self.connection.close()


def quoted(name: str) -> str:
    """A name as it stands in a query.

    >>> quoted("a`b")
    '`a``b`'
    """
    return "`" + name.replace("`", "``") + "`"


def take_snapshot(settings: MysqlChangesSettings, at: str) -> Snapshot:
    """See the tables as they are at one place of the log.

    MariaDB tells the place of a view; with MySQL all writers wait for the moment that it takes.
    """
    connection = connect(settings, at)
    with told("reading all rows"):
        rows(connection, "set transaction isolation level repeatable read")
        is_mariadb = "MariaDB" in connection.get_server_info()
        if not is_mariadb:
            rows(connection, "flush tables with read lock")
        rows(connection, "start transaction with consistent snapshot")
        if is_mariadb:
            status = dict(rows(connection, "show status like 'binlog_snapshot_%'"))
            place = status["Binlog_snapshot_file"], int(status["Binlog_snapshot_position"])
        else:
            place = place_now(connection)
            rows(connection, "unlock tables")
        ((now,),) = rows(connection, "select cast(unix_timestamp(now(6)) * 1000000 as unsigned)")
    return Snapshot(connection, place, int(now))


def place_now(connection: pymysql.Connection[Any]) -> Place:
    """The end of the log."""
    try:
        ((file, at, *_),) = rows(connection, "show binary log status")
    except pymysql.ProgrammingError:  # before MySQL 8.2, and MariaDB
        ((file, at, *_),) = rows(connection, "show master status")
    return file, int(at)


def plain(value: Any, kind: int) -> Any:
    """A value as JSON can say it, alike whether it was read or comes from the log.

    >>> plain(Decimal("12.50"), FIELD_TYPE.NEWDECIMAL), plain(b"\\x05", FIELD_TYPE.BIT)
    (12.5, 5)
    """
    if isinstance(value, bytes) and kind == FIELD_TYPE.BIT:
        return int.from_bytes(value)
    if isinstance(value, str):
        return _from_text(value, kind)
    if value is None or type(value) is int:
        return value
    if isinstance(value, float):
        return float(f"{value:.6g}") if kind == FIELD_TYPE.FLOAT else value
    return _from_object(value, kind)


def _from_text(value: str, kind: int) -> Any:
    if kind == FIELD_TYPE.BIT:
        return int(value, 2)
    if kind == FIELD_TYPE.JSON:
        return json.loads(value)
    return value


def _from_object(value: Any, kind: int) -> Any:
    if isinstance(value, Decimal):
        text = str(value)
        if len(text) > 16:
            return text
        return float(text) if "." in text else int(text)
    if isinstance(value, dt.datetime):
        return value.isoformat() + ("Z" if kind in (FIELD_TYPE.TIMESTAMP, 17) else "")
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    if isinstance(value, dict):
        return {_from_object(key, 0): plain(inner, 0) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, 0) for inner in value]
    if isinstance(value, set):
        return ",".join(sorted(value))
    return value if isinstance(value, bool) else str(value)
