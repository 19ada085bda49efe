"""A Spark Connect server of its own for each process of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onefold.testing.connect_server import connect_server


@pytest.fixture(scope="session")
def connect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with connect_server(tmp_path_factory.mktemp("connect")) as url:
        yield url
