"""The doctor's conclusions, from facts alone."""

from __future__ import annotations

import msgspec
import pytest

from onefold.cli.diagnosis import Facts, Heartbeat, findings

GIB = 1024**3
WELL = Facts(
    data="/data",
    data_state="writable",
    workspace=True,
    user="ann",
    owner="ann",
    mode=0o700,
    newest=2e9 - 1,
    versions={"python": "3.12.1", "sqlite": "3.46.0", "duckdb": "2.0.0", "deltalake": "1.6.6"},
    disk_free=50 * GIB,
    disk_total=100 * GIB,
    min_free_disk=GIB,
    now=2e9,
    clock_drift=0.0,
    listen="127.0.0.1:8181",
    port_state="onefold",
    up_running=True,
    open_files=65_536,
    heartbeats=(Heartbeat("worker", 7, 0.5, True), Heartbeat("jobs", 8, 0.5, True)),
    log_lag=0,
)


def test_all_is_well():
    assert {one.state for one in findings(WELL)} == {"ok"}


@pytest.mark.parametrize(
    ("wrong", "check", "state", "advice"),
    [
        ({"versions": {**WELL.versions, "sqlite": "3.34.1"}}, "versions", "failed", "upgrade"),
        ({"data_state": "missing"}, "data directory", "warning", "onefold up"),
        ({"data_state": "unwritable", "owner": "bob"}, "data directory", "failed", "chown -R ann"),
        ({"foreign": ("/data/store.db",)}, "data directory", "failed", "chown -R ann /data"),
        ({"mode": 0o755}, "data directory", "warning", "chmod o-rwx /data"),
        ({"disk_free": GIB // 2}, "disk", "failed", "min_free_disk"),
        ({"disk_free": 2 * GIB}, "disk", "warning", "free some"),
        ({"now": 1e9, "newest": None}, "clock", "failed", "set-ntp"),
        ({"clock_drift": -60.0}, "clock", "failed", "set-ntp"),
        ({"newest": 2e9 + 3600}, "clock", "warning", "set-ntp"),
        ({"port_state": "taken"}, "port", "failed", "--port"),
        ({"port_state": "unusable", "port_detail": "no such host"}, "port", "failed", "--host"),
        ({"open_files": 256}, "open files", "failed", "ulimit"),
        ({"open_files": 1024}, "open files", "warning", "ulimit"),
        ({"heartbeats": (Heartbeat("worker", 7, 60, True),)}, "processes", "failed", "kill -9 7"),
        ({"heartbeats": (Heartbeat("worker", 7, 60, False),)}, "processes", "failed", "onefold up"),
        (
            {"heartbeats": (Heartbeat("worker", 7, 0, True, "disk I/O error"),)},
            "processes",
            "failed",
            "log lines",
        ),
        (
            {"failing": {"segment vips": "no such cast"}},
            "definitions",
            "warning",
            "change its rule",
        ),
        ({"store_faults": ("row 3 missing",)}, "store", "failed", ".recover"),
        ({"lake_faults": ("events lacks 1 files",)}, "lake", "failed", "backup"),
        ({"log_damaged": 2}, "log", "warning", "disk and memory"),
        ({"log_lag": GIB}, "log", "warning", "onefold status"),
    ],
)
def test_each_fault_is_found_and_says_what_to_do(wrong, check, state, advice):
    found = [
        one
        for one in findings(msgspec.structs.replace(WELL, **wrong))
        if one.check == check and one.state != "ok"
    ]
    assert [one.state for one in found] == [state]
    assert advice in found[0].advice


def test_what_is_not_there_is_no_fault():
    nothing = msgspec.structs.replace(
        WELL, workspace=False, heartbeats=(), up_running=False, log_lag=None, port_state="free"
    )
    assert {one.state for one in findings(nothing)} == {"ok"}


def test_stopped_processes_are_no_fault_when_nothing_should_run():
    stopped = (Heartbeat("worker", 7, 9e9, False), Heartbeat("jobs", 8, 9e9, False))
    found = findings(msgspec.structs.replace(WELL, heartbeats=stopped, up_running=False))
    assert {one.state for one in found} == {"ok"}
