"""A change stream from a real PostgreSQL server: all rows, then every change, each exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from onefold.collect.sources.postgres_changes import (
    PostgresChangesSettings,
    open_postgres_changes,
)
from onefold.model.errors import InvalidInput, Unreachable
from onefold.testing.patience import wait_until
from tests.unit.collect.sources.change_suite import (
    ChangeStreamSuite,
    FirstReadingSuite,
    StreamedDatabase,
    count,
    streaming,
)
from tests.unit.collect.sources.reading import HERE, Taker

TABLE = """
    create table customers (
        id int primary key, name text, spent numeric(12, 2), tags text[], more jsonb,
        active bool default true, born date, seen timestamptz, score float8, note text)
"""
ROW = """
    insert into customers values (1, '王小明', 12.50, array['a', 'b "c"'], '{"vip": [1, null]}',
        true, '1990-02-28', '2026-11-22 10:00:00+08', 'NaN', null)
"""


class Streamed(StreamedDatabase):
    """The same database, as the suite asks for it."""

    module = "onefold.collect.sources.postgres_changes"
    maker, kind = "open_postgres_changes", "PostgresChangesSettings"

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def settings(self) -> dict[str, Any]:
        return {
            "url": self._inner.url,
            "slot": self._inner.slot,
            "tables": ["public.customers"],
        }

    def run(self, *statements: str) -> None:
        self._inner.run(*statements)

    def rows(self, query: str) -> list[Any]:
        found: list[Any] = self._inner.rows(query)
        return found

    def writer(self) -> Any:
        import psycopg

        return psycopg.connect(self._inner.url, autocommit=True)


class TestPostgres(ChangeStreamSuite, FirstReadingSuite):
    @pytest.fixture
    def database(self, database: Any) -> StreamedDatabase:
        return Streamed(database)


def taker(database: Any, **settings: Any) -> Taker:
    chosen = {"tables": ("public.customers",), "publication": "onefold", **settings}
    given = PostgresChangesSettings(url=database.url, slot=database.slot, **chosen)
    return Taker(lambda: open_postgres_changes(given, HERE))


def test_a_row_looks_the_same_when_read_and_when_changed(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    database.run("delete from customers", ROW)
    reader.take(count(3))
    read, _, inserted = reader.records
    assert read.fields == inserted.fields
    assert read.fields == {
        "id": 1,
        "name": "王小明",
        "spent": 12.5,
        "tags": ["a", 'b "c"'],
        "more": {"vip": [1, None]},
        "active": True,
        "born": "1990-02-28",
        "seen": "2026-11-22T02:00:00Z",
        "score": "NaN",
        "note": None,
    }
    assert (read.stream, read.place, read.change) == ("public.customers", "id=1", "read")
    assert inserted.change == "insert"
    assert read.time < inserted.time


def test_of_a_row_whose_key_changed_or_that_is_gone_the_old_key_is_told(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    database.run(
        "update customers set id = 20 where id = 1",
        "delete from customers where id = 20",
    )
    reader.take(count(3))
    assert reader.records[1].before == {"id": 1}
    assert reader.records[2].fields == {"id": 20}


def test_changes_of_one_row_in_one_transaction_are_told_in_their_order(database):
    database.run(TABLE)
    reader = taker(database).take(streaming)
    with database.connection.transaction():
        database.run("insert into customers (id, name) values (1, 'a'), (2, 'b')")
        database.run("update customers set name = name || '!'", "delete from customers where id=1")
    reader.take(count(5))
    times = {
        number: [record.time for record in reader.records if record.fields["id"] == number]
        for number in (1, 2)
    }
    assert [later - earlier for earlier, later in zip(times[1], times[1][1:], strict=False)] == [
        1,
        1,
    ]
    assert times[1][:2] == times[2]


def test_a_large_value_that_did_not_change_is_left_as_it_was(database):
    large = "insert into customers (id, name, note) values ({}, 'Ann', {})"
    letters = "(select string_agg(md5(n::text), '') from generate_series(1, 1000) n)"
    database.run(TABLE, "alter table customers alter note set storage external")
    reader = taker(database).take(streaming)
    database.run(large.format(1, letters), "update customers set name = 'Anna'")
    database.run("alter table customers replica identity full")
    database.run("update customers set name = 'Annie'")
    reader.take(count(3))
    inserted, updated, known = (record.fields for record in reader.records)
    assert len(inserted["note"]) == 32_000
    assert "note" not in updated
    assert known == {**inserted, "name": "Annie"}
    assert reader.records[2].before["name"] == "Anna"


def test_columns_may_come_and_go_while_it_streams(database):
    database.run(TABLE)
    reader = taker(database).take(streaming)
    database.run(
        "insert into customers (id, name) values (1, 'Ann')",
        "alter table customers add column city text default 'Bonn', drop column note",
        "update customers set name = 'Anna'",
        "alter table customers alter spent type text, alter column id type bigint",
        "update customers set spent = 'much'",
    )
    with capture_logs() as logs:
        reader.take(count(3))
    first, second, third = (record.fields for record in reader.records)
    assert "note" in first
    assert "city" not in first
    assert second["city"] == "Bonn"
    assert "note" not in second
    assert third["spent"] == "much"
    assert [(entry["added"], entry["removed"]) for entry in logs] == [(["city"], ["note"])]


def test_an_emptied_table_is_reported(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    database.run("truncate customers", "insert into customers (id) values (2)")
    reader.take(count(2))
    (emptied,) = reader.unreadable
    assert emptied.stream == "public.customers"
    assert "TRUNCATE" in emptied.reasons[0]
    assert reader.changes()[-1] == ("insert", 2)


def test_the_slot_moves_only_when_what_came_is_durable(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    confirmed = "select confirmed_flush_lsn::text from pg_replication_slots where slot_name = '{}'"
    before = database.rows(confirmed.format(database.slot))
    stored = reader.position
    database.run("insert into customers (id) values (2)")
    reader.take(count(2), durable=False)
    assert database.rows(confirmed.format(database.slot)) == before
    again = Taker(reader._make, stored)
    again.take(count(1))
    assert again.changes() == [("insert", 2)]
    moved = [(again.position["lsn"],)]
    wait_until(lambda: database.rows(confirmed.format(database.slot)) == moved, "the slot moves")


def test_idle_tables_do_not_keep_the_servers_log(database):
    database.run(TABLE, "create table busy (id int)")
    reader = taker(database).take(streaming)
    before = reader.position["lsn"]
    database.run("insert into busy select generate_series(1, 1000)")
    reader.take(lambda reader: reader.position["lsn"] != before)
    assert reader.records == []


def test_a_table_added_later_is_read_whole_first(database):
    database.run(TABLE, ROW, "create table orders (id int primary key)")
    database.run("insert into orders values (7)")
    reader = taker(database).take(streaming)
    both = taker(database, tables=("public.customers", "orders"))
    both.position = reader.position
    database.run("insert into customers (id) values (2)", "insert into orders values (8)")
    both.take(count(3))
    assert sorted(both.changes(), key=str) == [("insert", 2), ("read", 7), ("read", 8)]


def test_a_publication_of_ones_own_says_which_columns_and_rows(database):
    database.run(
        TABLE,
        ROW,
        "insert into customers (id, name, active) values (2, 'Ann', false)",
        "create publication mine for table customers (id, name, active) where (active)",
        "alter table customers replica identity full",
    )
    reader = taker(database, tables=(), publication="mine").take(streaming)
    database.run("insert into customers (id, name) values (3, 'Bob'), (4, 'Eve')")
    reader.take(count(3))
    assert [record.fields for record in reader.records[:2]] == [
        {"id": 1, "name": "王小明", "active": True},
        {"id": 3, "name": "Bob", "active": True},
    ]


def test_without_first_reading_only_changes_come(database):
    database.run(TABLE, ROW)
    reader = taker(database, snapshot=False).take(lambda reader: len(reader.batches) >= 2)
    database.run("insert into customers (id) values (2)")
    reader.take(count(1))
    assert reader.changes() == [("insert", 2)]


@pytest.mark.parametrize(
    ("statements", "settings", "said"),
    [
        (["create table keyless (id int)"], {"tables": ("keyless",)}, "has no primary key"),
        ([], {"tables": ("nowhere",)}, "there is no table nowhere"),
        ([], {"tables": ()}, "there is no publication onefold"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(database, statements, settings, said):
    database.run(*statements)
    with pytest.raises(InvalidInput) as refused:
        taker(database, **settings).take(count(1))
    assert said in str(refused.value)


def test_a_lost_slot_is_no_silent_gap(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    assert reader._make().release() == [f"slot {database.slot}"]
    with pytest.raises(InvalidInput, match="changes may have been lost"):
        reader.take(count(2))


def test_a_slot_moved_by_others_is_no_silent_gap(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    database.run("insert into customers (id) values (2)")
    database.run(f"select pg_replication_slot_advance('{database.slot}', pg_current_wal_lsn())")
    with pytest.raises(InvalidInput, match="moved on by somebody else"):
        reader.take(count(2))


def test_a_slot_in_use_may_be_free_later(database):
    database.run(TABLE, ROW)
    reader = taker(database).take(streaming)
    held = reader._make()
    batches = held.batches(reader.position)
    while not next(batches).records:
        database.run("update customers set name = 'Ann'")
    with pytest.raises(Unreachable, match="read by somebody else"):
        reader.take(count(2))
    held.close()


def test_it_is_said_when_the_server_keeps_much_for_us(database):
    database.run(TABLE, ROW)
    reader = taker(database, alarm_mb=0)
    reader.take(streaming)
    database.run("insert into customers (id) select generate_series(2, 30000)")
    reader.take(lambda reader: reader.batches[-1].warning)
    assert f"MB of log for the slot {database.slot}" in reader.batches[-1].warning


def test_a_server_that_is_away_may_come_back():
    settings = PostgresChangesSettings(url="postgresql://nobody@127.0.0.1:1/none", tables=("a",))
    with pytest.raises(Unreachable):
        Taker(lambda: open_postgres_changes(settings, HERE)).take(count(1))
