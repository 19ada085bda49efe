"""Sources are rehearsed: what their next run would bring is told, and nothing is kept, here or there."""

from __future__ import annotations

import json
import sqlite3
import uuid
from pathlib import Path

import pytest

from onefold.app.imports import source_rehearsing
from onefold.app.imports.page import page_of
from onefold.app.imports.source_rehearsing import rehearse_source
from onefold.app.secret_values import secret_set
from onefold.app.syncs.running import run_source
from onefold.collect.soap.wsdl import NAMESPACE
from onefold.model.errors import InvalidInput, NotFound, OnefoldError
from onefold.testing import servers
from onefold.testing.patience import PATIENCE
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_change_streams import allow_this_machine

MAPPING = """
mapping:
  identifiers: {user_id: id, email: mail}
  traits: {city: city}
"""


def kept(onefold: Stepped) -> list[object]:
    """All that a run could change."""
    tables = (
        "profiles", "identifiers", "fresh_identifiers", "rejects", "loads", "seen", "fresh_seen",
        "source_states", "lake_queue",
    )  # fmt: skip
    found = [onefold.store.db.rows(f"select * from {one}") for one in tables]
    return [*found, onefold.log.ends()]


def database(path: Path, customers: int, orders: int = 0) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute("create table customers (id integer primary key, mail text, city text)")
        rows = [(n, f"p{n}@example.com", "Köln") for n in range(1, customers + 1)]
        connection.executemany("insert into customers values (?,?,?)", rows)
        connection.execute("create table orders (id integer primary key, mail text, city text)")
        rows = [(n, f"o{n}@example.com", "Ulm") for n in range(100_000, 100_000 + orders)]
        connection.executemany("insert into orders values (?,?,?)", rows)
    connection.close()
    return path


def sql(path: Path, tables: str = "[{table: customers}]") -> str:
    return f"""
kind: source
name: crm
type: sql
settings: {{dialect: sqlite, file: {path}, page: 50, tables: {tables}}}
{MAPPING}"""


