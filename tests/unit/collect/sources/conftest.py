"""Real servers, each started once for all tests of this folder that ask for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from onefold.testing import servers
from tests.real_servers import started
from tests.unit.collect.sources.api_server import Apis

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.Server]:
    yield from started(servers.postgres)


class Database:
    """A database of one test's own in PostgreSQL, read by a user with few rights."""

    def __init__(self, server: servers.Server) -> None:
        import psycopg

        number = next(NUMBERS)
        self.name, self.slot = f"shop_{number}", f"slot_{number}"
        with psycopg.connect(servers.postgres_url(server), autocommit=True) as first:
            if not first.execute("select 1 from pg_roles where rolname = 'reader'").fetchone():
                first.execute("create role reader login replication")
            first.execute(f"create database {self.name} owner reader")
        self.url = servers.postgres_url(server, "reader", self.name)
        self.connection = psycopg.connect(self.url, autocommit=True)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def rows(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()


@pytest.fixture
def database(postgres_server: servers.Server) -> Iterator[Database]:
    made = Database(postgres_server)
    yield made
    made.connection.close()


@pytest.fixture
def apis() -> Iterator[Apis]:
    made = Apis()
    yield made
    made.close()
