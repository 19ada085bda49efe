"""Upkeep runs apart from the jobs process: what is past its time goes, small files are joined."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from onefold.app.access import make_workspace
from onefold.app.lake.writer import drain
from onefold.app.workspace import now_us, open_lake, open_store
from onefold.config import Settings
from onefold.lake import complete, to_ipc, to_table
from onefold.processes.tree import run_apart
from onefold.store import BatchWrite, QueuedRows, SQLiteStore

SMALL_FILES = 70
DAY_US = 86_400_000_000


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(data=tmp_path / "data")
    make_workspace(settings)
    monkeypatch.setenv("ONEFOLD_DATA", str(settings.data))
    return settings


def add_link(store: SQLiteStore, batch: int) -> None:
    columns = [[value] for value in ("a", "1", "b", "2", 0, 1, "web", f"m{batch}")]
    data = to_ipc(complete("links", to_table("links", columns), {"batch": [batch]}))
    store.write(BatchWrite(batch, lake=[QueuedRows(batch, "links", 1, data)]))


def test_it_forgets_and_joins(settings: Settings) -> None:
    lake, now = open_lake(settings), now_us()
    with open_store(settings) as store:
        for batch in range(1, SMALL_FILES + 1):
            add_link(store, batch)
            drain(store, lake)
        old, new = now - 100 * DAY_US, now
        seen = [(at // 60_000_000, 1, at // DAY_US) for at in (old, new)]
        store.write(BatchWrite(SMALL_FILES + 1, seen=seen))

        assert run_apart("upkeep", threading.Event()) == 0

        assert store.seen([key[:2] for key in seen]) == {seen[1][:2]}
    batch, files = open_lake(settings).snapshot("links")
    assert (batch, len(files) < SMALL_FILES) == (SMALL_FILES, True)


def test_it_ends_with_who_started_it(settings: Settings) -> None:
    stop = threading.Event()
    stop.set()

    assert run_apart("upkeep", stop) != 0
