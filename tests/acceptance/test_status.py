"""What `onefold status` says of processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from onefold.app.heartbeat import where_processes_are
from onefold.app.status import status
from onefold.app.workspace import now_us


@pytest.fixture
def ended() -> int:
    """The id of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def worker(onefold) -> tuple[str, str]:
    (found,) = [one for one in status(onefold.settings).checks if one.name == "worker"]
    return found.state, found.detail


def test_a_killed_process_is_known_at_once_not_when_it_has_been_silent_for_long(onefold, ended):
    onefold.store.beat("worker", ended, now_us(), {"where": where_processes_are()})
    assert worker(onefold) == ("degraded", f"does not run: process {ended} has ended")


def test_of_a_process_in_another_container_the_id_says_nothing(onefold, ended):
    onefold.store.beat("worker", ended, now_us(), {"where": "another boot/7"})
    assert worker(onefold) == ("ok", "works")
