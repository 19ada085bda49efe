"""Connections to databases: to the address that was judged, read-only, and ended when they hang.

One value that its driver cannot say must not end the reading of a table: it comes as text.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from onefold.collect.addresses import Reach
from onefold.collect.sources.extras import driver
from onefold.collect.sources.sql_settings import SqlSettings
from onefold.collect.tls import is_wanted, libpq_options, pymysql_options
from onefold.model.errors import Unreachable

if TYPE_CHECKING:
    from sqlalchemy import Engine

_CONNECT_SECONDS = 15
_TIMES = ("timestamp", "timestamptz", "date", "time", "timetz", "interval")
_TEXT = 0
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433}


def engine_of(settings: SqlSettings, reach: Reach) -> Engine:
    """An engine that only reads; raises `InvalidInput` where driver or address cannot be used."""
    sqlalchemy = driver("sqlalchemy", "sql")
    if settings.dialect == "sqlite":
        reach.check_file(settings.file)
        return _sqlite(sqlalchemy, settings)
    port = settings.port or _PORTS[settings.dialect]
    address = reach.address_of(settings.host, port)
    if settings.dialect == "postgresql":
        return _postgresql(sqlalchemy, settings, port, address)
    if settings.dialect == "mssql":
        return _mssql(sqlalchemy, settings, port, address)
    return _mysql(sqlalchemy, settings, port, address)


def _sqlite(sqlalchemy: Any, settings: SqlSettings) -> Engine:
    path = Path(settings.file)
    if not path.is_file():
        raise Unreachable(f"there is no file {settings.file}")
    # Opened for reading only: it cannot be changed, whatever is sent.
    engine: Engine = sqlalchemy.create_engine(
        f"sqlite:///file:{quote(path.absolute().as_posix())}?mode=ro&uri=true"
    )
    return engine


def _postgresql(sqlalchemy: Any, settings: SqlSettings, port: int, address: str) -> Engine:
    driver("psycopg", "sql")
    url = sqlalchemy.URL.create(
        "postgresql+psycopg", settings.user or None, settings.password or None, settings.host, port,
        settings.database,
    )  # fmt: skip
    options = {
        "hostaddr": address,
        "connect_timeout": _CONNECT_SECONDS,
        **libpq_options(settings.tls, settings.ca, address),
        "application_name": "onefold",
        "options": "-c default_transaction_read_only=on"
        f" -c statement_timeout={int(settings.timeout * 1000)}",
    }
    engine: Engine = sqlalchemy.create_engine(url, connect_args=options, pool_size=1)
    sqlalchemy.event.listen(engine, "connect", _say_all_times)
    return engine


def _say_all_times(connection: Any, _record: Any) -> None:
    """`infinity`, the year 12000 and 24:00 are times for PostgreSQL, and none for Python."""
    from psycopg import DataError  # noqa: PLC0415 - its driver is there by now
    from psycopg.adapt import Loader  # noqa: PLC0415

    for name in _TIMES:
        known = connection.adapters.types[name].oid
        usual = connection.adapters.get_loader(known, _TEXT)

        class Told(Loader):
            _usual = usual

            def __init__(self, oid: int, context: Any = None) -> None:
                super().__init__(oid, context)
                self._inner = self._usual(oid, context)

            def load(self, data: Any) -> Any:
                try:
                    return self._inner.load(data)
                except (DataError, ValueError, OverflowError):
                    return bytes(data).decode()

        connection.adapters.register_loader(known, Told)


def as_stored(_inspector: Any, _table: Any, column: dict[str, Any]) -> None:
    """Take a column of SQLite as it is, whatever it was declared to be: any may hold anything.

    A time in particular is a text, and is found again only by that very text.
    """
    from sqlalchemy import Boolean, DateTime, types  # noqa: PLC0415

    declared, column["type"] = column["type"], types.NullType()
    column["info"] = {
        "is_time": isinstance(declared, DateTime),
        "is_truth": isinstance(declared, Boolean),
        "is_json": isinstance(declared, types.JSON),
    }


def _mysql(sqlalchemy: Any, settings: SqlSettings, port: int, address: str) -> Engine:
    pymysql = driver("pymysql", "sql")
    encrypted = pymysql_options(settings.tls, settings.ca, address)

    def connect() -> Any:
        made = pymysql.connect(
            host=settings.host,
            port=port,
            user=settings.user,
            password=settings.password,
            database=settings.database,
            charset="utf8mb4",
            init_command="set session transaction read only",
            read_timeout=settings.timeout,
            local_infile=False,
            defer_connect=True,
            **encrypted,
        )
        # By the address that was judged, while certificates are checked for the name.
        try:
            made.connect(socket.create_connection((address, port), _CONNECT_SECONDS))
        except OSError as error:
            raise Unreachable(f"{settings.host} does not answer: {error}") from error
        # A `timestamp` is told by the session's clock: by one without summer time none comes twice.
        with made.cursor() as cursor:
            cursor.execute("set time_zone = '+00:00'")
        return made

    engine: Engine = sqlalchemy.create_engine("mysql+pymysql://", creator=connect, pool_size=1)
    return engine


def _mssql(sqlalchemy: Any, settings: SqlSettings, port: int, address: str) -> Engine:
    driver("pyodbc", "sql")
    query = {
        "driver": "ODBC Driver 18 for SQL Server",
        "ApplicationIntent": "ReadOnly",
        "Encrypt": "yes" if is_wanted(settings.tls, address) else "no",
        "TrustServerCertificate": "yes" if settings.tls == "unverified" else "no",
        "HostNameInCertificate": settings.host,
    }
    url = sqlalchemy.URL.create(
        "mssql+pyodbc", settings.user, settings.password, address, port, settings.database, query
    )
    engine: Engine = sqlalchemy.create_engine(
        url, connect_args={"timeout": _CONNECT_SECONDS}, pool_size=1
    )

    def end_what_hangs(connection: Any, _record: Any) -> None:
        connection.timeout = int(settings.timeout)

    sqlalchemy.event.listen(engine, "connect", end_what_hangs)
    return engine
