"""What the reader of a PostgreSQL change stream asks and sets up on the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import conninfo, sql

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import PostgresChangesSettings
from onefold.collect.sources.pgoutput import converter, lsn_of
from onefold.collect.tls import libpq_options
from onefold.model.errors import Fault, InvalidInput, Unreachable

# The same for what is read first and what is streamed, so that a value looks the same in both.
_SESSION = (
    "-c datestyle=ISO -c timezone=UTC -c intervalstyle=iso_8601 -c bytea_output=hex"
    " -c extra_float_digits=3 -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
)
_STREAMING = " -c wal_sender_timeout=300s"
_PLAIN_TABLES = """
    select c.oid, n.nspname, c.relname, c.relreplident, c.reltuples::bigint
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = to_regclass(%s)
"""
_COLUMNS = """
    select a.attname, a.atttypid::bigint,
           coalesce((select true from pg_index i where i.indrelid = a.attrelid
                     and a.attnum = any(i.indkey) and i.indisprimary), false)
    from pg_attribute a
    where a.attrelid = %s and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by a.attnum
"""


class PublishedTable(msgspec.Struct, frozen=True):
    """A table of the publication: which of its columns and rows are published."""

    schema: str
    name: str
    columns: tuple[str, ...] | None
    rows: str | None

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


class Slot(msgspec.Struct, frozen=True):
    """A replication slot: up to where it is confirmed, and how much the server keeps for it."""

    confirmed: int
    kept_bytes: int
    status: str
    active: bool
    plugin: str


@contextmanager
def told(doing: str) -> Iterator[None]:
    """The driver's errors as ours: what the settings cause, and what may pass."""
    try:
        yield
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidAuthorizationSpecification,
            psycopg.errors.InvalidPassword, psycopg.errors.SyntaxErrorOrAccessRuleViolation,
            psycopg.ProgrammingError) as error:  # fmt: skip
        hint = "the user needs REPLICATION and SELECT on the tables; see docs/change-streams.md"
        raise InvalidInput(
            f"{doing}: PostgreSQL refuses", [Fault(_said(error), hint=hint)]
        ) from error
    except psycopg.Error as error:
        # Of a connection that was never made the driver gives only the text.
        if "authentication failed" in str(error) or "certificate verify failed" in str(error):
            hint = "`password` is a secret: `onefold secret set`; certificates: `tls` and `ca`"
            raise InvalidInput(f"{doing}: refused", [Fault(_said(error), hint=hint)]) from error
        raise Unreachable(f"{doing}: {_said(error)}") from error


def _said(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]


def pinned(settings: PostgresChangesSettings, reach: Reach) -> str:
    """How to connect to the very addresses that were judged; raises where sources may not call one."""
    url = settings.url
    try:
        told_in = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        hint = "postgresql://user@host:5432/database"
        raise InvalidInput(
            "this is no address of a database", [Fault("cannot be read", "url", hint)]
        ) from error
    hosts = str(told_in.get("hostaddr") or told_in.get("host") or "localhost").split(",")
    ports = str(told_in.get("port") or 5432).split(",")
    addresses = [
        reach.address_of(host, int(ports[min(number, len(ports) - 1)] or 5432))
        for number, host in enumerate(hosts)
    ]
    known: dict[str, Any] = {**told_in, "host": ",".join(hosts), "hostaddr": ",".join(addresses)}
    if "sslmode" not in told_in:
        known |= libpq_options(settings.tls, settings.ca, addresses[0])
    return conninfo.make_conninfo(**known)


def connect(url: str, password: str, *, replication: bool = False) -> psycopg.Connection[Any]:
    """A connection whose values are written alike everywhere."""
    more: dict[str, Any] = {"password": password} if password else {}
    if replication:
        more["replication"] = "database"
    with told("connecting"):
        return psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=15,
            # A server that is gone without a word is known within a minute, and not after hours.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            tcp_user_timeout=60_000,
            application_name="onefold",
            client_encoding="utf8",
            options=_SESSION + (_STREAMING if replication else ""),
            **more,
        )


def check_server(control: psycopg.Connection[Any]) -> None:
    """Raise where the server does not write what a change stream needs."""
    (level,) = one(control, "select current_setting('wal_level')")
    if level != "logical":
        hint = "`alter system set wal_level = logical`, then restart the server"
        raise InvalidInput(
            "this PostgreSQL server keeps no change stream",
            [Fault(f"is {level}, must be logical", "wal_level", hint)],
        )


def one(connection: psycopg.Connection[Any], query: Any, values: tuple[Any, ...] = ()) -> Any:
    """The first row of an answer, None where there is none."""
    return connection.execute(query, values or None).fetchone()


def ensure_publication(
    control: psycopg.Connection[Any], publication: str, tables: tuple[str, ...]
) -> None:
    """Make the publication with these tables where it is missing; add those that it lacks."""
    exists = one(control, "select true from pg_publication where pubname = %s", (publication,))
    if not exists and not tables:
        fault = Fault(f"there is no publication {publication}", "tables", "name the tables to read")
        raise InvalidInput("it is not known which tables to read", [fault])
    lacking = []
    have = {table.full_name for table in published(control, publication)} if exists else set()
    faults: list[Fault] = []
    for number, table in enumerate(tables):
        row = one(control, _PLAIN_TABLES, (table,))
        if row is None:
            faults.append(Fault(f"there is no table {table}", f"tables[{number}]"))
        elif f"{row[1]}.{row[2]}" not in have:
            lacking.append(row)
    faults += [_no_key(row) for row in lacking if not _has_identity(control, row)]
    if faults:
        raise InvalidInput("these tables cannot be read as a change stream", faults)
    if lacking:
        verb = (
            "alter publication {} add table {}" if exists else "create publication {} for table {}"
        )
        names = sql.SQL(", ").join(sql.Identifier(row[1], row[2]) for row in lacking)
        control.execute(sql.SQL(verb).format(sql.Identifier(publication), names))


