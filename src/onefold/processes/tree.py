"""Onefold's own tree: the workspace is made, then web, worker and jobs run under one parent."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from onefold.app.locks import hold
from onefold.config import CONFIG_VARIABLE, Loaded, as_text, catalogue
from onefold.model.errors import Conflict, Damaged, Fault, InvalidInput, OnefoldError
from onefold.processes.child import VARIABLE
from onefold.processes.supervisor import Program, Supervisor

PROCESSES = ("web", "worker", "jobs")
_PROBE_TIMEOUT = 2.0
_LOOK_SECONDS = 0.2
_MEMORY = {
    # Each thread's own arena, and each library's own allocator, keeps what it once needed.
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # By itself it grows with what was ever freed at once, and as much is kept.
    "MALLOC_TRIM_THRESHOLD_": str(1 << 20),
}
"""How the children's allocators are set, unless the environment says otherwise."""


def up(
    loaded: Loaded, on_keys: Callable[[dict[str, str]], None], on_ready: Callable[[str], None]
) -> int:
    """Run the tree until a signal. `on_ready` gets its URL, `on_keys` the keys of a new workspace.

    Keys are told before anything else can fail: they are stored as hashes only.
    """
    settings = loaded.settings
    make_data_directory(settings.data)
    lock = settings.data / "up.lock"
    with hold(lock) as held:
        if not held:
            raise Conflict(
                f"Onefold is already running on {settings.data}.",
                [
                    Fault(
                        f"its process id is {lock.read_text().partition(' ')[0] or 'unknown'}",
                        str(lock),
                    )
                ],
            )
        # A tree whose parent was killed ends a little later, and has the port until then.
        patience = settings.stop_timeout if lock.read_text() else 0.0
        lock.write_text(str(os.getpid()))
        with listen(settings.host, settings.port, patience) as listening:
            environment = child_environment(loaded)
            if keys := make_workspace(environment):
                on_keys(keys)
            port = listening.getsockname()[1]
            lock.write_text(f"{os.getpid()} {settings.host} {port}")
            supervisor = Supervisor(
                _programs(environment, listening),
                tell=teller(settings.log_format),
                on_ready=lambda: on_ready(url_of(settings.host, port)),
                probe=lambda: answers(settings.host, port),
                stop_timeout=settings.stop_timeout,
            )
            code = supervisor.run()
        lock.write_text("")
        return code


def listens_at(data: Path) -> tuple[str, int] | None:
    """Where the tree of a data directory said that it listens; it is gone where nobody holds `up.lock`."""
    try:
        _, host, port = (data / "up.lock").read_text().split(" ")
        return host, int(port)
    except (OSError, ValueError):
        return None


def make_data_directory(data: Path) -> None:
    """The data directory, for this user only; raises `InvalidInput` if it cannot be used."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"The data directory {data} cannot be made: {error.strerror}."
        ) from error
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        hint = "`onefold doctor` says who owns it; or name another with --data DIR"
        raise InvalidInput(f"This user may not write to {data}.", [Fault(hint)])


def listen(host: str, port: int, patience: float = 0.0) -> socket.socket:
    """A listening socket, made here so that callers wait in line while the web process restarts.

    An address that is in use is tried again for `patience` seconds.
    """
    deadline = time.monotonic() + patience
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        while True:
            try:
                return socket.create_server(address, family=family, backlog=2048)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                    raise
            time.sleep(_LOOK_SECONDS)
    except OSError as error:
        raise InvalidInput(
            f"Onefold cannot listen on {host} port {port}: {_reason(error)}.",
            [Fault("choose another with --port, or --port 0 for any that is free")],
        ) from error


def _reason(error: OSError) -> str:
    # Names that are not found have negative numbers and no text of the system's.
    known = error.errno is not None and error.errno > 0
    return os.strerror(error.errno or 0) if known else str(error.strerror)


def child_environment(loaded: Loaded) -> dict[str, str]:
    """The environment in which the children find the same settings as their parent, and keep little memory."""
    chosen = {
        row.variable: as_text(row, getattr(loaded.settings, name), masked=False)
        for name, row in catalogue().items()
        if loaded.origins[name] != "default"
    }
    if loaded.file:
        chosen[CONFIG_VARIABLE] = str(loaded.file)
    inherited = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return {**_MEMORY, **inherited, **chosen}


def program() -> list[str]:
    """Onefold in this interpreter; `-P` keeps modules of the current folder out."""
    return [sys.executable, "-P", "-m", "onefold"]


def make_workspace(environment: Mapping[str, str]) -> dict[str, str]:
    """Make or upgrade the workspace, in a process of its own; the keys if it is new."""
    done = subprocess.run(  # noqa: S603
        [*program(), "init", "--json"],
        env={**environment, VARIABLE: ""},
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        answer = json.loads(done.stdout or b"{}")
    except ValueError as error:
        raise Damaged("The workspace could not be made; the lines above say why.") from error
    if done.returncode:
        faults = [Fault(**fault) for fault in answer.get("faults", ())]
        raise OnefoldError(answer.get("message", "The workspace could not be made."), faults)
    return {name: str(value) for name, value in answer.items() if value}


def run_apart(name: str, stop: threading.Event) -> int:
    """Run one of Onefold's short programs as a child of this process; its exit code.

    Once `stop` is set it is told to stop too.
    """
    with subprocess.Popen(  # noqa: S603
        [*program(), name], env={**os.environ, VARIABLE: ""}, stdout=sys.stderr.fileno()
    ) as child:
        while child.poll() is None:
            if stop.wait(_LOOK_SECONDS):
                child.terminate()
                break
        return child.wait()


def start_apart(*arguments: str) -> subprocess.Popen[bytes]:
    """Start one of Onefold's programs as a child of this process, and do not wait for it."""
    return subprocess.Popen(  # noqa: S603
        [*program(), *arguments],
        env={**_MEMORY, **os.environ, VARIABLE: ""},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
    )


def answers(host: str, port: int) -> bool:
    """Does the web process answer a request? (Its health may still be anything.)"""
    request = b"GET /health HTTP/1.1\r\nHost: onefold\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((_reachable(host), port), _PROBE_TIMEOUT) as connection:
            connection.sendall(request)
            return connection.recv(9).startswith(b"HTTP/1.")
    except OSError:
        return False


def teller(log_format: str) -> Callable[..., None]:
    """Writes lines like those of the children, without their logging library's memory."""

    def tell(event: str, **keys: object) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if log_format == "json":
            line = json.dumps({"timestamp": now, "process": "up", "event": event, **keys})
        else:
            line = " ".join([now, "up", event, *(f"{name}={key!r}" for name, key in keys.items())])
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    return tell


def _programs(environment: Mapping[str, str], listening: socket.socket) -> list[Program]:
    return [
        Program(
            name,
            [*program(), name],
            environment,
            listening.fileno() if name == "web" else None,
        )
        for name in PROCESSES
    ]


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def url_of(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens there."""
    name = _reachable(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
