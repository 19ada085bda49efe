"""What Debezium is told: its connector's own properties, and those that make what it reads ours."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import DebeziumSettings
from onefold.collect.tls import is_wanted
from onefold.model.errors import Fault, InvalidInput


class Connector(NamedTuple):
    """A connector of Debezium: its class, and the port of its database."""

    name: str
    port: int


_CONNECTORS = {
    "db2": Connector("db2.Db2Connector", 50000),
    "informix": Connector("informix.InformixConnector", 9088),
    "mariadb": Connector("mariadb.MariaDbConnector", 3306),
    "mongodb": Connector("mongodb.MongoDbConnector", 27017),
    "mysql": Connector("mysql.MySqlConnector", 3306),
    "oracle": Connector("oracle.OracleConnector", 1521),
    "postgresql": Connector("postgresql.PostgresConnector", 5432),
    "sqlserver": Connector("sqlserver.SqlServerConnector", 1433),
}
_USUAL = {
    "binary.handling.mode": "hex",
    "decimal.handling.mode": "precise",
    "heartbeat.interval.ms": "10000",
    "interval.handling.mode": "string",
    "plugin.name": "pgoutput",
    "poll.interval.ms": "100",
    "publication.autocreate.mode": "filtered",
    "publication.name": "onefold",
    "schema.history.internal.store.only.captured.databases.ddl": "true",
    "schema.history.internal.store.only.captured.tables.ddl": "true",
    "skipped.operations": "none",
    "slot.name": "onefold",
    "time.precision.mode": "isostring",
}
"""What a definition may say otherwise."""
NOTIFICATIONS = "onefold-notifications"
"""The topic on which Debezium says how far its first reading is."""
_OURS = {
    "errors.max.retries": "0",  # that it fails must be seen, and the source tried again
    "include.schema.changes": "false",
    "key.converter.schemas.enable": "false",
    "name": "onefold",
    "notification.enabled.channels": "sink",
    "notification.sink.topic.name": NOTIFICATIONS,
    "offset.flush.interval.ms": "0",
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.storage.file.filename": "offsets.dat",
    "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
    "schema.history.internal.file.filename": "history.dat",
    "tombstones.on.delete": "false",
    "topic.prefix": "onefold",
    "value.converter.schemas.enable": "false",
}
_REFUSED = re.compile(
    r"(name|connector\.class|tasks\.max|topic\..*|offset\..*|snapshot\.mode.*|signal\..*|notification\..*"
    r"|schema\.history\.internal(?!\.store\.only).*|(key|value|header)\.converter.*|converters.*|transforms.*"
    r"|predicates.*|post\.processors.*|config\.providers.*|driver\..*|openlineage\..*|internal\..*"
    r"|errors\..*|record\.processing\..*|include\.schema\.changes|tombstones\.on\.delete|database\.url"
    r"|.*\b(bootstrap|proxy)\b.*|.*\b(nodes|uri|endpoint|socket\.factory|jaas)\b.*)"
)
"""What we say ourselves, or what would run other programs or call other addresses."""
_A_CLASS = re.compile(r"([a-z_][\w$]*\.){2,}[A-Z][\w$]*")
_PART_OF_AN_ADDRESS = re.compile(r"database\.(dbname|names|pdb\.name|instance|user)")
_PLAIN = re.compile(r"[\w$#.,@ -]*")


class ToldToDebezium(msgspec.Struct, frozen=True):
    """Properties, and the addresses of the hosts that they name."""

    properties: dict[str, str]
    hosts: dict[str, str]


def told_to_debezium(settings: DebeziumSettings, reach: Reach) -> ToldToDebezium:
    """All properties; raises `InvalidInput` for those that a definition may not say, with each."""
    given = {name: _text(value) for name, value in settings.properties.items()}
    faults = list(_faults(given))
    if faults:
        raise InvalidInput("these properties are not taken", faults)
    connector = _CONNECTORS[settings.connector]
    hosts = {
        host: reach.address_of(host, port) for host, port in _hosts(settings, given, connector)
    }
    tls: dict[str, str] = {}
    for address in hosts.values():
        tls |= _tls(settings, address)
    fixed = {
        **_OURS,
        "connector.class": f"io.debezium.connector.{connector.name}",
        "snapshot.mode": "initial" if settings.snapshot else "no_data",
        "max.batch.size": str(settings.batch_rows),
        "max.queue.size": str(2 * settings.batch_rows),
    }
    # Of itself, which libraries look up.
    known = {socket.gethostname(): "127.0.0.1", **hosts}
    return ToldToDebezium({**_USUAL, **tls, **given, **fixed}, known)


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _faults(given: Mapping[str, str]) -> Iterator[Fault]:
    for name, value in given.items():
        where = f"properties.{name}"
        if _REFUSED.fullmatch(name):
            yield Fault("is not taken from a definition", where)
        elif _A_CLASS.fullmatch(value):
            yield Fault("names a program", where)
        elif _PART_OF_AN_ADDRESS.fullmatch(name) and not _PLAIN.fullmatch(value):
            yield Fault("holds a character that is part of an address", where)


def _hosts(
    settings: DebeziumSettings, given: Mapping[str, str], connector: Connector
) -> Iterator[tuple[str, int]]:
    if settings.connector == "mongodb":
        where, text = "mongodb.connection.string", given.get("mongodb.connection.string", "")
        hint = "mongodb://host:27017,host:27017/?replicaSet=rs0, with all hosts of the set"
        if not text.startswith("mongodb://") or not urlsplit(text).netloc:
            raise InvalidInput(
                "it is not known where MongoDB is",
                [Fault("is no address", f"properties.{where}", hint)],
            )
        hosts = urlsplit(text).netloc.rpartition("@")[2].split(",")
    else:
        where, port = "database.hostname", given.get("database.port", "") or str(connector.port)
        hosts = [f"{host}:{port}" for host in given.get(where, "").split(",") if host.strip()]
        if not hosts:
            raise InvalidInput(
                "it is not known where the database is",
                [Fault("is missing", f"properties.{where}")],
            )
    for one in hosts:
        host, _, number = one.strip().rpartition(":")
        if not host or not number.isdigit():
            host, number = one.strip(), str(connector.port)
        yield host.strip("[]"), int(number)


def _tls(settings: DebeziumSettings, address: str) -> dict[str, str]:
    """Encrypted with a checked certificate, as connections of all sources are, where a property says so."""
    wanted = is_wanted(settings.tls, address)
    checked = settings.tls != "unverified"
    match settings.connector:
        case "postgresql":
            level = ("verify-full" if checked else "require") if wanted else "prefer"
            return {"database.sslmode": level, **_postgres_roots(level)}
        case "mariadb":
            level = ("verify-full" if checked else "trust") if wanted else "disable"
            return {"database.ssl.mode": level}
        case "mysql":
            level = ("verify_identity" if checked else "required") if wanted else "preferred"
            return {"database.ssl.mode": level}
        case "sqlserver":
            return {
                "database.encrypt": _text(wanted),
                "database.trustServerCertificate": _text(not checked or not wanted),
            }
        case "mongodb":
            return {
                "mongodb.ssl.enabled": _text(wanted),
                "mongodb.ssl.invalid.hostname.allowed": _text(not checked),
            }
    return {}


def _postgres_roots(level: str) -> dict[str, str]:
    # Java's own, which `ca` replaces, instead of a file in somebody's home.
    factory = "org.postgresql.ssl.DefaultJavaSSLFactory"
    return {"database.sslfactory": factory} if level == "verify-full" else {}
