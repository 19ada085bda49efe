"""One loop takes every load in, pulled or imported: it waits, it stops, and it counts what came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from onefold.app.imports.importing import import_file
from onefold.app.imports.undoing import undo_load
from onefold.app.imports.wanted import Wanted
from onefold.app.status import status
from onefold.app.syncs.services import load_show
from onefold.app.syncs.taking import Ended, OneFile, Stopping, Taking
from onefold.app.workspace import now_us
from onefold.eventlog.memory import MemoryEventLog
from onefold.model.errors import Busy
from onefold.model.loads import LoadKind
from onefold.model.pulled import Batch, Position, Record, Unreadable
from tests.acceptance.conftest import Stepped

DEFINED = """
kind: source
name: crm
type: http
mapping:
  id: id
  time: at
  identifiers: {user_id: id}
  traits: {name: name}
"""


class Rows:
    """A source of rows, ten a batch, the last of each batch being none."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.kept: list[Position] = []

    def batches(self, position: Position | None) -> Iterator[Batch]:
        start = position["row"] if position else 0
        for first in range(start, self.count, 10):
            rows = range(first, first + 9)
            # One in ten names nobody.
            fields = [
                {"id": f"u{n}" if n % 10 else "", "at": "2026-01-01", "name": f"N{n}"} for n in rows
            ]
            records = [Record(one, "t", f"row {n}") for one, n in zip(fields, rows, strict=True)]
            broken = Unreadable(b"?", "t", f"row {first + 9}", ("is no row",))
            yield Batch(records, {"row": first + 10}, (broken,), self.count)

    def stored(self, position: Position) -> None:
        self.kept.append(position)

    def close(self) -> None:
        """Nothing is open."""


class FullDisk(MemoryEventLog):
    """A log whose disk has room only after some refusals."""

    def __init__(self, refusals: int) -> None:
        super().__init__("full")
        self.refusals = refusals

    def append(self, payloads: Sequence[bytes]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Busy("no room on the disk", 0.01)
        super().append(payloads)


@pytest.mark.parametrize("kind", ["pull", "import"])
def test_every_load_waits_while_the_disk_is_full(onefold: Stepped, kind: LoadKind) -> None:
    load = onefold.store.loads.begin("crm", kind, now_us(), "test")
    file = OneFile({"file": "x.csv"}, "") if kind == "import" else None
    log, rows = FullDisk(3), Rows(30)

    Taking(onefold.store, log, load, file=file).read(rows)

    now = onefold.store.loads.get(load.id)
    assert (log.refusals, now.rows, now.unreadable) == (0, 27, 3)
    assert rows.kept[-1] == {"row": 30}
    assert now.report["streams"]["t"]["rows"] == 27
    kept = now.report.get("position") if file else onefold.store.source_states.get("crm").position
    assert kept == {"row": 30}


@pytest.mark.parametrize("kind", ["pull", "import"])
def test_who_waits_for_room_hears_that_it_is_to_stop(onefold: Stepped, kind: LoadKind) -> None:
    load = onefold.store.loads.begin("crm", kind, now_us(), "test")
    file = OneFile({"file": "x.csv"}, "") if kind == "import" else None
    onefold.store.loads.cancel(load.id, now_us(), "test")
    with pytest.raises(Ended, match="canceled"):
        Taking(onefold.store, FullDisk(1 << 30), load, file=file).read(Rows(30))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopping):
        Taking(onefold.store, FullDisk(1 << 30), load, stop=stop, file=file).read(Rows(30))


@pytest.mark.parametrize("kind", ["pull", "import"])
def test_a_load_counts_what_came_of_it_also_when_a_crash_repeats_some(
    onefold: Stepped, kind: LoadKind
) -> None:
    onefold.define(DEFINED)
    load = onefold.store.loads.begin("crm", kind, now_us(), "test")
    file = OneFile({"file": "x.csv"}, "") if kind == "import" else None
    Taking(onefold.store, onefold.log, load, file=file).read(Rows(30))
    onefold.settle()
    shown = load_show(onefold.settings, load.id)
    assert (shown.rows, shown.unreadable) == (27, 3)
    assert (shown.events, shown.repeats, shown.rejects) == (24, 0, 6)

    # As if the crash had come between the log and the position.
    onefold.store.source_states.begin_anew("crm", now_us(), "test")
    Taking(onefold.store, onefold.log, load, file=file).read(Rows(30))
    onefold.settle()
    shown = load_show(onefold.settings, load.id)
    assert (shown.events, shown.repeats, shown.rejects) == (24, 24, 6)
    assert len(onefold.store.rejects.list()) == 6


def test_what_was_taken_back_is_not_among_the_totals(onefold: Stepped, tmp_path: Path) -> None:
    onefold.define(DEFINED)
    onefold.take({"userId": "u1", "type": "identify", "traits": {"name": "Ann"}})
    file = tmp_path / "x.csv"
    file.write_text("id,at,name\nu1,2026-01-01,Eva\nu2,2026-01-02,Bob\n,2026-01-02,Nobody\nu3\n")
    found = import_file(onefold.settings, Wanted(file, "crm"), wait=False)
    onefold.settle()
    totals = status(onefold.settings).totals
    assert (totals["events"], totals["rejects"]) == (3, 2)

    undo_load(onefold.settings, found.load)
    undo_load(onefold.settings, found.load)

    totals = status(onefold.settings).totals
    assert (totals["events"], totals["rejects"]) == (1, 0)
    shown = load_show(onefold.settings, found.load)
    assert (shown.state, shown.events, shown.rejects) == ("undone", 2, 2)