def _has_identity(control: psycopg.Connection[Any], row: Any) -> bool:
    if row[3] in ("f", "i"):
        return True
    key = one(control, "select true from pg_index where indrelid = %s and indisprimary", (row[0],))
    return bool(key) and row[3] == "d"


def _no_key(row: Any) -> Fault:
    name = f"{row[1]}.{row[2]}"
    return Fault(
        "has no primary key: once published, PostgreSQL would refuse its updates and deletes",
        name,
        f"give it a primary key, or `alter table {name} replica identity full`",
    )


def published(control: psycopg.Connection[Any], publication: str) -> list[PublishedTable]:
    """The tables of a publication."""
    detail = (
        "attnames::text[], rowfilter" if control.info.server_version >= 150000 else "null, null"
    )
    query = f"""
        select schemaname, tablename, {detail} from pg_publication_tables
        where pubname = %s order by 1, 2
    """
    return [
        PublishedTable(schema, name, tuple(columns) if columns else None, rows)
        for schema, name, columns, rows in control.execute(query, (publication,))
    ]


def slot_of(control: psycopg.Connection[Any], name: str) -> Slot | None:
    """The slot of this name, None where there is none."""
    row = one(
        control,
        """select confirmed_flush_lsn::text, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint,
                  coalesce(wal_status, ''), active, plugin
           from pg_replication_slots where slot_name = %s""",
        (name,),
    )
    return row and Slot(lsn_of(row[0] or "0/0"), row[1] or 0, row[2], row[3], row[4] or "")


class Snapshot(msgspec.Struct, frozen=True):
    """All tables as they were at one place of the log, on a connection that sees just that."""

    connection: Any
    lsn: int
    time: int

    def rows(
        self, table: PublishedTable
    ) -> tuple[int | None, Iterator[tuple[str, dict[str, Any]]]]:
        """About how many rows there are, and each row with the place that it stands at."""
        number, _, _, _, many = one(self.connection, _PLAIN_TABLES, (_quoted(table),))
        columns = [
            (name, converter(type_id), key)
            for name, type_id, key in self.connection.execute(_COLUMNS, (number,))
            if table.columns is None or name in table.columns
        ]
        return (many if many >= 0 else None), self._read(table, columns)

    def _read(
        self, table: PublishedTable, columns: list[tuple[str, Callable[[str], Any], bool]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        keys = [number for number, (_, _, key) in enumerate(columns) if key]
        names = [sql.Identifier(name) for name, _, _ in columns]
        if not keys:
            names.append(sql.Identifier("ctid"))
        query = sql.SQL("copy (select {} from {}").format(
            sql.SQL(", ").join(names), sql.Identifier(table.schema, table.name)
        )
        # The filter is PostgreSQL's own text of what the publication's owner wrote.
        query += sql.SQL(f" where {table.rows})" if table.rows else ")")
        with self.connection.cursor().copy(query + sql.SQL(" to stdout")) as copied:
            for row in copied.rows():
                place = ",".join([f"{columns[n][0]}={row[n]}" for n in keys]) or f"ctid={row[-1]}"
                yield (
                    place,
                    {
                        name: None if text is None else convert(text)
                        for (name, convert, _), text in zip(columns, row, strict=False)
                    },
                )

    def close(self) -> None:
        self.connection.close()


def _quoted(table: PublishedTable) -> str:
    return sql.Identifier(table.schema, table.name).as_string(None)


def take_snapshot(url: str, password: str, slot: str, *, temporary: bool) -> Snapshot:
    """Make a slot, and see the tables as they are where its stream begins.

    A temporary slot goes at once: what stays is the view and its place.
    """
    maker = connect(url, password, replication=True)
    reader = connect(url, password)
    with told("making a replication slot"):
        (seconds,) = one(reader, "select extract(epoch from clock_timestamp())")
        kind = "TEMPORARY " if temporary else ""
        command = sql.SQL("CREATE_REPLICATION_SLOT {} " + kind + "LOGICAL pgoutput EXPORT_SNAPSHOT")
        _, place, name, _ = one(maker, command.format(sql.Identifier(slot)))
        reader.execute("begin isolation level repeatable read read only")
        reader.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(name)))
    maker.close()
    return Snapshot(reader, lsn_of(place), int(seconds * 1_000_000))


def start_stream(
    url: str, password: str, slot: str, publication: str, lsn: int
) -> psycopg.Connection[Any]:
    """A connection on which the changes after `lsn` come."""
    connection = connect(url, password, replication=True)
    place = f"{lsn >> 32:X}/{lsn & 0xFFFF_FFFF:X}"
    command = sql.SQL(
        "START_REPLICATION SLOT {} LOGICAL " + place + " (proto_version '1', publication_names {})"
    )
    names = sql.Literal(sql.Identifier(publication).as_string(None))
    with told("starting the change stream"):
        connection.execute(command.format(sql.Identifier(slot), names))
    return connection
