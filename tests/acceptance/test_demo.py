"""`onefold demo`: a shop in a real Onefold, that can be stopped and goes on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from onefold.testing.patience import PATIENCE, wait_until
from tests.programs import ENVIRONMENT, onefold, ran

FIGURES = re.compile(
    r"events ([\d,]+) .* profiles ([\d,]+) .* members ([\d,]+) .* webhooks ([\d,]+)"
)


class Demo:
    """A running demo and the lines it printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, found: Callable[[], bool], what: str) -> None:
        def came() -> bool:
            assert self.process.poll() is None, "\n".join(self.lines)
            return found()

        wait_until(came, what)

    def figures(self) -> list[int]:
        """Events, profiles, members and webhooks of the last live line."""
        shown = [found for line in self.lines if (found := FIGURES.search(line))]
        return [int(one.replace(",", "")) for one in shown[-1].groups()] if shown else []

    def url(self) -> str:
        return next(line.split()[2] for line in self.lines if "status page" in line).rstrip("/")


@contextmanager
def demo(data: Path, *arguments: object) -> Iterator[Demo]:
    with subprocess.Popen(
        onefold("demo", "--data", data, "--port", 0, *arguments),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Demo(process)
        finally:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_the_demo_plays_stops_and_goes_on(tmp_path):
    data = tmp_path / "data"
    play = ("--customers", 60, "--minutes", 0.1, "--rate", 50)
    with demo(data, *play) as first:
        first.until(
            lambda: bool(found := first.figures()) and found[0] > 800 and found[3] > 20,
            "it plays, and webhooks come",
        )
        key = (data / "demo" / "admin.key").read_text()
        for name in ("admin.key", "notes.json"):
            assert (data / "demo" / name).stat().st_mode & 0o777 == 0o600
        looked_up = [line.split()[2] for line in first.lines if "onefold profile" in line]
        assert len(looked_up) == 3
        answer = httpx.get(
            f"{first.url()}/api/profiles/{looked_up[0]}",
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=PATIENCE,
        )
        assert answer.status_code == 200
        assert answer.json()["segments"]
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(PATIENCE) == 0
        before = first.figures()
    with demo(data, *play) as second:
        second.until(
            lambda: bool(found := second.figures()) and found[0] > before[0] + 50, "it goes on"
        )
        assert second.figures()[0] < 2 * before[0], "it began again from the start"
        assert (data / "demo" / "admin.key").read_text() == key
        second.process.kill()
        second.process.wait()
    check = ran("rebuild", "--check", "--data", data, "--json")
    assert json.loads(check.stdout)["differences"] == []


def test_a_workspace_that_is_no_demo_is_left_alone(tmp_path):
    assert ran("init", "--data", tmp_path).returncode == 0
    refused = ran("demo", "--data", tmp_path, "--port", 0)
    assert refused.returncode == 1
    assert "no demo" in refused.stderr
