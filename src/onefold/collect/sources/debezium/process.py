"""The process in which Debezium's engine runs: started, read, answered and killed."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from onefold.model.errors import Fault, InvalidInput, Unreachable

_PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("engine.py")))
_LOGGING = """
rootLogger.level=WARN
appender.told.type=Console
appender.told.name=told
appender.told.target=SYSTEM_ERR
appender.told.layout.type=PatternLayout
appender.told.layout.pattern=%level %m%n
rootLogger.appenderRef.told.ref=told
"""
_KEPT_LINES = 40
_MOST_REASON = 1500
_SETTINGS_AT_FAULT = (
    "is invalid", "is not valid", "is required", "authentication failed", "Access denied",
    "Login failed", "AuthenticationException", "invalid username", "ClassNotFoundException",
    "permission denied", "does not exist", "no longer available", "not configured",
)  # fmt: skip
_UNREACHABLE = (
    "Connection refused", "connection attempt failed", "UnknownHost", "timed out", "Timed out",
    "Communications link failure", "Connection reset", "is active for PID", "Broken pipe",
)  # fmt: skip


class Told(msgspec.Struct):
    """A batch as the engine gives it: records, where to go on, and what its columns hold.

    Or why it ended, or what it lacks.
    """

    records: int = 0
    offsets: dict[str, str] = {}
    kinds: dict[str, dict[str, tuple[str, int]]] = {}
    history: str | None = None
    failed: list[str] | None = None
    missing: str = ""
    lines: list[bytes] = []


class Engine:
    """One run of the engine. It ends with its process, or with ours, however that ends."""

    def __init__(
        self,
        properties: Mapping[str, str],
        *,
        hosts: Mapping[str, str],
        offsets: Mapping[str, str],
        history: str,
        options: Sequence[str] = (),
        jars: Sequence[Path] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="onefold-debezium-")
        folder = Path(self._folder.name)
        (folder / "log4j2.properties").write_text(_LOGGING)
        # Java then knows these names and no others: no connection goes elsewhere.
        lines = [f"{address} {name}\n" for name, address in hosts.items()]
        (folder / "hosts").write_text("".join(lines))
        given = {
            "properties": dict(properties),
            "offsets": dict(offsets),
            "history": history,
            "jars": [str(jar) for jar in jars],
            "options": [
                "-Dlog4j2.configurationFile=log4j2.properties",
                f"-Djdk.net.hosts.file={folder / 'hosts'}",
                *options,
            ],
        }
        self._batches: queue.Queue[Told] = queue.Queue(1)
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process = subprocess.Popen(
            _PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if "ONEFOLD" not in name},
        )
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self._answer(msgspec.json.encode(given))
        self._threads = [
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def next(self, seconds: float) -> Told | None:
        """The next batch, None where none comes for a while; raises where the engine ended."""
        try:
            told = self._batches.get(timeout=seconds)
        except queue.Empty:
            return None
        if told.missing == "java":
            hint = "apt-get install openjdk-17-jre-headless; or set JAVA_HOME"
            raise InvalidInput(
                "Debezium needs Java", [Fault("version 17 or later is not installed", hint=hint)]
            )
        if told.failed is not None:
            raise self._ended(told.failed)
        return told

    def taken(self, *, durable: bool) -> None:
        """The last batch was taken; where it is `durable`, the database may forget it."""
        self._answer(b"stored" if durable else b"go")

    def close(self) -> None:
        """End it, as a crash would: what is not stored comes again."""
        self._process.kill()
        self._process.wait()
        while True:  # whoever waits to give a batch is let go
            with suppress(queue.Empty):
                self._batches.get_nowait()
            if not any(thread.is_alive() for thread in self._threads):
                break
            self._threads[0].join(0.01)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe
            with suppress(BrokenPipeError):
                pipe.close()
        self._folder.cleanup()

    def _answer(self, line: bytes) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):  # why it ended is told by `next`
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def _read(self, out: BinaryIO) -> None:
        for line in out:
            told = msgspec.json.decode(line, type=Told)
            told.lines = [out.readline() for _ in range(told.records)]
            if told.lines and not told.lines[-1].endswith(b"\n"):
                break
            self._batches.put(told)
            if told.failed is not None or told.missing:
                return
        self._batches.put(Told(failed=[]))

    def _listen(self, err: BinaryIO) -> None:
        for line in err:
            self._said.append(line.decode(errors="replace").strip())

    def _ended(self, reasons: list[str]) -> InvalidInput | Unreachable:
        self._threads[1].join(2)
        said = [line for line in self._said if line.startswith(("ERROR", "FATAL"))]
        said = [line.partition(" ")[2] for line in said] or list(self._said)[-3:]
        text = "; ".join(dict.fromkeys([*reasons, *said]))[:_MOST_REASON] or "it was killed"
        if any(one in text for one in _UNREACHABLE):
            return Unreachable(f"Debezium ended: {text}")
        if any(one in text for one in _SETTINGS_AT_FAULT):
            return InvalidInput("Debezium refuses", [Fault(text, "properties")])
        return Unreachable(f"Debezium ended: {text}")


def fields_of(line: bytes) -> tuple[str, Any, Any]:
    """Topic, key and value of a record; raises `ValueError` where it is none."""
    topic, key, value = line.rstrip(b"\n").split(b"\t", 2)
    return topic.decode(), msgspec.json.decode(key), msgspec.json.decode(value)
