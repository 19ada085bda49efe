"""The tree starts, mends itself, and ends as a whole, whatever is killed."""

from __future__ import annotations

import os
import signal
import time

import pytest

from onefold.testing.patience import PATIENCE, wait_until
from tests.unit.processes.stubs import (
    CRASHING,
    GOOD,
    HOPELESS,
    SILENT,
    SLOW,
    STUBBORN,
    Parent,
    running,
)

THREE = [("web", GOOD), ("worker", GOOD), ("jobs", GOOD)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_children_in_order(number: signal.Signals) -> None:
    with Parent(THREE) as parent:
        parent.until("on_ready")
        children = [parent.pid(name) for name, _ in THREE]
        assert parent.stop(number) == 0
        parent.until("stopped")
        assert not any(running(pid) for pid in children)
        assert not [told for told in parent.events if told["event"] == "process_killed"]


def test_nohup_is_respected() -> None:
    with Parent([("web", GOOD)], under=["nohup"]) as parent:
        parent.until("on_ready")
        parent.process.send_signal(signal.SIGHUP)
        os.kill(parent.pid("web"), signal.SIGKILL)
        parent.until("process_ready", name="web")
        assert parent.stop() == 0


def test_ready_is_told_only_when_every_child_said_so() -> None:
    with Parent([("web", GOOD), ("worker", SILENT)]) as parent:
        parent.until("process_ready", name="web")
        parent.process.send_signal(signal.SIGTERM)
        parent.until("stopped")
        assert not [told for told in parent.events if told["event"] == "on_ready"]


@pytest.mark.parametrize("name", ["web", "worker", "jobs"])
def test_a_killed_child_is_started_again(name: str) -> None:
    with Parent(THREE) as parent:
        parent.until("on_ready")
        others = [parent.pid(other) for other, _ in THREE if other != name]
        for _ in range(3):
            before = parent.pid(name)
            os.kill(before, signal.SIGKILL)
            assert parent.until("process_ended", name=name)["signal"] == "SIGKILL"
            parent.until("process_ready", name=name)
            assert parent.pid(name) != before
        assert all(running(pid) for pid in others)
        assert sum(told["event"] == "on_ready" for told in parent.events) == 1
        assert parent.stop() == 0


def test_all_children_killed_at_once_are_started_again() -> None:
    with Parent(THREE) as parent:
        parent.until("on_ready")
        for name, _ in THREE:
            os.kill(parent.pid(name), signal.SIGKILL)
        ready: set[object] = set()
        while len(ready) < len(THREE):
            ready.add(parent.until("process_ready")["name"])
        assert parent.stop() == 0


def test_children_end_when_the_parent_is_killed() -> None:
    with Parent([*THREE, ("stubborn", STUBBORN)]) as parent:
        parent.until("on_ready")
        children = [parent.pid(name) for name in ("web", "worker", "jobs", "stubborn")]
        parent.process.kill()
        wait_until(lambda: not any(running(pid) for pid in children), "the children end")


def test_a_child_that_ignores_the_signal_is_killed() -> None:
    with Parent([("web", GOOD), ("stubborn", STUBBORN)], stop_timeout=0.5) as parent:
        parent.until("on_ready")
        child = parent.pid("stubborn")
        assert parent.stop() == 0
        parent.until("process_killed", name="stubborn")
        assert not running(child)


def test_ctrl_c_again_does_not_wait() -> None:
    with Parent([("stubborn", STUBBORN)], stop_timeout=2 * PATIENCE) as parent:
        parent.until("on_ready")
        parent.process.send_signal(signal.SIGINT)
        parent.until("stopping")

        time.sleep(1.0)  # what comes at once would be the same wish
        assert parent.stop(signal.SIGINT) == 0


def test_the_same_signal_twice_is_one_wish() -> None:
    with Parent([("slow", SLOW)]) as parent:
        parent.until("on_ready")
        parent.process.send_signal(signal.SIGTERM)
        parent.until("stopping")
        assert parent.stop(signal.SIGTERM) == 0
        parent.until("stopped")
        assert not [told for told in parent.events if told["event"] == "process_killed"]


def test_what_never_becomes_ready_ends_the_whole() -> None:
    with Parent([("web", GOOD), ("worker", CRASHING)]) as parent:
        told = parent.until("process_failed", name="worker")
        assert told["exit_code"] == 3
        assert sum(told["event"] == "process_ended" for told in parent.events) == 2
        parent.until("stopped")
        assert parent.process.wait(PATIENCE) == 1


def test_a_child_that_needs_a_person_is_not_tried_again() -> None:
    with Parent([("web", GOOD), ("worker", HOPELESS)]) as parent:
        parent.until("process_failed", name="worker")
        assert not [told for told in parent.events if told["event"] == "process_ended"]
        assert parent.process.wait(PATIENCE) == 1


def test_the_parent_imports_nothing_heavy() -> None:
    with Parent([("web", GOOD)]) as parent:
        parent.until("on_ready")
        status = f"/proc/{parent.process.pid}/status"
        with open(status) as lines:
            resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        assert resident < 25 * 1024
        parent.process.send_signal(signal.SIGTERM)
        names = parent.until("modules")["names"]
        assert isinstance(names, list)
        assert not {"duckdb", "pyarrow", "litestar", "structlog", "deltalake", "rich"} & set(names)
