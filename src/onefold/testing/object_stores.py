"""Object stores as others made them, on this machine: S3 (moto), Google's storage, Azure's (Azurite)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from signal import SIGTERM

from onefold.testing.servers import Missing, Server, free_port, running, temporary_folder

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
    node = shutil.which("node")
    if node is None:
        raise Missing("Node is not installed (apt-get install nodejs npm)")
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
    """Fetched from npm once."""
    made = Path.home() / ".cache" / "onefold-tests" / f"azurite-{AZURITE_VERSION}"
    if made.is_dir():
        return made
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed (apt-get install npm)")
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="azurite-", dir=made.parent) as name:
        folder = Path(name) / "fetched"
        folder.mkdir()
        (folder / "package.json").write_text(json.dumps({"private": True}))
        done = subprocess.run(  # noqa: S603
            [
                npm, "install", f"azurite@{AZURITE_VERSION}", "--prefix", str(folder), "--no-audit",
                "--no-fund", "--omit=optional", "--ignore-scripts",
            ],
            check=False,
            capture_output=True,
            env={**os.environ, "CI": "true"},
        )  # fmt: skip
        if done.returncode:
            raise Missing(f"Azurite could not be fetched: {done.stderr.decode()[-500:]}")
        with suppress(OSError):  # another test was quicker
            folder.rename(made)
    return made
