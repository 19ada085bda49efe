"""Gathers what `onefold doctor` judges; changes nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import resource
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Literal

from onefold.app.heartbeat import runs
from onefold.app.lake.writer import agree
from onefold.app.workspace import (
    now_us,
    open_lake,
    open_log,
    open_store,
    store_path,
    unfolded,
)
from onefold.cli.diagnosis import SILENT_SECONDS, Facts, Heartbeat
from onefold.config import Settings
from onefold.model.catalogue import TABLES
from onefold.model.errors import Busy, Conflict, OnefoldError
from onefold.processes.tree import answers, listens_at
from onefold.store import SQLiteStore

_DRIFT_SECONDS = 0.05
_MOST_FILES = 20_000


def gather(settings: Settings) -> Facts:
    """The facts of this machine and this data directory."""
    data = settings.data
    here = data if data.exists() else _first_parent(data)
    usage = shutil.disk_usage(here) if here else None
    up_running = _held(data / "up.lock")
    # What runs may have been started with another port than these settings name.
    host, port = (up_running and listens_at(data)) or (settings.host, settings.port)
    port_state, port_detail = _port(host, port)
    status = data.stat() if data.exists() else None
    return Facts(
        data=str(data),
        data_state=_data_state(data),
        workspace=store_path(settings).exists(),
        user=_user(os.geteuid()),
        owner=_user(status.st_uid) if status else "",
        mode=status.st_mode & 0o777 if status else 0,
        foreign=_foreign(data, status.st_uid) if status else (),
        newest=max((one.stat().st_mtime for one in _files(data)), default=None),
        versions={
            "python": python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in ("duckdb", "deltalake")},
        },
        disk_free=usage.free if usage else None,
        disk_total=usage.total if usage else None,
        min_free_disk=settings.min_free_disk,
        now=time.time(),
        clock_drift=_drift(),
        listen=f"{host}:{port}",
        port_state=port_state,
        port_detail=port_detail,
        up_running=up_running,
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        **_inside(settings),
    )


def _inside(settings: Settings) -> dict[str, Any]:
    """What store and log tell, where there are any."""
    if not store_path(settings).exists():
        return {}
    try:
        with open_store(settings, cache_mb=4) as store:
            return {
                "heartbeats": tuple(_heartbeats(store)),
                "failing": store.heartbeats().get("worker", (0, 0, {}))[2].get("failing", {}),
                "store_faults": _store_faults(store),
                "lake_faults": tuple(_lake_faults(settings, store)),
                **_log_state(settings, store),
            }
    except OnefoldError as error:
        return {"store_faults": (str(error),)}


def _store_faults(store: SQLiteStore) -> tuple[str, ...]:
    found = [str(row[0]) for row in store.db.rows("pragma quick_check(5)")]
    return () if found == ["ok"] else tuple(found)


def _lake_faults(settings: Settings, store: SQLiteStore) -> Iterator[str]:
    lake = open_lake(settings)
    for name in TABLES:
        try:
            _, files = lake.snapshot(name)
        except OnefoldError as error:
            yield str(error)
            continue
        missing = [file for file in files if not Path(file).exists()]
        if missing:
            yield f"{name} lacks {len(missing)} files, such as {missing[0]}"
    try:
        agree(store, lake)
    except Conflict as error:
        yield from map(str, error.faults)
    except Busy:
        return  # told above


def _log_state(settings: Settings, store: SQLiteStore) -> dict[str, Any]:
    log = open_log(settings, store, None)
    try:
        lag = sum(unfolded(store, log).values())
        met = store.heartbeats().get("worker", (0, 0, {}))[2].get("log_damaged", 0)
        return {"log_lag": lag, "log_damaged": max(log.damaged(), met)}
    finally:
        log.close()


def _heartbeats(store: SQLiteStore) -> Iterator[Heartbeat]:
    for name, (pid, at, state) in store.heartbeats().items():
        faults = [str(state[key]) for key in ("store_fault", "lake_fault") if state.get(key)]
        age = (now_us() - at) / 1e6
        seen = runs(pid, str(state.get("where", "")))
        running = age < SILENT_SECONDS if seen is None else seen
        yield Heartbeat(name, pid, age, running, "; ".join(faults))


def _held(lock: Path) -> bool:
    """Does a process hold this lock? Locks go with their process, so none is ever stale."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _port(host: str, port: int) -> tuple[Literal["free", "onefold", "taken", "unusable"], str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        socket.create_server(found[0][4][:2], family=found[0][0]).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return ("onefold" if answers(host, port) else "taken"), ""
        return "unusable", error.strerror or str(error)
    return "free", ""


def _drift() -> float:
    """By how much the wall clock moves otherwise than the steady one, over a moment."""
    wall, steady = time.time(), time.monotonic()
    time.sleep(_DRIFT_SECONDS)
    return (time.time() - wall) - (time.monotonic() - steady)


def _data_state(data: Path) -> Literal["missing", "unwritable", "writable"]:
    if not data.exists():
        return "missing"
    usable = data.is_dir() and os.access(data, os.R_OK | os.W_OK | os.X_OK)
    return "writable" if usable else "unwritable"


def _foreign(data: Path, owner: int) -> tuple[str, ...]:
    return tuple(str(one) for one in _files(data) if one.lstat().st_uid != owner)


def _files(data: Path) -> Iterator[Path]:
    count = 0
    for folder, _, names in os.walk(data):
        for name in names:
            path = Path(folder, name)
            count += 1
            if path.exists():
                yield path
            if count >= _MOST_FILES:
                return


def _first_parent(path: Path) -> Path | None:
    return next((one for one in path.absolute().parents if one.exists()), None)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
