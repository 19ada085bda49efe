"""Encrypted connections to real servers: the right certificate is believed, and no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.change_settings import (
    KafkaSettings,
    MqttSettings,
    MysqlChangesSettings,
    PostgresChangesSettings,
)
from onefold.collect.sources.kafka import open_kafka
from onefold.collect.sources.mqtt import MqttSource
from onefold.collect.sources.mysql_changes import open_mysql_changes
from onefold.collect.sources.postgres_changes import open_postgres_changes
from onefold.collect.sources.sql import SqlSource
from onefold.collect.sources.sql_settings import SqlSettings, TableSettings
from onefold.model.errors import InvalidInput, OnefoldError, Unreachable
from onefold.testing import servers
from onefold.testing.certificates import Certificates, make_certificates
from onefold.testing.patience import wait_until
from tests.real_servers import started
from tests.unit.collect.sources.reading import Taker

# What a driver leaves to its own end where it was refused says nothing of us.
pytestmark = pytest.mark.filterwarnings("ignore")
HERE = Reach(["127.0.0.0/8"], lambda _host, _port: ["127.0.0.1"])
"""Every name leads here: so a server can be called by a name that is not its own."""
OTHER = "shop.example.com"
COUNT = 1


@pytest.fixture(scope="module")
def unknown() -> Iterator[str]:
    """The certificate of an authority that signed nothing here."""
    with tempfile.TemporaryDirectory() as name:
        yield make_certificates(Path(name)).ca


class Encrypted:
    """A server that speaks TLS, and a source that reads one record of it."""

    def __init__(self, port: int, certificates: Certificates) -> None:
        self.port, self.ca = port, certificates.ca

    def open(self, **settings: Any) -> Any:
        raise NotImplementedError

    def read(self, **settings: Any) -> Any:
        """The first record."""
        given = {"host": "localhost", "tls": True, "ca": self.ca, **settings}
        taker = Taker(lambda: self.open(**given))
        return taker.take(lambda one: len(one.records) >= COUNT).records[0].fields


class Postgres(Encrypted):
    def open(self, host: str, **settings: Any) -> Any:
        url = f"postgresql://reader@{host}:{self.port}/postgres"
        given = {"slot": "encrypted", "tables": ("public.customers",), "password": "right"}
        return open_postgres_changes(
            PostgresChangesSettings(url=url, **{**given, **settings}), HERE
        )


class PostgresQueries(Encrypted):
    def open(self, **settings: Any) -> Any:
        given = {"database": "postgres", "user": "reader", "password": "right", **settings}
        tables = (TableSettings(table="customers"),)
        return SqlSource(
            SqlSettings(dialect="postgresql", port=self.port, tables=tables, **given), HERE
        )


class MariaDb(Encrypted):
    def open(self, **settings: Any) -> Any:
        given = {"user": "reader", "password": "secret", "tables": ("crm.customers",), **settings}
        return open_mysql_changes(MysqlChangesSettings(port=self.port, **given), HERE)


class MariaDbQueries(Encrypted):
    def open(self, **settings: Any) -> Any:
        given = {"database": "crm", "user": "reader", "password": "secret", **settings}
        tables = (TableSettings(table="customers"),)
        return SqlSource(
            SqlSettings(dialect="mariadb", port=self.port, tables=tables, **given), HERE
        )


class Mosquitto(Encrypted):
    def open(self, **settings: Any) -> Any:
        given = {"user": "onefold", "password": "right", "topics": ("till/#",), **settings}
        return MqttSource(MqttSettings(port=self.port, **given), HERE)


class Kafka(Encrypted):
    def open(self, host: str, tls: Any, **settings: Any) -> Any:
        protocol = "SASL_SSL" if tls else "SASL_PLAINTEXT"
        options = {
            "security.protocol": protocol,
            "sasl.mechanism": "PLAIN",
            "sasl.username": "onefold",
        }
        given = {"topics": ("orders",), "password": "right", "options": options, **settings}
        return open_kafka(KafkaSettings(brokers=f"{host}:{self.port}", **given), HERE)


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest) -> Iterator[tuple[int, Certificates]]:
    import psycopg

    with tempfile.TemporaryDirectory(prefix="onefold-ca-") as name:
        made = make_certificates(Path(name), "postgres")
        told = {
            "ssl": "on",
            "ssl_cert_file": str(made.certificate),
            "ssl_key_file": str(made.key),
            "password_encryption": "scram-sha-256",
        }
        for server in started(partial(servers.postgres, **told)):
            only_passwords(server)
            with psycopg.connect(servers.postgres_url(server), autocommit=True) as first:
                first.execute("create role reader login replication password 'right'")
                first.execute("create table customers (id int primary key)")
                first.execute("alter table customers owner to reader")
                first.execute("grant create on database postgres to reader")
                first.execute("insert into customers values (1)")
            yield server.port, made


def only_passwords(server: servers.Server) -> None:
    """Who is not the owner shows a password, and encrypts."""
    import psycopg

    rules = server.folder / "data" / "pg_hba.conf"
    rules.write_text(
        "host all postgres 127.0.0.1/32 trust\n"
        "hostssl all all 127.0.0.1/32 scram-sha-256\n"
        "hostssl replication all 127.0.0.1/32 scram-sha-256\n"
    )

    def read_at() -> Any:
        with psycopg.connect(servers.postgres_url(server)) as new:
            return new.execute("select pg_conf_load_time()").fetchone()

    before = read_at()
    with psycopg.connect(servers.postgres_url(server), autocommit=True) as first:
        first.execute("select pg_reload_conf()")
    wait_until(lambda: read_at() != before, "the rules hold")


@pytest.fixture(scope="module")
def mariadb() -> Iterator[tuple[int, Certificates]]:
    import pymysql

    with tempfile.TemporaryDirectory(prefix="onefold-ca-") as name:
        made = make_certificates(Path(name), "mysql")
        told = (f"--ssl-cert={made.certificate}", f"--ssl-key={made.key}")
        for server in started(partial(servers.mariadb, *told)):
            with (
                pymysql.connect(
                    host="127.0.0.1",
                    port=server.port,
                    user="owner",
                    password="secret",
                    autocommit=True,
                ) as first,
                first.cursor() as cursor,
            ):
                cursor.execute("create database crm")
                cursor.execute("create table crm.customers (id int primary key)")
                cursor.execute("insert into crm.customers values (1)")
                cursor.execute("alter user reader@'127.0.0.1' require ssl")
            yield server.port, made


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[tuple[int, Certificates]]:
    import paho.mqtt.publish as publish

    hasher = shutil.which("mosquitto_passwd")
    if hasher is None:
        pytest.skip("Mosquitto is not installed (apt-get install mosquitto)")
    with tempfile.TemporaryDirectory(prefix="onefold-ca-") as name:
        made = make_certificates(Path(name), "mosquitto")
        passwords = Path(name) / "passwords"
        subprocess.run([hasher, "-b", "-c", passwords, "onefold", "right"], check=True)
        if os.geteuid() == 0:
            shutil.chown(passwords, "mosquitto", "mosquitto")
        told = (
            "allow_anonymous false",
            f"password_file {passwords}",
            f"certfile {made.certificate}",
            f"keyfile {made.key}",
        )
        for server in started(partial(servers.mosquitto, *told)):
            publish.single(
                "till/1",
                json.dumps({"id": 1}),
                qos=1,
                retain=True,
                hostname="localhost",
                port=server.port,
                auth={"username": "onefold", "password": "right"},
                tls={"ca_certs": str(made.ca_file)},
            )
            yield server.port, made


KAFKA = """
listeners=SASL_SSL://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{control}}
advertised.listeners=SASL_SSL://localhost:{{port}}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="broker" user_broker="broker" user_onefold="right";
ssl.keystore.type=PEM
ssl.keystore.location={both}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
"""


@pytest.fixture(scope="module")
def kafka() -> Iterator[tuple[int, Certificates]]:
    from confluent_kafka import Producer

    with tempfile.TemporaryDirectory(prefix="onefold-ca-") as name:
        made = make_certificates(Path(name))
        both = Path(name) / "both.pem"
        both.write_bytes(made.key.read_bytes() + made.certificate.read_bytes())
        text = KAFKA.format(both=both, ca=made.ca_file)
        for server in started(partial(servers.kafka, text)):
            producer = Producer(
                {
                    "bootstrap.servers": f"localhost:{server.port}",
                    "security.protocol": "SASL_SSL",
                    "sasl.mechanism": "PLAIN",
                    "sasl.username": "onefold",
                    "sasl.password": "right",
                    "ssl.ca.location": str(made.ca_file),
                }
            )
            producer.produce("orders", json.dumps({"id": 1}))
            assert producer.flush(60) == 0
            yield server.port, made


KINDS = {
    "postgres-changes": (Postgres, "postgres"),
    "postgres-sql": (PostgresQueries, "postgres"),
    "mysql-changes": (MariaDb, "mariadb"),
    "mysql-sql": (MariaDbQueries, "mariadb"),
    "mqtt": (Mosquitto, "mosquitto"),
    "kafka": (Kafka, "kafka"),
}
SLOW = [pytest.param("kafka", marks=pytest.mark.slow)]


@pytest.fixture(params=[*list(KINDS)[:-1], *SLOW])
def server(request: pytest.FixtureRequest) -> Encrypted:
    kind, fixture = KINDS[request.param]
    return kind(*request.getfixturevalue(fixture))


def test_the_right_certificate_and_password_open_it(server):
    assert server.read()["id"] == 1


def test_a_certificate_of_an_unknown_authority_is_not_believed(server, unknown):
    with pytest.raises(OnefoldError, match=r"(?i)certificate|ssl"):
        server.read(ca=unknown)


def test_the_authorities_of_this_machine_do_not_know_it(server):
    with pytest.raises(OnefoldError, match=r"(?i)certificate|ssl"):
        server.read(ca="")


def test_a_certificate_for_another_name_is_not_believed(server):
    if isinstance(server, Kafka):
        pytest.skip("it looks names up for itself, and finds no such host")
    with pytest.raises(OnefoldError, match=r"(?i)certificate|ssl|match"):
        server.read(host=OTHER)


def test_who_says_so_believes_any_server(server, unknown):
    if isinstance(server, Kafka):
        pytest.skip("its certificates are always checked, unless its own options say else")
    assert server.read(tls="unverified", ca="", host=OTHER)["id"] == 1


def test_a_wrong_password_is_no_matter_of_waiting(server):
    refused = (InvalidInput, Unreachable) if "Queries" in type(server).__name__ else InvalidInput
    with pytest.raises(refused):
        server.read(password="wrong")


@pytest.fixture
def plain_mariadb() -> Iterator[servers.Server]:
    yield from started(partial(servers.mariadb, "--skip-ssl"))


def test_a_mysql_server_that_does_not_encrypt_is_an_error(plain_mariadb):
    settings = MysqlChangesSettings(
        host="localhost", port=plain_mariadb.port, user="reader", password="secret",
        tables=("a.b",), tls=True,
    )  # fmt: skip
    with pytest.raises(OnefoldError, match="SSL"):
        Taker(lambda: open_mysql_changes(settings, HERE)).take(lambda _: True)


def test_a_postgresql_server_that_does_not_encrypt_is_an_error(postgres_server):
    url = f"postgresql://postgres@localhost:{postgres_server.port}/postgres"
    settings = PostgresChangesSettings(url=url, tables=("a.b",), tls=True)
    with pytest.raises(OnefoldError, match="SSL"):
        Taker(lambda: open_postgres_changes(settings, HERE)).take(lambda _: True)


@pytest.mark.parametrize("option", ["plugin.library.paths", "sasl.kerberos.kinit.cmd"])
def test_options_that_run_programs_are_refused(option):
    settings = KafkaSettings(brokers="localhost:1", topics=("a",), options={option: "/bin/true"})
    with pytest.raises(InvalidInput, match=option):
        open_kafka(settings, HERE)


def test_what_is_no_certificate_is_said():
    settings = MqttSettings(host="localhost", topics=("a",), tls=True, ca="no certificate")
    with pytest.raises(InvalidInput, match="is no certificate"):
        Taker(lambda: MqttSource(settings, HERE)).take(lambda _: True)
