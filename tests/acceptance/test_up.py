"""`onefold up`: the real tree, from the first start to a kill -9 of everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from onefold.testing.patience import PATIENCE, wait_until
from tests.programs import ENVIRONMENT, onefold, ran

DIRECTLY: dict[str, Any] = {"timeout": PATIENCE, "trust_env": False}


def ask(data: Path, *arguments: object) -> Any:
    done = ran(*arguments, "--data", data, "--json")
    return json.loads(done.stdout)


class Running:
    """A tree that said ready: its process, URL and keys, and its children by name."""

    def __init__(self, process: subprocess.Popen[str], url: str, keys: dict[str, str]) -> None:
        self.process, self.url, self.keys = process, url, keys

    def child(self, name: str) -> int:
        for entry in Path(f"/proc/{self.process.pid}/task/{self.process.pid}").glob("children"):
            for pid in entry.read_text().split():
                if _command_line(pid).endswith(name.encode()):
                    return int(pid)
        return 0


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
    except OSError:  # it has ended since it was listed
        return b""


@contextmanager
def up(data: Path, *arguments: object) -> Iterator[Running]:
    with subprocess.Popen(
        onefold("up", "--data", data, "--port", 0, *arguments),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield _ready(process)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _ready(process: subprocess.Popen[str]) -> Running:
    keys: dict[str, str] = {}
    assert process.stdout
    for line in process.stdout:
        what, _, value = line.strip().rpartition(" ")
        if what == "ready":
            return Running(process, value, keys)
        keys[what] = value
    raise AssertionError("it never was ready")


def send(url: str, key: str, count: int, number: int) -> None:
    """Send one batch until it is acknowledged."""
    batch = [
        {"type": "track", "event": "Seen", "userId": "u1", "messageId": f"{number}-{one}"}
        for one in range(count)
    ]

    def acknowledged() -> bool:
        try:
            answer = httpx.post(
                f"{url}/v1/batch", json={"batch": batch}, auth=(key, ""), **DIRECTLY
            )
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    wait_until(acknowledged, "a batch is acknowledged")


def event_count(data: Path) -> int:
    found = ask(data, "profile", "user_id:u1")
    return int(found.get("computed", {}).get("event_count", 0))


def wait_for_events(data: Path, count: int) -> None:
    wait_until(lambda: event_count(data) == count, f"{count} events of the user")


@pytest.mark.slow
def test_the_first_start_makes_keys_and_the_second_goes_on(tmp_path):
    data = tmp_path / "data"
    with up(data) as first:
        assert set(first.keys) == {"admin key", "write key"}
        assert httpx.get(f"{first.url}/health", **DIRECTLY).status_code in (200, 503)
        send(first.url, first.keys["write key"], 10, 1)
        wait_for_events(data, 10)
        second = ran("up", "--data", data, "--port", 0)
        assert second.returncode == 1
        assert "already running" in second.stderr
        port = first.url.rpartition(":")[2]
        taken = ran("up", "--data", tmp_path / "other", "--port", port)
        assert taken.returncode == 1
        assert "--port" in taken.stderr
    with up(data) as again:
        assert again.keys == {}
        assert event_count(data) == 10


@pytest.mark.slow
def test_what_was_acknowledged_counts_once_whatever_is_killed(tmp_path):
    data = tmp_path / "data"
    number = 0
    with up(data) as tree:
        key = tree.keys["write key"]
        for _ in range(2):
            for names in (["web"], ["worker"], ["jobs"], ["web", "worker", "jobs"]):
                number += 1
                send(tree.url, key, 50, number)
                before = [tree.child(name) for name in names]
                for pid in before:
                    os.kill(pid, signal.SIGKILL)
                number += 1
                send(tree.url, key, 50, number)
                for name, old in zip(names, before, strict=True):
                    wait_until(
                        lambda name=name, old=old: tree.child(name) not in (0, old),
                        f"{name} is started again",
                    )
        wait_for_events(data, number * 50)
        children = [tree.child(name) for name in ("web", "worker", "jobs")]
        send(tree.url, key, 50, number + 1)
        tree.process.kill()
        wait_until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "its children end"
        )
    with up(data):
        wait_for_events(data, (number + 1) * 50)
        report = ask(data, "rebuild", "--check")
        assert report["differences"] == []
        assert report["events"] == (number + 1) * 50


@pytest.mark.slow
def test_keys_are_told_even_if_the_start_fails(tmp_path):
    """They are stored as hashes only: what is not told now is lost."""
    for line in (["--json"], []):
        data = tmp_path / f"data{len(line)}"
        data.mkdir()
        (data / "worker.lock").mkdir()
        done = ran("up", "--data", data, "--port", 0, *line)
        assert done.returncode == 1
        if line:
            document = json.loads(done.stdout)
            assert document["ready"] is None
            assert document["admin_key"]
        else:
            assert done.stdout.startswith("admin key k")
            assert "ready" not in done.stdout
        assert "process_failed name='worker'" in done.stderr
