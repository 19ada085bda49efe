"""The quickstart can be followed: its commands run in order, and print what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from onefold.testing.patience import PATIENCE, wait_until
from onefold.testing.servers import free_port

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED_IN = ("pip install", "export WRITE_KEY")
STAYS = re.compile(r"^(onefold up|python3 receiver\.py.*)$", re.MULTILINE)
SENDS = ("/v1/", "order.py", "apply")

VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "INSTANT"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b0[0-9a-z]{12}\b"), "PROFILE"),
    (re.compile(r" +$", re.MULTILINE), ""),
)


class Step(NamedTuple):
    """A command of the page, and what it shows below."""

    command: str
    shown: str | None


def steps(page: str) -> Iterator[Step]:
    blocks = BLOCK.findall(page)
    for place, (language, text) in enumerate(blocks):
        if language == "sh":
            after = blocks[place + 1] if place + 1 < len(blocks) else ("", "")
            yield Step(text, after[1] if after[0] == "text" else None)


def plain(text: str) -> str:
    """What must be the same each time."""
    for pattern, word in VARIES:
        text = pattern.sub(word, text)
    return text.strip()


class Reader:
    """Follows the page in a folder of its own, on free ports."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self.found = ""
        self.left_running: list[subprocess.Popen[str]] = []
        programs = folder / "bin"
        programs.mkdir()
        for name, arguments in (("onefold", " -m onefold"), ("python3", "")):
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
            script.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(source),
            "NO_COLOR": "1",
            "COLUMNS": "400",
            "ONEFOLD_MIN_FREE_DISK": "0",
        }
        self.ports = {"8181": str(free_port()), "9000": str(free_port())}
        self.environment["ONEFOLD_PORT"] = self.ports["8181"]

    def on_my_ports(self, text: str) -> str:
        return re.sub(r"(?<=127\.0\.0\.1[:\"])(, )?(8181|9000)", self._port, text)

    def _port(self, match: re.Match[str]) -> str:
        return (match[1] or "") + self.ports[match[2]]

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.on_my_ports(command)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def leave_running(self, command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {self.on_my_ports(command)}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.left_running.append(process)
        return process

    def start(self) -> None:
        """`onefold up`, with the keys that it prints kept as the page says."""
        lines = self.leave_running("onefold up").stdout
        assert lines is not None
        for line in lines:
            if line.startswith(("write key ", "admin key ")):
                name, _, key = line.strip().rpartition(" ")
                self.environment[name.upper().replace(" ", "_")] = key
            if line.startswith("ready "):
                return
        pytest.fail("`onefold up` ended")

    def stop(self) -> None:
        for process in reversed(self.left_running):
            process.terminate()  # not SIGINT: what a shell starts in the background ignores it
            process.communicate(timeout=PATIENCE)

    def see(self, step: Step) -> None:
        """Run the command; where it only looks, again until it shows what the page shows."""
        expected = None if step.shown is None else plain(self.on_my_ports(step.shown))

        def is_shown() -> bool:
            self.found = plain(self.run(step.command))
            return expected in (None, self.found)

        if not is_shown() and not any(word in step.command for word in SENDS):
            with suppress(TimeoutError):
                wait_until(is_shown, step.command, pause=0.2)
        assert expected in (None, self.found), step.command


@pytest.mark.slow
def test_the_quickstart_can_be_followed(tmp_path, root):
    page = (root / "docs" / "quickstart.md").read_text(encoding="utf-8")
    reader = Reader(tmp_path, root / "src")
    try:
        for step in steps(page):
            if any(word in step.command for word in TYPED_IN):
                continue
            stays = STAYS.search(step.command)
            if stays is None:
                reader.see(step)
                continue
            before = step.command[: stays.start()]
            if before:
                reader.run(before)
            if stays[1] == "onefold up":
                reader.start()
            else:
                reader.leave_running(stays[1])
    finally:
        reader.stop()
