"""The whole of Onefold as a user starts it, whose processes can be killed one by one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.status import status
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.testing.patience import PATIENCE, wait_until, wait_until_none

SOURCES = str(Path(__file__).parents[3] / "src")
NAMES = ("web", "worker", "jobs")


class Tree:
    """`onefold up` on a data directory, on the same port after each start."""

    def __init__(self, data: Path, **settings: object) -> None:
        usual = {"log_format": "json", "min_free_disk": 0, "lake_seconds": 0.2}
        chosen = {**usual, "sql_seconds": PATIENCE, **settings}
        self._environment = {
            **os.environ,
            **{f"ONEFOLD_{name.upper()}": str(value) for name, value in chosen.items()},
            "PYTHONPATH": SOURCES,
        }
        self.data = data
        self.port = 0
        self.keys: dict[str, str] = {}
        self.log = data.with_name("lines")
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return once it says that it is ready."""
        self._seen = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as lines:
            self._process = subprocess.Popen(
                self._command("up", "--port", str(self.port)),
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=lines,
            )
        assert self._process.stdout is not None
        said = b""
        while not said.endswith(b"}\n"):
            line = self._process.stdout.readline()
            assert line, self.tail()
            said += line
        answer = json.loads(said)
        self.port = int(answer.pop("ready").rsplit(":", 1)[1])
        self.keys = self.keys or answer

    def run(self, *arguments: str) -> Any:
        """Run another command on the same data; its JSON."""
        done = subprocess.run(
            self._command(*arguments), env=self._environment, capture_output=True, check=False
        )
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
        return json.loads(done.stdout)

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin another command on the same data, and do not wait for its end."""
        return subprocess.Popen(
            self._command(*arguments),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def pids(self) -> dict[str, int]:
        """The process ids of the supervisor's children, as they are now."""
        return {
            line["name"]: line["pid"]
            for line in self._lines()
            if line.get("event") == "process_started"
        }

    def kill(self, *names: str) -> None:
        """Kill processes of the tree; `up` is their parent."""
        pids = self.pids()
        for name in names:
            if name == "up":
                self.kill_parent()
            else:
                os.kill(pids[name], signal.SIGKILL)

    def kill_and_wait(self, *names: str) -> None:
        """Kill processes, and wait until each was started again and works."""
        before = {name: self.starts(name) for name in names}
        self.kill(*names)
        for name in names:
            wait_until(lambda name=name: self.starts(name) > before[name], f"{name} works again")  # type: ignore[misc]

    def kill_parent(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._leave()

    def _leave(self) -> int:
        """Wait until the parent has ended; its exit code."""
        assert self._process is not None
        code = self._process.wait(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def starts(self, name: str) -> int:
        """How often a child said that it works, since this tree started."""
        ready = [line for line in self._lines() if line.get("event") == "process_ready"]
        return sum(line["name"] == name for line in ready)

    def wait_until_processed(self) -> None:
        """Wait until the worker has taken all that is in the log."""
        settings = Settings(data=self.data)
        wait_until_none(lambda: sum(status(settings).log.values()), "the log is processed")

    def settle(self) -> None:
        """Wait until all is folded, counted, evaluated and carried to the lake."""
        self.wait_until_processed()

        def done() -> bool:
            with open_store(Settings(data=self.data), cache_mb=2) as store:
                beat = store.heartbeats().get("worker", (0, 0, {}))[2]
                state = msgspec.json.decode(store.setting("metrics_counted") or b"{}")
                return (
                    store.setting("evaluating") is None
                    and not beat.get("filling")
                    and not state.get("fills")
                    and not store.jobs.open(["backfill", "choose", "evaluate"])
                    and store.queue_size() == (0, 0)
                )

        wait_until(done, "everybody is evaluated", pause=0.2)

    def stop(self) -> int:
        """Stop in order; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._leave()

    def end(self) -> None:
        """Leave nothing running, whatever happened."""
        pids = self.pids().values() if self.log.exists() else ()
        if self._process is not None and self._process.poll() is None:
            self.kill_parent()
        for pid in pids:
            deadline = time.monotonic() + 30
            while _is_onefold(pid, self.data) and time.monotonic() < deadline:
                time.sleep(0.05)
            if _is_onefold(pid, self.data):
                os.kill(pid, signal.SIGKILL)

    def get(self, path: str) -> Any:
        """A GET with the admin key, as JSON; also where the answer is an error."""
        request = urllib.request.Request(
            self.url + path, headers={"authorization": f"Bearer {self.keys['admin_key']}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def tail(self) -> str:
        """The last log lines, for a failed assertion."""
        return self.log.read_text(errors="replace")[-4000:]

    def _lines(self) -> list[dict[str, Any]]:
        with self.log.open("rb") as lines:
            lines.seek(self._seen)
            found = lines.read().splitlines()
        return [json.loads(line) for line in found if line.startswith(b"{") and line.endswith(b"}")]

    def _command(self, *arguments: str) -> list[str]:
        return [
            *(sys.executable, "-P", "-m", "onefold", *arguments),
            *("--data", str(self.data), "--json"),
        ]


def _is_onefold(pid: int, data: Path) -> bool:
    """Whether a process runs and is one of this tree, not another one with the same number."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return str(data).encode() in environment
