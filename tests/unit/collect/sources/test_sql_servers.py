"""SQL databases that are real ones: PostgreSQL and MariaDB read alike; SQL Server's dialect compiled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.sql import SqlSource
from onefold.collect.sources.sql_engines import engine_of
from onefold.collect.sources.sql_settings import SqlSettings, TableSettings
from onefold.collect.sources.sql_table import Reading, behind
from onefold.collect.sources.sql_values import kept
from onefold.model.errors import InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position
from onefold.testing import servers
from tests.unit.collect.sources.reading import places

pytest.importorskip("sqlalchemy")

NUMBERS = itertools.count(1)
LOCAL = Reach(["127.0.0.1"])


class Shop:
    """A database of one test's own: statements by its owner, reading by a source."""

    def __init__(self, dialect: str, server: servers.Server) -> None:
        self.dialect, self.server = dialect, server
        self.name = f"pulled_{next(NUMBERS)}"
        if dialect == "postgresql":
            import psycopg

            with psycopg.connect(servers.postgres_url(server), autocommit=True) as first:
                first.execute(f"create database {self.name}")
            url = servers.postgres_url(server, database=self.name)
            self.connection: Any = psycopg.connect(url, autocommit=True)
        else:
            import pymysql

            given = {
                "host": "127.0.0.1",
                "port": server.port,
                "user": "owner",
                "password": "secret",
            }
            self.connection = pymysql.connect(**given, autocommit=True)
            self.run(f"create database {self.name} character set utf8mb4", f"use {self.name}")

    def run(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def settings(self, **table: Any) -> SqlSettings:
        user, password = ("postgres", "") if self.dialect == "postgresql" else ("reader", "secret")
        return SqlSettings(
            dialect=self.dialect, host="127.0.0.1", port=self.server.port, database=self.name,
            user=user, password=password, tables=(TableSettings(table="orders", **table),), page=2,
        )  # fmt: skip

    def pull(self, position: Position | None = None, **table: Any) -> list[Batch]:
        source = SqlSource(self.settings(**table), LOCAL)
        try:
            return list(source.batches(position))
        finally:
            source.close()


@pytest.fixture(params=["postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    server = {"postgresql": "postgres_server", "mariadb": "mariadb"}[request.param]
    made = Shop(request.param, request.getfixturevalue(server))
    made.run(
        "create table orders (id bigint primary key, paid decimal(10,2), at timestamp null, note text)"
    )
    yield made
    made.connection.close()


def test_what_changed_is_read_in_pages_with_ties(shop: Shop) -> None:
    rows = ",".join(f"({n},1.50,'2026-03-01 10:00:00','x')" for n in range(1, 6))
    shop.run(f"insert into orders values {rows}, (6,2,'2026-03-02 10:00:00','王')")
    first = shop.pull(cursor="at", late="0s")
    assert places(first) == ["1", "2", "3", "4", "5", "6"]
    last = first[-1].records[-1]
    assert last.fields == {"id": 6, "paid": 2, "at": "2026-03-02T10:00:00+00:00", "note": "王"}
    assert last.time == 1_772_445_600_000_000
    assert first[0].records[0].fields["paid"] == 1.5

    shop.run("insert into orders values (7,3,'2026-03-02 10:00:00','tie')")
    shop.run("update orders set at = '2026-03-03 10:00:00' where id = 2")
    assert places(shop.pull(first[-1].position, cursor="at", late="0s")) == ["6", "7", "2"]


def test_from_every_page_on_nothing_is_missing(shop: Shop) -> None:
    rows = ",".join(f"({n},1,'2026-03-0{1 + n // 3} 10:00:00','x')" for n in range(1, 12))
    shop.run(f"insert into orders values {rows}")
    for table in ({"cursor": "at"}, {}):
        whole = shop.pull(**table)
        for number, batch in enumerate(whole[:-1]):
            rest = shop.pull(batch.position, **table)
            assert set(places(whole[: number + 1])) | set(places(rest)) == set(places(whole))


def test_nothing_can_be_written(shop: Shop) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    engine = engine_of(shop.settings(), LOCAL)
    with engine.connect() as connection, pytest.raises(DBAPIError, match=r"(?i)read.only|denied"):
        connection.execute(text("insert into orders values (1,1,null,'x')"))
    engine.dispose()


def test_a_private_address_is_refused_before_anything_is_sent(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="source_networks"):
        SqlSource(shop.settings(), Reach())


def test_a_server_that_does_not_answer_is_unreachable(shop: Shop) -> None:
    from msgspec.structs import replace

    source = SqlSource(replace(shop.settings(), port=servers.free_port()), LOCAL)
    with pytest.raises(Unreachable):
        list(source.batches(None))
    source.close()


def test_the_dialect_of_sql_server_takes_our_queries() -> None:
    from sqlalchemy import Column, DateTime, Integer, MetaData, Table, select
    from sqlalchemy.dialects import mssql

    table = Table("orders", MetaData(), Column("id", Integer), Column("at", DateTime))
    order = [table.c.at, table.c.id]
    query = select(*table.c).where(behind(order, [1, 2])).order_by(*order).limit(5)
    text = str(query.compile(dialect=mssql.dialect()))
    assert "TOP" in text
    assert "orders.at = " in text
    assert "orders.id > " in text


def test_sql_server_compares_a_time_as_what_its_column_is() -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import DATETIME, Column, Integer, MetaData, Table
    from sqlalchemy.dialects import mssql

    table = Table(
        "orders", MetaData(), Column("id", Integer, primary_key=True), Column("at", DATETIME)
    )
    settings = SqlSettings(dialect="mssql", host="h", database="d", tables=())
    reading = Reading(
        TableSettings(table="orders", cursor="at"), table, settings, ZoneInfo("UTC"), 0
    )
    after = [kept(datetime(2026, 1, 1, 0, 0, 0, 3_000, tzinfo=UTC)), kept(7)]
    query = reading._query([], [table.c.at, table.c.id], after)
    text = str(query.compile(dialect=mssql.dialect()))
    assert text.count("AS DATETIME)") == 2


def test_a_number_has_no_minutes(shop: Shop) -> None:
    with pytest.raises(InvalidInput) as caught:
        shop.pull(cursor="id", late="10m")
    assert [fault.where for fault in caught.value.faults] == ["settings.tables[0].late"]


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
def test_times_that_python_has_not_come_as_texts_and_hide_nothing(shop: Shop) -> None:
    shop.run(
        "alter table orders add column until date, add column opens time",
        "insert into orders values (1,1,'2026-03-01 10:00:00','x','infinity','24:00:00')",
        "insert into orders values (2,1,'infinity','x','12000-01-01','10:00:00')",
    )
    first = shop.pull(cursor="at")
    assert [record.fields for batch in first for record in batch.records] == [
        {"id": 1, "paid": 1, "at": "2026-03-01T10:00:00+00:00", "note": "x", "until": "infinity", "opens": "24:00:00"},
        {"id": 2, "paid": 1, "at": "infinity", "note": "x", "until": "12000-01-01", "opens": "10:00:00"},
    ]  # fmt: skip
    shop.run("insert into orders values (3,1,'2026-03-02 10:00:00','x')")
    assert "3" in places(shop.pull(first[-1].position, cursor="at"))


@pytest.mark.parametrize("shop", ["mariadb"], indirect=True)
def test_a_time_is_what_it_was_whatever_clock_its_server_has(shop: Shop) -> None:
    from msgspec.structs import replace

    shop.run("alter table orders add column local datetime", "set time_zone = '+00:00'")
    shop.run("insert into orders values (1,1,'2026-03-01 10:00:00','x','2026-03-01 10:00:00')")
    shop.run("set @before = @@global.time_zone", "set global time_zone = '+05:00'")
    try:
        settings = replace(shop.settings(cursor="at"), time_zone="Asia/Shanghai")
        source = SqlSource(settings, LOCAL)
        ((record,),) = (batch.records for batch in source.batches(None))
        source.close()
    finally:
        shop.run("set global time_zone = @before")
    assert record.fields["at"] == "2026-03-01T10:00:00+00:00"
    assert record.fields["local"] == "2026-03-01T10:00:00+08:00"
    assert record.time == 1_772_359_200_000_000
