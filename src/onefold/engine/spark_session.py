"""Starting Spark, or finding its server; what is missing is said before anything waits for it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onefold.model.errors import InvalidInput

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # A text `${env:SECRET}` in a rule is that text.
    "spark.sql.variable.substitute": "false",
}
# Of the process that plans the queries. Rules of hundreds of clauses are deep trees.
_DRIVER_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.extraJavaOptions": (
        f"-Xss64m -Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties').as_uri()}"
    ),
}
# On one machine rows go between a few threads, and nobody else need reach this process.
_LOCAL_SETTINGS = {
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
_CONNECT_PORT, _REACH_SECONDS = 15_002, 5.0
_LEAST_MB = 1_024


def start_session(
    url: str, settings: Mapping[str, str], memory_mb: int, spill: Path | None
) -> SparkSession:
    """A session of its own on the Spark that a URL names; `InvalidInput` says what it lacks."""
    try:
        failures: tuple[type[Exception], ...] = (*spark_errors(), ImportError, OSError)
    except ImportError as error:
        raise InvalidInput(
            f"the engine {url} needs Spark, which is not installed: pip install 'onefold[spark]'"
        ) from error
    # Workers run the Python that runs here. What fails is raised, and need not be logged, too.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging.getLogger("SQLQueryContextLogger").disabled = True
    remote = url.startswith("sc://")
    _check_reachable(url)
    if not remote:
        _check_java(url)
    try:
        if remote:
            session = _connected(url)
        else:
            session = _started(url, _driver_settings(url, memory_mb, spill))
        for name, value in {**_SETTINGS, **settings}.items():
            session.conf.set(name, value)
    except failures as error:
        hint = "is it a Spark Connect server of version 4?" if remote else "is Java 17 installed?"
        reason = str(error).split("\n", 1)[0]
        raise InvalidInput(f"Spark cannot be started at {url}: {reason} ({hint})") from error
    return session


def spark_errors() -> tuple[type[Exception], ...]:
    """What Spark raises when it cannot do something."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - an extra
    from pyspark.errors import PySparkException  # noqa: PLC0415

    return PySparkException, Py4JError


def _connected(url: str) -> SparkSession:
    # Not by the builder that both share: that one allows one kind of Spark in a process.
    from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415

    return SparkSession.builder.remote(url).create()  # type: ignore[return-value]


def _started(url: str, settings: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession  # noqa: PLC0415

    builder = SparkSession.builder.master(url).appName("onefold")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with _signals_kept():
        return builder.getOrCreate().newSession()


def _driver_settings(url: str, memory_mb: int, spill: Path | None) -> dict[str, str]:
    found = dict(_DRIVER_SETTINGS)
    if url.startswith("local"):
        found |= _LOCAL_SETTINGS
        found["spark.driver.memory"] = f"{max(_LEAST_MB, memory_mb)}m"
    if spill is not None:
        found["spark.local.dir"] = str(spill.absolute())
        found["spark.sql.warehouse.dir"] = str((spill / "warehouse").absolute())
    return found


def _check_reachable(url: str) -> None:
    """Spark itself would try for minutes."""
    places = list(_places(url))
    reasons = []
    for host, port in places:
        try:
            socket.create_connection((host, port), _REACH_SECONDS).close()
        except OSError as error:
            reasons.append(f"{host}:{port}: {error.strerror or error}")
        else:
            return
    if places:
        raise InvalidInput(f"Spark at {url} cannot be reached: {', '.join(reasons)}")


def _places(url: str) -> Iterator[tuple[str, int]]:
    """Where the server, or each of its masters, listens."""
    if not url.startswith(("sc://", "spark://")):
        return
    scheme, _, rest = url.partition("://")
    for place in rest.split("/", 1)[0].split(","):
        try:
            found = urlsplit(f"{scheme}://{place}")
            yield found.hostname or place, found.port or _CONNECT_PORT
        except ValueError as error:
            raise InvalidInput(f"{url} is no place of Spark: {error}") from error


def _check_java(url: str) -> None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else None
    if not (shutil.which("java") or (java and java.exists())):
        raise InvalidInput(
            f"the engine {url} needs Java, which is not found: install Java 17, or set JAVA_HOME"
        )


@contextmanager
def _signals_kept() -> Iterator[None]:
    """What Ctrl-C does stays as it was: Spark would break off its jobs, and raise."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
