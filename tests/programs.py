"""Onefold as a user starts it: other processes, of the sources beside these tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onefold.processes.child import VARIABLE
from onefold.testing.patience import PATIENCE

SOURCES = str(Path(__file__).parents[1] / "src")
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCES, "ONEFOLD_MIN_FREE_DISK": "0"}
NEAR = {"ONEFOLD_SOURCE_NETWORKS": "127.0.0.0/8"}
"""For those who read from servers of this machine."""


def onefold(*arguments: object) -> list[str]:
    """The command line."""
    return [sys.executable, "-P", "-m", "onefold", *map(str, arguments)]


def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command that ended, whether well or not."""
    return subprocess.run(
        onefold(*arguments),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def pull(data: Path, source: str, **environment: str) -> subprocess.Popen[bytes]:
    """What pulls one source, as the jobs process starts it: no command of a user's."""
    told = {"ONEFOLD_DATA": str(data), VARIABLE: ""}
    return subprocess.Popen(onefold("pull", source), env={**ENVIRONMENT, **told, **environment})


@contextmanager
def jobs(data: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process that delivers and pulls; killed in the end."""
    line = onefold("jobs", "--data", data)
    with subprocess.Popen(line, env={**ENVIRONMENT, **environment}) as process:
        try:
            yield process
        finally:
            process.kill()
