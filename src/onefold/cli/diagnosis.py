"""What `onefold doctor` concludes from the facts: one finding per check, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from onefold.model.quantities import rough_size

State = Literal["ok", "warning", "failed"]

SUPPORTED = {
    "python": (3, 11),
    "sqlite": (3, 40),
    "duckdb": (1, 4),
    "deltalake": (1, 1),
}
_OPEN_FILES = 4_096
_FEW_OPEN_FILES = 512
_LAG_BYTES = 256 * 1024**2
SILENT_SECONDS = 15.0
_CLOCK_SECONDS = 5.0
_RECOVER = "sqlite3 store.db .recover | sqlite3 new.db, and put new.db in its place"
_BUILT = 1_735_689_600.0
"""The beginning of 2025: a clock that shows less is wrong."""


class Heartbeat(msgspec.Struct, frozen=True):
    """The last sign of life of a process, and whether its id still runs."""

    process: str
    pid: int
    age: float
    running: bool
    fault: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found on this machine. None is what could not be found out, or is not there."""

    data: str
    data_state: Literal["missing", "unwritable", "writable"]
    workspace: bool
    user: str
    owner: str
    mode: int
    foreign: tuple[str, ...] = ()
    newest: float | None = None
    versions: dict[str, str]
    disk_free: int | None
    disk_total: int | None
    min_free_disk: int
    now: float
    clock_drift: float
    listen: str
    port_state: Literal["free", "onefold", "taken", "unusable"]
    port_detail: str = ""
    up_running: bool
    open_files: int
    heartbeats: tuple[Heartbeat, ...] = ()
    store_faults: tuple[str, ...] = ()
    lake_faults: tuple[str, ...] = ()
    failing: dict[str, str] = {}
    log_lag: int | None = None
    log_damaged: int = 0


class Finding(msgspec.Struct, frozen=True):
    """One check: how it is, what was found, what to do."""

    state: State
    check: str
    detail: str
    advice: str = ""


def findings(facts: Facts) -> list[Finding]:
    """Every check, in the order in which one would look."""
    return [found for check in _CHECKS for found in check(facts)]


def _versions(facts: Facts) -> Iterator[Finding]:
    old = [
        f"{name} {facts.versions[name]} (at least {'.'.join(map(str, least))})"
        for name, least in SUPPORTED.items()
        if _numbers(facts.versions[name]) < least
    ]
    known = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    if old:
        advice = "upgrade: `pip install -U onefold`, or a newer Python"
        yield Finding("failed", "versions", "too old: " + ", ".join(old), advice)
    else:
        yield Finding("ok", "versions", known)


def _data(facts: Facts) -> Iterator[Finding]:
    where, check = facts.data, "data directory"
    if facts.data_state == "missing":
        yield Finding("warning", check, f"{where} is not there", "`onefold up` makes it")
    elif facts.data_state == "unwritable":
        advice = f"run as {facts.owner}, or: chown -R {facts.user} {where}"
        yield Finding("failed", check, f"{facts.user} may not write to {where}", advice)
    elif facts.foreign:
        some = ", ".join(facts.foreign[:3])
        advice = f"chown -R {facts.owner} {where}"
        detail = f"{len(facts.foreign)} files belong to others, such as {some}"
        yield Finding("failed", check, detail, advice)
    elif facts.mode & 0o007:
        advice = f"it holds personal data and keys: chmod o-rwx {where}"
        yield Finding("warning", check, f"{where} is open to every user", advice)
    else:
        yield Finding("ok", check, where)


def _disk(facts: Facts) -> Iterator[Finding]:
    if facts.disk_free is None:
        return
    detail = f"{rough_size(facts.disk_free)} free"
    if facts.disk_free < facts.min_free_disk:
        advice = f"events are refused below {rough_size(facts.min_free_disk)} (min_free_disk): "
        yield Finding("failed", "disk", detail, advice + "free some, or lower eventlog_retention")
    elif facts.disk_free < 3 * facts.min_free_disk:
        yield Finding("warning", "disk", detail, "it will be full soon: free some")
    else:
        yield Finding("ok", "disk", detail)


