"""Object stores as others made them, on this machine: S3 (moto), Google's storage, Azure's (Azurite)."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from signal import SIGTERM

from onefold.testing.servers import (
    Missing,
    Server,
    fetched_once,
    found_program,
    free_port,
    running,
    temporary_folder,
)

AZURITE_VERSION = "3.35.0"
AZURE_ACCOUNT = "onefold"
AZURE_KEY = base64.b64encode(b"no secret: the key of a store that a test starts").decode()


@contextmanager
def s3() -> Iterator[Server]:
    """A server that speaks as S3 does; `http://127.0.0.1:PORT`, keys as `POST /moto-api` made them."""
    if find_spec("moto") is None or find_spec("flask_cors") is None:
        raise Missing("moto is not installed (pip install 'moto[s3]' flask-cors)")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with temporary_folder("") as folder, running(Server(command, port, folder, ""), SIGTERM) as up:
        yield up


@contextmanager
def google_storage() -> Iterator[Server]:
    """A server that speaks as Google's storage does; it looks at no keys."""
    if find_spec("gcp_storage_emulator") is None:
        raise Missing("gcp-storage-emulator is not installed (pip install gcp-storage-emulator)")
    port = free_port()
    begin = ["start", "--host", "127.0.0.1", "--port", str(port), "--in-memory", "--quiet"]
    command = [sys.executable, "-m", "gcp_storage_emulator", *begin]
    with temporary_folder("") as folder, running(Server(command, port, folder, ""), SIGTERM) as up:
        yield up


@contextmanager
def azure_storage() -> Iterator[Server]:
    """Azurite: account `AZURE_ACCOUNT`, key `AZURE_KEY`, at `http://127.0.0.1:PORT/AZURE_ACCOUNT`."""
    node = found_program("node", "nodejs npm")
    program = _azurite() / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    port = free_port()
    with temporary_folder("") as folder:
        command: list[str | Path] = [
            "env", f"AZURITE_ACCOUNTS={AZURE_ACCOUNT}:{AZURE_KEY}", node, program, "--silent",
            "--blobHost", "127.0.0.1", "--blobPort", str(port),
            "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence",
        ]  # fmt: skip
        with running(Server(command, port, folder, ""), SIGTERM) as up:
            yield up


def _azurite() -> Path:
    fetched = f"azurite@{AZURITE_VERSION}"
    without = ["--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts"]
    project = ("package.json", json.dumps({"private": True}))
    return fetched_once(
        f"azurite-{AZURITE_VERSION}", ["npm", "install", fetched, *without], "npm", project
    )
