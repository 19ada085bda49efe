"""`onefold up` as the demo's child: ends with it, writes its log lines to a file."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from onefold.model.errors import OnefoldError
from onefold.processes.child import VARIABLE
from onefold.processes.tree import program

_LAST_LINES = 12


class Tree:
    """The running tree, its URL, and the keys it gave if it was its first start."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = log
        self.url = ""
        self.keys: dict[str, str] = {}
        alive_read, self._alive = os.pipe()
        with log.open("wb") as lines:
            self._process = subprocess.Popen(  # noqa: S603
                [*program(), "up"],
                env={**environment, VARIABLE: f"alive={alive_read}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=lines,
                pass_fds=(alive_read,),
                process_group=0,
                text=True,
            )
        os.close(alive_read)

    def wait_until_ready(self) -> None:
        """Read what it says until requests are answered; raises if it ends instead."""
        assert self._process.stdout
        for line in self._process.stdout:
            what, _, value = line.rstrip("\n").rpartition(" ")
            if what == "ready":
                self.url = value
                return
            self.keys[what] = value
        self._process.wait()
        raise OnefoldError(f"Onefold did not start:\n{self.last_lines()}")

    def runs(self) -> bool:
        """Is it still there?"""
        return self._process.poll() is None

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self._log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])

    def stop(self) -> None:
        """Stop it in order; its own deadline holds."""
        if self.runs():
            self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        os.close(self._alive)