def _clock(facts: Facts) -> Iterator[Finding]:
    advice = "set it, and keep it right: `timedatectl set-ntp true`"
    ahead = 0.0 if facts.newest is None else facts.newest - facts.now
    if facts.now < _BUILT:
        yield Finding("failed", "clock", "it stands in the past", advice)
    elif abs(facts.clock_drift) > _CLOCK_SECONDS:
        yield Finding("failed", "clock", f"it jumped by {facts.clock_drift:.0f} s just now", advice)
    elif ahead > _CLOCK_SECONDS:
        detail = f"files here are {ahead:.0f} s in the future: it was ahead, or is now behind"
        yield Finding("warning", "clock", detail, advice)
    else:
        yield Finding("ok", "clock", "agrees with the files here")


def _port(facts: Facts) -> Iterator[Finding]:
    if facts.port_state == "free":
        yield Finding("ok", "port", f"{facts.listen} is free")
    elif facts.port_state == "onefold":
        yield Finding("ok", "port", f"Onefold answers on {facts.listen}")
    elif facts.port_state == "taken":
        advice = "stop it, or choose another with --port"
        yield Finding("failed", "port", f"another program listens on {facts.listen}", advice)
    else:
        detail = f"{facts.listen} cannot be used: {facts.port_detail}"
        yield Finding("failed", "port", detail, "choose others with --host and --port")


def _open_files(facts: Facts) -> Iterator[Finding]:
    detail = f"{facts.open_files} per process"
    if facts.open_files < _FEW_OPEN_FILES:
        yield Finding("failed", "open files", detail, "ulimit -n 65536")
    elif facts.open_files < _OPEN_FILES:
        advice = "for many connections: ulimit -n 65536"
        yield Finding("warning", "open files", detail, advice)
    else:
        yield Finding("ok", "open files", detail)


def _processes(facts: Facts) -> Iterator[Finding]:
    if not facts.workspace:
        return
    alive = [one for one in facts.heartbeats if one.running and one.age < SILENT_SECONDS]
    for one in facts.heartbeats:
        if one.running and one.age >= SILENT_SECONDS:
            detail = f"{one.process} (process {one.pid}) said nothing for {one.age:.0f} s"
            advice = f"see its log lines; if it hangs: kill -9 {one.pid}, it is started again"
            yield Finding("failed", "processes", detail, advice)
        elif one.running and one.fault:
            yield Finding("failed", "processes", f"{one.process}: {one.fault}", "see its log lines")
        elif facts.up_running and not one.running:
            detail = f"{one.process} does not run, though `onefold up` does"
            yield Finding("failed", "processes", detail, "see the lines of `onefold up`")
    if alive and not any(one.fault for one in alive):
        names = ", ".join(sorted(one.process for one in alive))
        yield Finding("ok", "processes", f"{names} work")
    elif not any(one.running for one in facts.heartbeats):
        yield Finding("ok", "processes", "none run", "`onefold up` starts them")


def _definitions(facts: Facts) -> Iterator[Finding]:
    for name, reason in facts.failing.items():
        advice = "change its rule; until then it keeps its last values and members"
        yield Finding("warning", "definitions", f"{name} fails: {reason}", advice)


def _store(facts: Facts) -> Iterator[Finding]:
    if not facts.workspace:
        return
    if facts.store_faults:
        advice = "stop Onefold, copy the data directory away; then: " + _RECOVER
        yield Finding("failed", "store", "; ".join(facts.store_faults), advice)
    else:
        yield Finding("ok", "store", "its structure is whole")


def _lake(facts: Facts) -> Iterator[Finding]:
    if not facts.workspace:
        return
    if facts.lake_faults:
        some = "; ".join(facts.lake_faults[:3])
        advice = "restore these files from a backup; what comes in is kept in the store meanwhile"
        yield Finding("failed", "lake", some, advice)
    else:
        yield Finding("ok", "lake", "every file of every table is there")


def _log(facts: Facts) -> Iterator[Finding]:
    if facts.log_lag is None:
        return
    if facts.log_damaged:
        detail = f"{facts.log_damaged} damaged places were skipped"
        yield Finding("warning", "log", detail, "check disk and memory of this machine")
    waits = f"{rough_size(facts.log_lag)} wait to be processed"
    if facts.log_lag > _LAG_BYTES:
        advice = "the worker is behind, or does not run: `onefold status`"
        yield Finding("warning", "log", waits, advice)
    else:
        yield Finding("ok", "log", waits)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _versions,
    _data,
    _disk,
    _clock,
    _port,
    _open_files,
    _processes,
    _definitions,
    _store,
    _lake,
    _log,
)
