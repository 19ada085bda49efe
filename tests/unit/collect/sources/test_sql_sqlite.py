import sqlite3
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.sql import SqlSource
from onefold.collect.sources.sql_settings import SqlSettings, TableSettings
from onefold.collect.sources.sql_values import micros
from onefold.model.errors import InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position
from tests.unit.collect.sources.reading import places

pytest.importorskip("sqlalchemy")


def make(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def pull(path: Path, position: Position | None = None, page: int = 2, **table: Any) -> list[Batch]:
    given = TableSettings(table="customers", **table)
    settings = SqlSettings(dialect="sqlite", file=str(path), tables=(given,), page=page)
    source = SqlSource(settings, Reach())
    try:
        return list(source.batches(position))
    finally:
        source.close()


CUSTOMERS = "create table customers (id integer primary key, name text, changed integer)"


def test_all_rows_come_in_pages_with_their_key_as_place(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db", CUSTOMERS, "insert into customers values (1,'a',1),(2,'b',1),(3,'c',2)"
    )
    batches = pull(path)
    assert [len(batch.records) for batch in batches] == [2, 1, 0]
    assert places(batches) == ["1", "2", "3"]
    assert batches[0].records[0].fields == {"id": 1, "name": "a", "changed": 1}
    assert {batch.total for batch in batches} == {3}


def test_after_a_crash_it_goes_on_behind_the_last_page(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db", CUSTOMERS, "insert into customers values (1,'a',1),(2,'b',1),(3,'c',2)"
    )
    assert places(pull(path, pull(path)[0].position)) == ["3"]


def test_with_a_cursor_only_what_changed_comes_and_ties_are_not_lost(tmp_path: Path) -> None:
    rows = ",".join(f"({number},'x',7)" for number in range(1, 8))
    path = make(tmp_path / "crm.db", CUSTOMERS, f"insert into customers values {rows}")
    first = pull(path, cursor="changed", late=0)
    assert places(first) == ["1", "2", "3", "4", "5", "6", "7"]

    make(path, "insert into customers values (8,'new',7),(9,'new',8)")
    again = pull(path, first[-1].position, cursor="changed", late=0, page=100)
    assert places(again) == ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
    make(path, "update customers set name = 'y', changed = 9 where id = 3")
    third = pull(path, again[-1].position, cursor="changed", late=0)
    assert places(third) == ["9", "3"]


def test_rows_that_were_committed_late_are_met(tmp_path: Path) -> None:
    path = make(tmp_path / "crm.db", CUSTOMERS, "insert into customers values (1,'a',1000)")
    first = pull(path, cursor="changed", late=100)
    make(path, "insert into customers values (2,'late',950)")
    assert places(pull(path, first[-1].position, cursor="changed", late=100)) == ["2", "1"]


def test_rows_without_a_cursor_are_read_all_the_same(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db", CUSTOMERS, "insert into customers values (1,'a',null),(2,'b',5)"
    )
    assert places(pull(path, cursor="changed")) == ["1", "2"]


def test_nothing_can_be_written(tmp_path: Path) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import OperationalError

    from onefold.collect.sources.sql_engines import engine_of

    path = make(tmp_path / "crm.db", CUSTOMERS)
    settings = SqlSettings(
        dialect="sqlite", file=str(path), tables=(TableSettings(table="customers"),)
    )
    engine = engine_of(settings, Reach())
    with engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("insert into customers values (1,'a',1)"))
    engine.dispose()


def test_all_that_is_missing_is_named(tmp_path: Path) -> None:
    path = make(tmp_path / "crm.db", "create table customers (a text)")
    with pytest.raises(InvalidInput) as caught:
        pull(path, cursor="changed", columns=("nom",))
    told = [fault.message for fault in caught.value.faults]
    assert told == [
        "table customers has no column 'changed'",
        "table customers has no column 'nom'",
        "customers has no primary key",
    ]


def test_a_database_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        pull(tmp_path / "none.db")


def test_names_and_values_are_never_text_of_a_query(tmp_path: Path) -> None:
    odd = "x'; drop table customers; --"
    path = make(
        tmp_path / "crm.db",
        f'create table customers ("{odd}" text primary key, name text)',
        "insert into customers values ('1'' or 1=1', 'a'), ('2', 'b'), ('3', 'c')",
    )
    assert sorted(places(pull(path, cursor=odd, page=1))) == ["1' or 1=1", "2", "3"]


TIMED = "create table customers (id integer primary key, at datetime, good boolean)"


@pytest.mark.parametrize("written", ["2026-01-01 00:00:00", "2026-01-01T00:00:00.500Z"])
def test_ties_of_a_time_are_not_lost_however_it_is_written(tmp_path: Path, written: str) -> None:
    rows = ",".join(f"({number},'{written}',1)" for number in range(1, 8))
    path = make(tmp_path / "crm.db", TIMED, f"insert into customers values {rows}")
    first = pull(path, cursor="at")
    assert places(first) == ["1", "2", "3", "4", "5", "6", "7"]
    assert first[0].records[0].time == micros(written, ZoneInfo("UTC"))
    assert first[0].records[0].fields["good"] is True

    late = written.replace("2026-01-01", "2025-12-31").replace("00:00:00", "23:55:00")
    make(path, f"insert into customers values (8,'{late}',0)")
    assert "8" in places(pull(path, first[-1].position, cursor="at"))


def test_a_value_that_is_no_time_ends_nothing_and_hides_nothing(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db",
        TIMED,
        "insert into customers values (1,'2026-01-01 00:00:00','maybe'),(2,'yesterday',0)",
    )
    first = pull(path, cursor="at")
    assert [record.fields for batch in first for record in batch.records] == [
        {"id": 1, "at": "2026-01-01T00:00:00+00:00", "good": "maybe"},
        {"id": 2, "at": "yesterday", "good": False},
    ]
    make(path, "insert into customers values (3,'2026-01-02 00:00:00',1)")
    assert "3" in places(pull(path, first[-1].position, cursor="at"))


def test_a_time_in_the_future_does_not_hide_what_changes_until_then(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db",
        TIMED,
        "insert into customers values (1,'2026-01-01 00:00:00',1),(2,'2099-01-01 00:00:00',1)",
    )
    first = pull(path, cursor="at", page=1)
    assert places(first) == ["1", "2"]
    make(path, "insert into customers values (3,'2026-01-02 00:00:00',1)")
    assert "3" in places(pull(path, first[-1].position, cursor="at"))


def test_rows_without_a_key_are_told_and_the_others_come(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db",
        "create table customers (code text, name text)",
        "insert into customers values (null,'a'),(null,'b'),(null,'c'),('1','d'),('2','e'),('3','f')",
    )
    batches = pull(path, key=("code",))
    assert places(batches) == ["1", "2", "3"]
    told = [(one.raw, one.reasons) for batch in batches for one in batch.unreadable]
    assert told == [
        (b'{"code":null,"name":"%s"}' % name, ("has no code",)) for name in (b"a", b"b", b"c")
    ]


def test_a_cursor_of_another_column_begins_anew(tmp_path: Path) -> None:
    path = make(
        tmp_path / "crm.db",
        CUSTOMERS,
        "insert into customers values (5000,'a',1),(5001,'b',2)",
    )
    first = pull(path, cursor="id")
    assert places(pull(path, first[-1].position, cursor="changed")) == ["5000", "5001"]
