"""A change stream from real MariaDB and MySQL servers: all rows, then every change, each exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pymysql
import pytest

from onefold.collect.sources import mysql_stream
from onefold.collect.sources.mysql_changes import MysqlChangesSettings, open_mysql_changes
from onefold.collect.sources.mysql_server import place_now
from onefold.model.errors import InvalidInput, Unreachable
from onefold.testing import servers
from onefold.testing.patience import wait_until
from tests.unit.collect.sources.change_suite import (
    ChangeStreamSuite,
    FirstReadingSuite,
    StreamedDatabase,
    count,
    streaming,
)
from tests.unit.collect.sources.conftest import NUMBERS
from tests.unit.collect.sources.reading import HERE, Taker

TABLE = """
    create table customers (
        id int primary key, name varchar(100), spent decimal(12, 2), active bool default true,
        born date, seen timestamp null, wrote datetime(3), score float, level enum('a', 'b'),
        flags bit(4), likes set('x', 'y'), note text, picture blob, more json
    ) character set utf8mb4
"""
ROW = """
    insert into customers values (1, '王小明', 12.50, true, '1990-02-28', '2026-11-22 02:00:00',
        '2026-11-22 10:00:00.5', 1.1, 'b', b'101', 'y,x', 'long', x'ff00', '{"vip": [1, null]}')
"""


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


class Database(StreamedDatabase):
    """A database of one test's own in MariaDB or MySQL."""

    module = "onefold.collect.sources.mysql_changes"
    maker, kind = "open_mysql_changes", "MysqlChangesSettings"

    def __init__(self, server: servers.Server) -> None:
        self.name = f"shop_{next(NUMBERS)}"
        self.port = server.port
        self.connection = self.connect(None)
        self.is_mariadb = "MariaDB" in self.connection.get_server_info()
        self.run(f"create database {self.name}", f"use {self.name}", "set time_zone = '+00:00'")

    def connect(self, database: str | None) -> pymysql.Connection[Any]:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="owner", password="secret", database=database,
            autocommit=True,
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "reader",
            "password": "secret",
            "tables": [f"{self.name}.customers"],
        }

    def writer(self) -> Any:
        return self.connect(self.name)

    def rows(self, query: str) -> list[Any]:
        return self.run(query)

    def run(self, *statements: str) -> list[Any]:
        rows: list[Any] = []
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
        return rows


@pytest.fixture
def database(server: servers.Server) -> Iterator[Database]:
    made = Database(server)
    yield made
    made.connection.close()


def taker(database: Database, **settings: Any) -> Taker:
    return database.taker(**settings)


class TestMysqlChanges(ChangeStreamSuite, FirstReadingSuite):
    """What all change streams promise."""


def test_a_row_looks_the_same_when_read_and_when_changed(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    database.run("delete from customers", ROW)
    reader.take(count(3))
    read, deleted, inserted = reader.records
    assert read.fields == inserted.fields == deleted.fields == deleted.before
    assert read.fields == {
        "id": 1,
        "name": "王小明",
        "spent": 12.5,
        "active": 1,
        "born": "1990-02-28",
        "seen": "2026-11-22T02:00:00Z",
        "wrote": "2026-11-22T10:00:00.500000",
        "score": 1.1,
        "level": "b",
        "flags": 5,
        "likes": "x,y",
        "note": "long",
        "picture": "ff00",
        # MariaDB's JSON is another word for text.
        "more": '{"vip": [1, null]}' if database.is_mariadb else {"vip": [1, None]},
    }
    assert (read.stream, read.place, read.change) == (f"{database.name}.customers", "id=1", "read")
    assert read.time < deleted.time < inserted.time


def test_each_kind_of_change_is_told_in_order(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    database.run(
        "insert into customers (id, name) values (2, 'Ann'), (3, 'Bob')",
        "update customers set id = 20 where id = 2",
        "truncate table customers",
        "insert into customers (id) values (4)",
    )
    reader.take(count(5))
    assert reader.changes() == [
        ("read", 1), ("insert", 2), ("insert", 3), ("update", 20), ("insert", 4),
    ]  # fmt: skip
    assert reader.records[3].before["id"] == 2
    assert len({record.place for record in reader.records}) == 5
    times = [record.time for record in reader.records]
    assert times == sorted(set(times))
    (emptied,) = reader.unreadable
    assert "TRUNCATE" in emptied.reasons[0]


def test_it_goes_on_where_the_log_began_another_file(database):
    database.run(TABLE)
    reader = taker(database).take(streaming)
    database.run("insert into customers (id) values (1)", "flush binary logs")
    database.run("insert into customers (id) values (2)")
    reader.take(count(2))
    reader.take(lambda reader: not reader.batches[-1].records)
    assert reader.changes() == [("insert", 1), ("insert", 2)]


def test_a_log_that_is_gone_is_no_silent_gap(database):
    database.run(TABLE)
    reader = taker(database).take(streaming)
    database.run("flush binary logs", "insert into customers (id) values (1)")
    last = place_now(database.connection)[0]

    def is_purged() -> bool:
        database.run(f"purge binary logs to '{last}'")  # kept while it is being read
        return len(database.run("show binary logs")) == 1

    wait_until(is_purged, "the log is purged")
    with pytest.raises(InvalidInput, match="changes may have been lost"):
        reader.take(count(1))


def test_what_cannot_be_read_is_refused_with_what_to_do(database):
    with pytest.raises(InvalidInput, match=r"there is no table .*customers"):
        taker(database).take(count(1))


def test_a_wrong_password_is_no_matter_of_waiting(database):
    with pytest.raises(InvalidInput, match="refused"):
        taker(database, user="nobody", tables=("a.b",)).take(count(1))


def test_a_server_that_is_away_may_come_back():
    settings = MysqlChangesSettings(host="127.0.0.1", port=1, user="nobody", tables=("a.b",))
    with pytest.raises(Unreachable):
        Taker(lambda: open_mysql_changes(settings, HERE)).take(count(1))


def test_a_server_that_is_gone_without_a_word_is_known_to_be(database, server, monkeypatch):
    monkeypatch.setattr(mysql_stream, "GONE", 2.0)
    database.run("create table customers (id int primary key)", "insert into customers values (1)")
    hung = []

    def hangs(reader: Taker) -> bool:
        if streaming(reader) and not hung:
            hung.append(stack.enter_context(server.hanging()))
        return False

    reader = taker(database)
    with ExitStack() as stack, pytest.raises(Unreachable):
        reader.take(hangs)
    assert reader.changes() == [("read", 1)]
