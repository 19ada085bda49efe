"""A real Spark Connect server, as PySpark ships it, for tests of what talks to one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from onefold.model.errors import Busy
from onefold.testing.patience import wait_until
from onefold.testing.servers import free_port, listens

_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextmanager
def connect_server(directory: Path, master: str = "local[2]") -> Iterator[str]:
    """Run a server that keeps its files in a directory; gives its URL, and ends it afterwards."""
    found = find_spec("pyspark")
    assert found is not None, "PySpark is not installed"
    assert found.origin is not None
    home = Path(found.origin).parent
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-Xss64m",
        "spark.local.dir": str(directory),
        "spark.sql.shuffle.partitions": "4",
        "spark.ui.enabled": "false",
    }
    command = [str(home / "bin" / "spark-submit"), "--master", master, "--class", _CLASS]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    log = directory / "connect-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "spark-internal"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, port, log)
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    wait_until(lambda: listens(port) or process.poll() is not None, f"it listens: see {log}")
    if process.poll() is not None:
        raise Busy(
            f"the Spark Connect server did not start:\n{log.read_text(errors='replace')[-2_000:]}"
        )
