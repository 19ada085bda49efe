"""Sources that are pulled: from a database to profiles, whatever is killed on the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.profiles.finding import profile
from onefold.app.secret_values import secret_list, secret_set
from onefold.app.syncs import services
from onefold.app.syncs.running import run_source
from onefold.model.errors import InvalidInput, OnefoldError
from onefold.testing.patience import wait_until
from tests.acceptance.conftest import Stepped
from tests.programs import pull

pytest.importorskip("sqlalchemy")


def crm(path: Path, rows: int) -> Path:
    connection = sqlite3.connect(path)
    connection.execute(
        "create table if not exists customers (id integer primary key, mail text, city text)"
    )
    connection.executemany(
        "insert into customers values (?,?,?)",
        [(number, f"p{number}@example.com", "Köln") for number in range(1, rows + 1)],
    )
    connection.commit()
    connection.close()
    return path


def definition(path: Path, page: int = 100, more: str = "") -> str:
    return f"""
kind: source
name: crm
type: sql
settings:
  dialect: sqlite
  file: {path}
  page: {page}
  tables: [{{table: customers}}]
mapping:
  identifiers: {{user_id: id, email: mail}}
  traits: {{city: city}}
{more}
"""


def event_count(onefold: Stepped) -> int:
    return onefold.store.counters()["events"]


def test_a_database_becomes_profiles(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(definition(crm(tmp_path / "crm.db", 250)))

    load = services.source_run(onefold.settings, "crm")
    onefold.settle()

    assert (load.state, load.rows, load.unreadable, load.total) == ("done", 250, 0, 250)
    assert load.report["streams"]["customers"] == {
        "rows": 250,
        "first": "1",
        "last": "250",
        "fields": ["city", "id", "mail"],
    }
    assert profile(onefold.settings, "email:p250@example.com").traits["city"] == "Köln"
    (row,) = services.source_states(onefold.settings)
    assert (row.doing, row.failures, row.next_at) == ("by hand", 0, None)


def test_what_has_a_time_of_its_own_counts_once_however_often_it_is_read(
    onefold: Stepped, tmp_path: Path
) -> None:
    connection = sqlite3.connect(tmp_path / "crm.db")
    connection.execute("create table customers (id integer primary key, at text)")
    connection.execute("insert into customers values (1, '2026-01-01'), (2, '2026-01-02')")
    connection.commit()
    connection.close()
    mapped = "  identifiers: {user_id: id, email: mail}\n  traits: {city: city}"
    told = "  time: at\n  identifiers: {user_id: id}"
    onefold.define(definition(tmp_path / "crm.db").replace(mapped, told))
    for _ in range(2):
        assert services.source_run(onefold.settings, "crm").rows == 2
    onefold.settle()
    assert event_count(onefold) == 2


@pytest.mark.parametrize(
    ("kind", "last", "later"),
    [
        ("integer", 3, 4),
        ("text", "2026-11-22 10:00:00", "2026-11-22 10:00:05"),
        ("text", "r-3", "r-4"),
    ],
    ids=["number", "time", "text"],
)
def test_rows_that_are_met_again_because_they_are_as_late_as_the_last_count_once(
    onefold: Stepped, tmp_path: Path, kind: str, last: object, later: object
) -> None:
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"create table customers (id integer primary key, city text, seen {kind})"
        )
        rows = [(1, "Bonn", last), (2, "Ulm", last)]
        connection.executemany("insert into customers values (?,?,?)", rows)
    onefold.define(
        definition(path)
        .replace("email: mail", "")
        .replace("table: customers", "table: customers, cursor: seen")
    )
    for _ in range(3):
        services.source_run(onefold.settings, "crm")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update customers set city = 'Kiel', seen = ? where id = 2", [later])
    services.source_run(onefold.settings, "crm")
    onefold.settle()
    assert event_count(onefold) == 3
    assert profile(onefold.settings, "user_id:2").traits["city"] == "Kiel"


@pytest.mark.slow
def test_killed_again_and_again_nothing_is_lost_and_nothing_comes_twice(
    onefold: Stepped, tmp_path: Path
) -> None:
    rows = 12_000
    onefold.define(definition(crm(tmp_path / "crm.db", rows), page=20))
    reached = 0
    for _ in range(4):
        process = pull(onefold.settings.data, "crm")

        def is_past(goal: int = reached + 300, process: Any = process) -> bool:
            assert process.poll() is None
            return sum(load.rows for load in onefold.store.loads.running()) >= goal

        wait_until(is_past, "300 more rows are read", pause=0.005)
        process.kill()
        process.wait()
        reached = sum(load.rows for load in onefold.store.loads.running())
    assert 300 < reached < rows

    load = run_source(onefold.settings, "crm")
    onefold.settle()

    assert (load.state, load.rows) == ("done", rows)
    assert load.attempts == 5
    assert len(onefold.store.loads.page(1 << 62, 10)) == 1
    assert event_count(onefold) == rows
    assert int(onefold.store.db.one("select count(*) from profiles")) == rows


def test_paused_it_ends_and_goes_on_where_it_was(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(definition(crm(tmp_path / "crm.db", 300), page=100))
    services.source_pause(onefold.settings, "crm", paused=True)

    paused = services.source_run(onefold.settings, "crm")
    assert (paused.state, paused.rows) == ("paused", 100)

    services.source_pause(onefold.settings, "crm", paused=False)
    rest = services.source_run(onefold.settings, "crm")
    assert (rest.state, rest.rows) == ("done", 200)
    onefold.settle()
    assert event_count(onefold) == 300


def test_what_fails_is_told_and_counted(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(definition(tmp_path / "none.db", more="schedule: {every: 1h, alarm_after: 2}"))
    for _ in range(2):
        with pytest.raises(OnefoldError, match="there is no file"):
            services.source_run(onefold.settings, "crm")
    (row,) = services.source_states(onefold.settings)
    assert (row.doing, row.failures, row.alarm) == ("failing", 2, True)
    assert row.next_at is not None
    crm(tmp_path / "none.db", 3)
    assert services.source_run(onefold.settings, "crm").rows == 3
    (row,) = services.source_states(onefold.settings)
    assert (row.failures, row.alarm, row.reason) == (0, False, "")


def test_fields_that_are_new_or_gone_are_reported(onefold: Stepped, tmp_path: Path) -> None:
    path = crm(tmp_path / "crm.db", 3)
    onefold.define(definition(path))
    services.source_run(onefold.settings, "crm")
    connection = sqlite3.connect(path)
    connection.execute("alter table customers add column phone text")
    connection.execute("alter table customers drop column city")
    connection.close()

    report = services.source_run(onefold.settings, "crm").report

    assert report["new_fields"] == ["customers.phone"]
    assert report["missing_fields"] == ["customers.city"]


def test_secrets_are_put_in_and_never_told(onefold: Stepped, tmp_path: Path) -> None:
    body = definition(tmp_path / "none.db").replace(
        f"file: {tmp_path / 'none.db'}", "file: {secret: where}"
    )
    onefold.define(body)
    with pytest.raises(OnefoldError, match="there is no secret 'where'"):
        services.source_run(onefold.settings, "crm")
    secret_set(onefold.settings, "where", str(tmp_path / "none.db"))
    with pytest.raises(OnefoldError) as caught:
        services.source_run(onefold.settings, "crm")
    assert "there is no file (hidden)" in str(caught.value)

    crm(tmp_path / "none.db", 2)
    assert services.source_run(onefold.settings, "crm").rows == 2
    assert [row.name for row in secret_list(onefold.settings)] == ["where"]
    assert (
        str(tmp_path / "none.db").encode() not in (onefold.settings.data / "store.db").read_bytes()
    )


def test_a_secret_cannot_be_taken_for_another(onefold: Stepped) -> None:
    from onefold.app.secret_values import Revealed
    from onefold.model.errors import Damaged

    secret_set(onefold.settings, "mine", "first secret")
    stored = onefold.store.secrets.get("mine")
    assert stored is not None
    onefold.store.secrets.put("other", stored, 1, "test")
    with pytest.raises(Damaged):
        Revealed(onefold.settings, onefold.store, {"password": {"secret": "other"}})


def test_a_secret_has_a_name(onefold: Stepped) -> None:
    with pytest.raises(InvalidInput):
        secret_set(onefold.settings, "../x", "value")


def test_a_soap_service_becomes_profiles(onefold: Stepped) -> None:
    pytest.importorskip("zeep")
    peer = Path(__file__).parents[1] / "unit" / "collect" / "sources" / "soap_peer.py"
    command = [sys.executable, "-W", "ignore", str(peer), "1.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        onefold.define(f"""
kind: source
name: crm
type: soap
settings:
  url: http://127.0.0.1:{port}/?wsdl
  operation: GetCustomers
  key: id
  paging: {{argument: page}}
  cursor: {{argument: since, field: changed}}
mapping:
  identifiers: {{user_id: id}}
  traits: {{name: name}}
""")
        settings = msgspec.structs.replace(onefold.settings, source_networks=("127.0.0.0/8",))
        loads = [services.source_run(settings, "crm") for _ in range(2)]
        process.kill()
    onefold.settle()

    assert [one.rows for one in loads] == [7, 0]
    assert profile(onefold.settings, "user_id:7").traits["name"] == "李 7"
