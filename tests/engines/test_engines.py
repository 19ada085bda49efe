"""Every engine does what the suite asks of it."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from onefold.engine import DuckEngine, Engine, SparkEngine
from onefold.model.errors import InvalidInput
from onefold.testing.engine_suite import EngineSuite

NO_JAVA = shutil.which("java") is None and not os.environ.get("CI")
needs_java = pytest.mark.skipif(NO_JAVA, reason="Spark needs Java 17")


class TestDuckDB(EngineSuite):
    def open_engine(self) -> Engine:
        return DuckEngine()


class TestDuckDBWithoutOptimizer(EngineSuite):
    def open_engine(self) -> Engine:
        return DuckEngine(optimizer=False)


@pytest.mark.slow
@needs_java
class TestSpark(EngineSuite):
    def open_engine(self) -> Engine:
        return SparkEngine("local[1]")


@pytest.mark.slow
@needs_java
class TestSparkConnect(EngineSuite):
    @pytest.fixture(autouse=True)
    def _server(self, connect_url: str) -> None:
        self.url = connect_url

    def open_engine(self) -> Engine:
        return SparkEngine(self.url)


def test_spark_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(InvalidInput, match=r"pip install 'onefold\[spark\]'"):
        SparkEngine("local[1]")