def test_a_source_is_rehearsed_and_its_run_does_just_that(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(sql(database(tmp_path / "crm.db", 120)))
    onefold.define("kind: segment\nname: cologne\nrule: city = 'Köln'")
    onefold.take({"type": "identify", "userId": "7", "traits": {"city": "Bonn"}})
    before = kept(onefold)

    found = rehearse_source(onefold.settings, "crm")

    assert kept(onefold) == before
    assert (found.name, found.format, found.rows, found.read_all) == ("crm", "sql", 120, True)
    assert (found.events, found.rejects, found.new, found.updated) == (120, 0, 119, 1)
    assert [(one.trait, one.wins) for one in found.conflicts] == [("city", 1)]
    assert [(one.segment, one.entering) for one in found.segments] == [("cologne", 120)]
    assert {one.name: one.filled for one in found.fields} == {"id": 120, "mail": 120, "city": 120}
    assert "Rehearsal of crm" in page_of(found)

    run_source(onefold.settings, "crm")
    onefold.settle()
    assert onefold.store.segment_sizes() == {"cologne": 120}


def test_each_table_has_its_share_of_a_sample(onefold: Stepped, tmp_path: Path) -> None:
    both = "[{table: customers}, {table: orders}]"
    onefold.define(sql(database(tmp_path / "crm.db", 500, 30), both))
    found = rehearse_source(onefold.settings, "crm", sample=100)
    rows = {one.stream: one.rows for one in found.fields}
    assert (found.rows, found.read_all, rows) == (80, False, {"customers": 50, "orders": 30})

    whole = rehearse_source(onefold.settings, "crm", sample=100, everything=True)
    assert (whole.rows, whole.read_all, whole.whole) == (530, True, False)
    assert 100 <= whole.sampled <= 200


def test_it_goes_on_where_the_next_run_does_or_begins_anew(
    onefold: Stepped, tmp_path: Path
) -> None:
    path = database(tmp_path / "crm.db", 40)
    onefold.define(sql(path, "[{table: customers, cursor: id, late: 0}]"))
    run_source(onefold.settings, "crm")
    with sqlite3.connect(path) as connection:
        connection.execute("insert into customers values (41, 'p41@example.com', 'Köln')")
    assert rehearse_source(onefold.settings, "crm").rows in (1, 2)  # the last is read again
    assert rehearse_source(onefold.settings, "crm", anew=True).rows == 41


def test_files_of_a_rehearsed_source_stay_where_they_are(onefold: Stepped, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,mail,city\n1,a@example.com,Bonn\n2,b@example.com\n")
    onefold.define(f"""
kind: source
name: drop
type: files
settings: {{location: "{tmp_path}/*.csv", after: delete}}
{MAPPING}""")
    found = rehearse_source(onefold.settings, "drop")
    assert (found.rows, found.unreadable, found.new, file.exists()) == (1, 1, 1, True)
    assert "has 2 values" in next(iter(found.unreadable_reasons))


def test_a_saved_delivery_of_a_webhook_is_rehearsed_without_its_signature(
    onefold: Stepped,
) -> None:
    onefold.define("""
kind: source
name: shop
type: webhook
settings: {signature: shopify, secret: {secret: never_set}}
mapping:
  streams: [customers/*]
  identifiers: {user_id: id, email: email}
""")
    payload = b'[{"id": 1, "email": "a@example.com"}, {"email": "b@example.com"}]'
    found = rehearse_source(onefold.settings, "shop", payload=payload, stream="customers/create")
    assert (found.rows, found.events, found.new) == (2, 2, 2)
    other = rehearse_source(onefold.settings, "shop", payload=payload, stream="orders/create")
    assert (other.events, other.rejects) == (0, 0)

    with pytest.raises(InvalidInput, match="--payload FILE"):
        rehearse_source(onefold.settings, "shop")
    with pytest.raises(InvalidInput, match="neither JSON nor XML"):
        rehearse_source(onefold.settings, "shop", payload=b"\x00\x01")


def test_a_saved_soap_call_is_rehearsed(onefold: Stepped) -> None:
    onefold.define("""
kind: source
name: erp
type: soap-push
settings: {password: {secret: never_set}}
""")
    call = f"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<UpsertCustomers xmlns="{NAMESPACE}"><customer><id>c1</id><email>a@example.com</email></customer>
<customer><email>no address</email></customer></UpsertCustomers></s:Body></s:Envelope>"""
    found = rehearse_source(onefold.settings, "erp", payload=call.encode())
    assert (found.rows, found.new, found.rejects) == (2, 1, 1)


def test_what_cannot_be_rehearsed_says_what_to_do(onefold: Stepped) -> None:
    with pytest.raises(NotFound, match="`onefold apply`"):
        rehearse_source(onefold.settings, "nobody")
    onefold.define(f"kind: source\nname: lists\ntype: csv{MAPPING}")
    with pytest.raises(InvalidInput, match="onefold import FILE --source lists --rehearse"):
        rehearse_source(onefold.settings, "lists")
    onefold.define(sql(Path("/nowhere/crm.db")))
    with pytest.raises(OnefoldError):
        rehearse_source(onefold.settings, "crm")


@pytest.mark.slow
def test_a_change_stream_of_postgresql_is_looked_at_without_a_slot(
    onefold: Stepped, postgres: servers.Server
) -> None:
    import psycopg

    allow_this_machine(onefold)
    url = servers.postgres_url(postgres)
    onefold.define(f"""
kind: source
name: people
type: postgres-changes
settings: {{url: {url}, tables: [public.people, public.others], slot: people, publication: people}}
{MAPPING}""")
    with psycopg.connect(url, autocommit=True) as server:
        for table in ("people", "others"):
            server.execute(f"create table {table} (id int primary key, mail text, city text)")
        server.execute(
            "insert into people select n, 'p' || n || '@example.com', 'Bonn'"
            " from generate_series(1, 200000) n"
        )
        server.execute("insert into others values (1000001, 'o@example.com', 'Ulm')")
        found = rehearse_source(onefold.settings, "people", sample=400)

        assert (found.rows, found.new, found.read_all) == (201, 201, False)
        left = (
            server.execute("select slot_name from pg_replication_slots").fetchall(),
            server.execute("select pubname from pg_publication").fetchall(),
        )
        assert left == ([], [])
    assert onefold.store.source_states.get("people").position is None


@pytest.mark.slow
def test_a_change_stream_of_mariadb_is_looked_at(onefold: Stepped, mariadb: servers.Server) -> None:
    import pymysql

    allow_this_machine(onefold)
    secret_set(onefold.settings, "crm_password", "secret")
    onefold.define(f"""
kind: source
name: people
type: mysql-changes
settings:
  {{host: 127.0.0.1, port: {mariadb.port}, user: reader, password: {{secret: crm_password}}, tables: [crm.people]}}
{MAPPING}""")
    crm = pymysql.connect(
        host="127.0.0.1", port=mariadb.port, user="owner", password="secret", autocommit=True
    )
    with crm, crm.cursor() as cursor:
        cursor.execute("create database crm character set utf8mb4")
        cursor.execute(
            "create table crm.people (id int primary key, mail varchar(50), city varchar(50))"
        )
        cursor.executemany(
            "insert into crm.people values (%s, %s, 'Bonn')",
            [(n, f"p{n}@example.com") for n in range(5_000)],
        )
        found = rehearse_source(onefold.settings, "people", sample=300)
        assert (found.rows, found.new, found.read_all) == (300, 300, False)
        whole = rehearse_source(onefold.settings, "people", everything=True)
        assert (whole.rows, whole.read_all) == (5_000, True)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine's broker may take longer for its first message than a user is kept waiting."""
    monkeypatch.setattr(source_rehearsing, "_PATIENCE", PATIENCE)


@pytest.mark.slow
@pytest.mark.usefixtures("patient")
def test_messages_of_kafka_are_looked_at_while_others_read_them(
    onefold: Stepped, kafka: servers.Server
) -> None:
    from confluent_kafka import ConsumerGroupTopicPartitions, Producer
    from confluent_kafka.admin import AdminClient

    allow_this_machine(onefold)
    topic = f"orders-{uuid.uuid4().hex[:8]}"
    brokers = f"127.0.0.1:{kafka.port}"
    onefold.define(f"""
kind: source
name: orders
type: kafka
settings: {{brokers: "{brokers}", topics: [{topic}], group: readers}}
mapping:
  event: Order Completed
  identifiers: {{user_id: who}}
""")
    producer = Producer({"bootstrap.servers": brokers})
    for number in range(1, 51):
        producer.produce(topic, json.dumps({"who": str(number)}))
    producer.produce(topic, b"{poison")
    assert producer.flush(PATIENCE) == 0
    found = rehearse_source(onefold.settings, "orders")
    assert (found.rows, found.unreadable, found.new, found.read_all) == (50, 1, 50, True)
    first = rehearse_source(onefold.settings, "orders", sample=20)
    assert (first.rows, first.read_all) == (20, False)
    admin = AdminClient({"bootstrap.servers": brokers})
    offsets = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("readers")])
    assert offsets["readers"].result().topic_partitions == []
    known = {one.group_id for one in admin.list_consumer_groups().result().valid}
    assert "readers" not in known

    sampled = rehearse_source(onefold.settings, "orders", payload=b'{"who": "7"}')
    assert (sampled.events, sampled.new) == (1, 1)


@pytest.mark.slow
@pytest.mark.usefixtures("patient")
def test_mqtt_is_listened_to_beside_the_source_that_reads_it(
    onefold: Stepped, mosquitto: servers.Server
) -> None:
    import paho.mqtt.publish as publish

    allow_this_machine(onefold)
    onefold.define(f"""
kind: source
name: tills
type: mqtt
settings: {{host: 127.0.0.1, port: {mosquitto.port}, topics: [till/#]}}
mapping:
  event: Till Paid
  identifiers: {{user_id: card}}
""")
    publish.single(
        "till/1", json.dumps({"card": "7"}), qos=1, retain=True,
        hostname="127.0.0.1", port=mosquitto.port,
    )  # fmt: skip
    found = rehearse_source(onefold.settings, "tills")
    assert (found.rows, found.new) == (1, 1)
