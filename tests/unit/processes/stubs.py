"""Small programs that stand in for Onefold's processes, and a parent that runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from onefold.testing.patience import PATIENCE

SOURCES = str(Path(__file__).parents[3] / "src")

GOOD = """
from onefold.processes.child import run_until_stopped
def run(ready, stop):
    ready()
    stop.wait()
run_until_stopped(run, "stub", 5.0)
"""
STUBBORN = """
import signal, threading
from onefold.processes.child import announce_ready, watch_parent
signal.signal(signal.SIGTERM, signal.SIG_IGN)
watch_parent(lambda: None, 0.3)
announce_ready("stub")
threading.Event().wait()
"""
SLOW = """
import threading
from onefold.processes.child import run_until_stopped
def run(ready, stop):
    ready()
    stop.wait()
    threading.Event().wait(0.5)
run_until_stopped(run, "stub", 5.0)
"""
CRASHING = "raise SystemExit(3)"
HOPELESS = "raise SystemExit(78)"
SILENT = "import threading; threading.Event().wait()"

PARENT = """
import json, os, sys
from onefold.processes.supervisor import Program, Supervisor
programs = [Program(name, [sys.executable, "-c", code], dict(os.environ))
            for name, code in json.loads(sys.argv[1])]
def tell(event, **keys):
    sys.stdout.write(json.dumps({"event": event, **keys}) + "\\n"); sys.stdout.flush()
supervisor = Supervisor(programs, tell=tell, on_ready=lambda: tell("on_ready"),
                        stop_timeout=float(sys.argv[2]))
code = supervisor.run()
tell("modules", names=sorted({name.split(".")[0] for name in sys.modules}))
sys.exit(code)
"""


class Parent:
    """A supervisor in a process of its own, with what it told so far."""

    def __init__(
        self,
        programs: Sequence[tuple[str, str]],
        stop_timeout: float = PATIENCE,
        under: Sequence[str] = (),
    ) -> None:
        self.process = subprocess.Popen(
            [
                *under,
                sys.executable,
                "-c",
                PARENT,
                json.dumps(programs),
                str(stop_timeout),
            ],
            env={**os.environ, "PYTHONPATH": SOURCES},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.events: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def until(self, event: str, **keys: object) -> dict[str, object]:
        """Read on until this is told; fails when the parent ends before."""
        assert self.process.stdout
        for line in self.process.stdout:
            told = json.loads(line)
            self.events.append(told)
            if told["event"] == event and all(told.get(name) == key for name, key in keys.items()):
                return told
        raise AssertionError(f"{event} was not told, but {self.events}")

    def pid(self, name: str) -> int:
        """The process id of a child's latest start."""
        found = [
            told["pid"]
            for told in self.events
            if told["event"] == "process_started" and told["name"] == name
        ]
        assert isinstance(found[-1], int)
        return found[-1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def running(pid: int) -> bool:
    """Is there such a process, other than as a zombie?"""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
