"""The settings of change streams: what a source's definition says of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from onefold.collect.tls import Tls


class PostgresChangesSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Where the tables are, and which to read.

    `url` is `postgresql://user@host:5432/database`. `tables` are read as `schema.table`; they are put
    into the `publication`, which is made where there is none. With a publication of yours, leave
    `tables` out. `slot` is the server's mark of how far we read; each source needs its own.
    `snapshot` reads the rows that are there before the changes. `alarm_mb`: from how much log kept
    for us on the server we warn.
    `tls` and `ca` say how the connection is encrypted (see `collect.tls`).
    """

    url: str
    password: str = ""
    tls: Tls = None
    ca: str = ""
    tables: tuple[str, ...] = ()
    publication: str = "onefold"
    slot: str = "onefold"
    snapshot: bool = True
    alarm_mb: int = 1024
    batch_rows: int = 5000


class MysqlChangesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the tables are, and which to read.

    `tables` are read as `database.table`. `server_id` is the number under which we read the log, and
    must be that of no other replica; 0 chooses one. `snapshot` reads the rows that are there before
    the changes.
    """

    host: str
    user: str
    tables: tuple[str, ...]
    port: int = 3306
    password: str = ""
    tls: Tls = None
    ca: str = ""
    server_id: int = 0
    snapshot: bool = True
    batch_rows: int = 5000


class DebeziumSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which of Debezium's connectors reads, and what it is told.

    `properties` are the connector's own, such as `database.hostname` and `table.include.list`. `snapshot`
    reads the rows that are there before the changes. `tls` and `ca` say how the connection is encrypted,
    with connectors that have properties for it. `memory_mb` is what Java may use.
    """

    connector: Literal[
        "db2", "informix", "mariadb", "mongodb", "mysql", "oracle", "postgresql", "sqlserver"
    ]
    properties: dict[str, str | int | bool]
    tls: Tls = None
    ca: str = ""
    snapshot: bool = True
    memory_mb: int = 512
    batch_rows: int = 5000


class KafkaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which topics to read, as which consumer group, and how their messages are written.

    `brokers` is `host:9092,…`. `format` `auto` reads messages that name a schema by the `registry`
    (Avro, Protobuf, JSON), and all others as JSON. `key_field` keeps the message's key as a field of this
    name. `envelope: debezium` reads messages as Debezium writes them: what a row was and is.
    `options` go to the client as they are, such as `security.protocol` and `sasl.username`; `ca` are
    certificates (PEM) to trust instead of those that this machine does.
    """

    brokers: str
    topics: tuple[str, ...]
    group: str = "onefold"
    format: Literal["auto", "json", "text"] = "auto"
    key_field: str = ""
    envelope: Literal["none", "debezium"] = "none"
    registry: str = ""
    registry_user: str = ""
    registry_password: str = ""
    password: str = ""
    ca: str = ""
    options: dict[str, str] = {}
    batch_rows: int = 5000


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A broker, and the topics to listen to (`shop/+/orders`, `till/#`).

    `client` is the name under which the broker keeps messages while we are away, for `keep_hours`.
    """

    host: str
    topics: tuple[str, ...]
    client: str = "onefold"
    port: int = 1883
    user: str = ""
    password: str = ""
    tls: Tls = None
    ca: str = ""
    keep_hours: int = 72
