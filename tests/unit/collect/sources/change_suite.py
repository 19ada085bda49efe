"""What every change stream of a database promises: subclass `ChangeStreamSuite`, and give a `database`."""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from onefold.model.pulled import Record
from onefold.testing.patience import PATIENCE, wait_until
from tests.unit.collect.sources.killing import Kept, Opening, killed
from tests.unit.collect.sources.reading import Taker, state_of

TABLE = "create table customers (id int primary key, name varchar(100), note text)"


def count(number: int) -> Any:
    return lambda reader: len(reader.records) >= number


def streaming(reader: Taker) -> bool:
    """Have all rows been read?"""
    return bool(reader.position["read"]) and not reader.batches[-1].records


class StreamedDatabase(ABC):
    """A database of one test's own, and how its changes are read."""

    module: str
    maker: str
    kind: str
    moved: Sequence[tuple[str, int]] = (("update", 20),)
    """What is told of row 2 that becomes row 20."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What a source of its table `customers` is given."""

    @abstractmethod
    def run(self, *statements: str) -> Any:
        """Run statements, each in a transaction of its own."""

    @abstractmethod
    def rows(self, query: str) -> list[Any]:
        """What a query gives."""

    @abstractmethod
    def writer(self) -> Any:
        """Another connection, which commits each statement."""

    def opening(self, **settings: Any) -> Opening:
        return Opening(self.module, self.maker, self.kind, {**self.settings(), **settings})

    def is_in_first_reading(self, given: int) -> bool:
        """Is a reader that gave so many records since it began amidst the rows that are there?"""
        return given >= 700

    def taker(self, **settings: Any) -> Taker:
        return Taker(self.opening(**settings).open)

    def fill(self, rows: int) -> None:
        """Make the table, with rows of which each says its number."""
        values = ", ".join(f"({number}, '0')" for number in range(1, rows + 1))
        self.run(TABLE, f"insert into customers (id, name) values {values}")


class Writing:
    """Inserts, updates and deletes beside, one after the other, until it is left."""

    def __init__(self, database: StreamedDatabase, first: int) -> None:
        self._database = database
        self._first = first
        self._stop, self._wrote = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._wrote.wait(PATIENCE)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        with self._database.writer() as other, other.cursor() as cursor:
            for number in range(self._first, 1_000_000):
                cursor.execute("insert into customers (id, name) values (%s, '0')", (number,))
                cursor.execute(
                    "update customers set name = %s where id = %s", (f"n{number}", number - 1500)
                )
                cursor.execute("delete from customers where id = %s", (number - 2500,))
                self._wrote.set()
                if self._stop.is_set():
                    return


