"""kill -9 in the middle of imports, of pulled loads, and of what takes them back: nothing lost, nothing twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.testing.patience import PATIENCE, wait_until
from tests.acceptance.reliability.tree import Tree

ROWS, BROKEN = 16_000, 40
DEFINED = """
kind: source
name: crm
type: {type}
{settings}
mapping:
  identifiers: {{user_id: id, email: mail}}
  traits: {{city: city}}
---
kind: segment
name: far
rule: city = 'Köln'
"""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path / "data")
    try:
        tree.start()
        yield tree
    finally:
        tree.end()


def define(tree: Tree, kind: str, settings: str = "") -> None:
    folder = tree.data.with_name("definitions")
    folder.mkdir()
    (folder / "all.yaml").write_text(DEFINED.format(type=kind, settings=settings))
    tree.run("apply", str(folder))


def customers(path: Path) -> Path:
    """A file of rows, of which some are none, and large enough to be read in many batches."""
    note = "called about an order " * 12
    rows = [f"{n},p{n}@example.com,Köln,{note}\n" for n in range(ROWS)]
    for number in range(BROKEN):
        rows.insert(number * (ROWS // BROKEN), "broken\n")
    path.write_text("id,mail,city,note\n" + "".join(rows))
    return path


def figures(tree: Tree) -> dict[str, int]:
    """How far the newest load is, and what is folded."""
    with open_store(Settings(data=tree.data), cache_mb=1) as store:
        loads = store.loads.page(1 << 60, 1)
        rows = loads[0].rows if loads else 0
        return {"rows": rows, "events": store.counters().get("events", 0)}


def reached(tree: Tree, what: str, count: int) -> Callable[[], bool]:
    return lambda: figures(tree)[what] >= count


def is_read(tree: Tree) -> bool:
    """Whether the newest load has ended."""
    with open_store(Settings(data=tree.data), cache_mb=1) as store:
        return store.loads.page(1 << 60, 1)[0].state != "running"


def count(tree: Tree, sql: str) -> int:
    [[number]] = tree.run("sql", sql)["rows"]
    return int(number)


def wait_for_lake(tree: Tree, events: int) -> None:
    """Wait until so many events are in the lake; seldom asked, for each question starts a process."""
    asked = "select count(*) from events"
    wait_until(lambda: count(tree, asked) == events, f"{events} events in the lake", pause=0.5)


def assert_once(tree: Tree, rows: int, rejects: int = 0) -> dict[str, Any]:
    """Each row is one event, in the totals, with its load, in its profile and in the lake."""
    tree.wait_until_processed()
    wait_for_lake(tree, rows)
    [load] = tree.run("load", "list")
    assert (load["state"], load["events"], load["rejects"]) == ("done", rows, rejects)
    totals = tree.run("status")["totals"]
    assert (totals["events"], totals["profiles"], totals["rejects"]) == (rows, rows, rejects)
    assert count(tree, "select count(distinct message_id) from events") == rows
    assert len(tree.run("rejects", "list", "--limit", "1000")) == rejects
    assert tree.run("rebuild", "--check")["differences"] == []
    return dict(load)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.mark.slow
def test_an_import_whose_processes_are_killed_brings_every_row_once(
    tree: Tree, tmp_path: Path
) -> None:
    define(tree, "csv")
    line = ("import", str(customers(tmp_path / "customers.csv")), "--source", "crm")
    draw = random.Random()
    for _ in range(3):
        importer = tree.begin(*line)
        try:
            goal = min(ROWS, figures(tree)["rows"] + draw.randrange(1, ROWS // 3))
            wait_until(reached(tree, "rows", goal), "it reads")
        finally:
            end(importer)
        if is_read(tree):
            break  # before it was killed; the same file again would be another load
    importer = None if is_read(tree) else tree.begin(*line)
    try:
        for _ in range(3):
            goal = min(ROWS, figures(tree)["events"] + draw.randrange(1, ROWS // 4))
            wait_until(reached(tree, "events", goal), "it is folded")
            tree.kill_and_wait("worker")
        assert importer is None or importer.wait(2 * PATIENCE) == 0
    finally:
        if importer is not None:
            end(importer)
    load = assert_once(tree, ROWS, BROKEN)
    assert (load["rows"], load["unreadable"]) == (ROWS, BROKEN)


@pytest.mark.slow
def test_a_pulled_load_whose_processes_are_killed_brings_every_row_once(
    tree: Tree, tmp_path: Path
) -> None:
    rows = 6_000
    connection = sqlite3.connect(tmp_path / "crm.db")
    connection.execute("create table customers (id integer primary key, mail text, city text)")
    found = ((n, f"p{n}@example.com", "Köln") for n in range(rows))
    connection.executemany("insert into customers values (?,?,?)", found)
    connection.commit()
    connection.close()
    file = tmp_path / "crm.db"
    settings = f"{{dialect: sqlite, file: {file}, page: 20, tables: [{{table: customers}}]}}"
    define(tree, "sql", f"settings: {settings}")
    tree.run("source", "run", "crm", "--later")
    draw = random.Random()
    for name in ("jobs", "worker", "jobs"):
        goal = min(rows, figures(tree)["rows"] + draw.randrange(1, rows // 4))
        wait_until(reached(tree, "rows", goal), "it reads")
        tree.kill_and_wait(name)
    wait_until(lambda: tree.run("load", "list")[0]["state"] != "running", "it has ended")
    assert assert_once(tree, rows)["rows"] == rows


@pytest.mark.slow
def test_an_undo_in_a_running_worker_that_is_killed_ends_as_if_nothing_had_come(
    tree: Tree, tmp_path: Path
) -> None:
    define(tree, "csv")
    kept = tmp_path / "kept.csv"
    kept.write_text("id,mail,city\n" + "".join(f"{n},k{n}@example.com,Bonn\n" for n in range(500)))
    tree.run("import", str(kept), "--source", "crm")
    tree.run("import", str(customers(tmp_path / "customers.csv")), "--source", "crm")
    assert tree.run("status")["segments"] == {"far": ROWS}
    wait_for_lake(tree, ROWS + 500)
    draw = random.Random()
    undo = tree.begin("load", "undo", "2")
    try:
        for _ in range(2):
            wait_until(lambda: bool(running(tree)) or undo.poll() is not None, "it begins")
            done = draw.randrange(1, 12_000)
            wait_until(lambda done=done: is_past(tree, done) or undo.poll() is not None, "on")
            tree.kill_and_wait("worker")
    finally:
        end(undo)
    wait_until(lambda: not running(tree), "nothing of it is under way")

    tree.run("load", "undo", "2")

    totals = tree.run("status")["totals"]
    assert (totals["events"], totals["profiles"], totals["rejects"]) == (500, 500, 0)
    assert tree.run("status")["segments"].get("far", 0) == 0
    wait_for_lake(tree, 500)
    assert [one["state"] for one in tree.run("load", "list")] == ["undone", "done"]
    assert tree.run("rejects", "list") == []
    assert tree.run("rebuild", "--check")["differences"] == []


def running(tree: Tree) -> list[Any]:
    """What of long work waits or runs."""
    return [one for one in tree.run("job", "list") if one["kind"] == "undo-load"]


def is_past(tree: Tree, done: int) -> bool:
    """Has it come so far, or to its end?"""
    return all(one["done"] >= done or one["step"] for one in running(tree))
