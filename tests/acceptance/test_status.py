"""What `onefold status` says of processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from onefold.app.heartbeat import where_processes_are
from onefold.app.questions.segments import segment_list
from onefold.app.status import status
from onefold.app.workspace import now_us
from tests.acceptance.conftest import Stepped


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


def test_a_segment_says_that_its_rule_fails_and_keeps_its_members(onefold: Stepped) -> None:
    onefold.define("kind: segment\nname: adults\nrule: age >= 18\n")
    onefold.take({"type": "identify", "userId": "ann", "traits": {"age": 20}})
    told = {"failing": {"segment adults": "no such cast"}}
    onefold.store.beat("worker", 1, now_us(), told)
    [row] = segment_list(onefold.settings)
    assert (row.members, row.state, row.reason) == (1, "failing", "no such cast")
    onefold.store.beat("worker", 1, now_us(), {"filling": ["segment adults"]})
    assert segment_list(onefold.settings)[0].state == "counting"
    onefold.store.beat("worker", 1, now_us(), {})
    assert segment_list(onefold.settings)[0].state == "live"
