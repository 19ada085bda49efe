"""Real servers of others for a test, skipped where their programs are not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from onefold.testing import servers
from onefold.testing.mysql_server import mysql as mysql_server


def started(make: Callable[[], AbstractContextManager[servers.Server]]) -> Iterator[servers.Server]:
    """What a fixture of a server yields from."""
    manager = make()
    try:
        server = manager.__enter__()
    except servers.Missing as missing:
        pytest.skip(str(missing))
    yield server
    manager.__exit__(None, None, None)


def of_a_module(make: Callable[[], AbstractContextManager[servers.Server]]) -> Any:
    """A fixture: one server for all tests of a file that ask for it."""

    @pytest.fixture(scope="module")
    def server() -> Iterator[servers.Server]:
        yield from started(make)

    return server


postgres = of_a_module(servers.postgres)
mariadb = of_a_module(servers.mariadb)
mysql = of_a_module(mysql_server)
mosquitto = of_a_module(servers.mosquitto)
kafka = of_a_module(servers.kafka)