class ChangeStreamSuite:
    """Snapshot, then stream: no gap, nothing twice, whatever happens meanwhile."""

    def test_what_is_there_comes_first_then_each_kind_of_change(self, database):
        database.run(TABLE, "insert into customers (id, name) values (1, 'Ann')")
        reader = database.taker().take(streaming)
        database.run(
            "insert into customers (id, name) values (2, 'Bob')",
            "update customers set name = 'Bobby' where id = 2",
            "update customers set id = 20 where id = 2",
            "delete from customers where id = 20",
        )
        told = [("read", 1), ("insert", 2), ("update", 2), *database.moved, ("delete", 20)]
        reader.take(count(len(told)))
        assert reader.changes() == told
        assert len({record.place for record in reader.records}) == len(told)
        times = [record.time for record in reader.records]
        assert times == sorted(set(times))
        assert state_of(reader.records).keys() == {1}

    def test_nothing_is_missed_or_doubled_while_others_write(self, database):
        database.fill(3000)
        with Writing(database, 3001):
            reader = database.taker(batch_rows=500)
            for most in (1, 2, 4, 6, 9):
                reader.take(lambda reader, most=most: len(reader.batches) >= most)
            reader.take(
                lambda reader: reader.position["read"] and reader.records[-1].change != "read"
            )
            for _ in range(4):
                here = len(reader.records)
                reader.take(lambda reader, here=here: len(reader.records) > here)
        database.run("insert into customers (id) values (0)")
        reader.take(lambda reader: ("insert", 0) in reader.changes()[-2000:])
        is_the_table(database, reader.records)
        inserted = [row for change, row in reader.changes() if change == "insert"]
        read = {row for change, row in reader.changes() if change == "read"}
        assert len(inserted) == len(set(inserted))
        assert read.isdisjoint(inserted)
        streamed = [record.place for record in reader.records if record.change != "read"]
        assert len(streamed) == len(set(streamed))

    def test_a_large_transaction_comes_in_parts_and_goes_on_within(self, database):
        database.run(TABLE)
        reader = database.taker(batch_rows=100).take(streaming)
        values = ", ".join(f"({number}, '{'x' * 100}')" for number in range(1, 1001))
        database.run(f"insert into customers (id, name) values {values}")
        reader.take(count(300))
        assert len(reader.records) < 1000
        reader.take(count(1000))
        assert reader.changes() == [("insert", number) for number in range(1, 1001)]

    def test_columns_may_come_and_go_while_it_streams(self, database):
        database.run(TABLE)
        reader = database.taker().take(streaming)
        database.run(
            "insert into customers (id, name) values (1, 'Ann')",
            "alter table customers add column city varchar(20) default 'Bonn'",
            "alter table customers drop column note",
            "update customers set name = 'Anna'",
        )
        with capture_logs() as logs:
            reader.take(count(2))
        first, second = (record.fields for record in reader.records)
        assert "note" in first
        assert (second["city"], second["name"]) == ("Bonn", "Anna")
        assert "note" not in second
        assert [(one["added"], one["removed"]) for one in logs] == [(["city"], ["note"])]

    @pytest.mark.slow
    def test_killed_again_and_again_nothing_is_lost_or_doubled(self, database, tmp_path):
        """kill -9 in the first reading and in the stream, while somebody writes."""
        database.fill(4000)
        opening, kept = database.opening(batch_rows=50), Kept(tmp_path / "kept")
        versions = itertools.count(1)

        def write() -> int:
            version = next(versions)
            database.run(f"update customers set name = '{version}' where id > 3990")
            return version

        for is_enough in (
            database.is_in_first_reading,
            database.is_in_first_reading,
            lambda given: given >= 700,
            lambda given: given >= 4500,
            lambda given: given >= 300,
            lambda given: given >= 300,
        ):
            before = len(kept.records())
            with killed(opening, kept) as look:

                def came(
                    look: Any = look, is_enough: Any = is_enough, before: int = before
                ) -> bool:
                    write()
                    look()
                    return bool(is_enough(len(kept.records()) - before))

                # A pause between: a reader of each change need not be hours behind.
                wait_until(came, "enough is read", 2 * PATIENCE, pause=0.002)
        last = write()
        reader = database.taker(batch_rows=50)
        reader.position, reader.records = kept.position(), kept.records()
        end = {"id": 4000, "name": str(last), "note": None}
        reader.take(lambda reader: end in [record.fields for record in reader.records[-20:]])
        is_the_table(database, reader.records)
        streamed = [record.place for record in reader.records if record.change != "read"]
        assert len(streamed) == len(set(streamed))
        for number in (1, 2000, 3990):
            told = [one for one in reader.records if one.fields["id"] == number]
            assert {(one.change, one.time, one.place) for one in told} == {
                ("read", told[0].time, told[0].place)
            }
        for number in range(3991, 4001):
            told = [one for one in reader.records if one.fields["id"] == number]
            times = {(one.place, one.fields["name"]): one.time for one in told}
            came = [int(name) for (_, name), _ in sorted(times.items(), key=lambda one: one[1])]
            steps = [after - before for before, after in itertools.pairwise(came)]
            assert came[-1] == last
            assert min(steps) == 1, came
            assert sum(step > 1 for step in steps) <= 3  # where it was read anew, as it was then

    def test_what_was_not_stored_comes_again_as_the_same(self, database):
        database.run(TABLE)
        reader = database.taker().take(streaming)
        database.run("insert into customers (id) values (1)", "delete from customers where id = 1")
        stored = reader.position
        reader.take(count(2), durable=False)
        again = database.taker()
        again.position = stored
        again.take(count(2))
        assert again.records == reader.records


class FirstReadingSuite:
    """Of readers that give the rows as they read them."""

    def test_what_changed_between_two_tries_of_the_first_reading_is_told(self, database):
        database.fill(30)
        reader = database.taker(batch_rows=10).take(count(10))
        assert reader.position["read"] == []
        database.run(
            "delete from customers where id = 3",
            "insert into customers (id) values (3)",
            "update customers set name = 'Ann' where id = 2",
            "update customers set id = 40 where id = 4",
            "delete from customers where id = 25",
        )
        reader.take(streaming)
        assert reader.changes()[10:13] == [("delete", 3), ("delete", 4), ("delete", 25)]
        first, again = reader.records[:10], reader.records[13:]
        is_the_table(database, reader.records)
        gone = [record.fields["id"] for record in first if record not in again]
        assert gone == [2, 3, 4]  # each other row that is read again is the same record
        assert "began" not in reader.position


def is_the_table(database: StreamedDatabase, records: list[Record]) -> None:
    """Raise unless what was told comes to what is in the table."""
    table = {row[0]: row[1] for row in database.rows("select id, name from customers")}
    found = {key: row["name"] for key, row in state_of(records).items()}
    different = {*found.items()} ^ {*table.items()}
    assert not different, sorted(different, key=str)[:9]
