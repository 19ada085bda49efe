"""Compaction loses no row and doubles none, whatever happens beside it and wherever it is cut off."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from onefold.app.lake.compaction import compact
from onefold.app.lake.relations import add_population
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.lake.writer import drain
from onefold.app.workspace import create_files, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake import from_ipc, parse_file_name, to_ipc
from onefold.lake.delta import DeltaLake
from onefold.model.profile import profile_name
from onefold.testing.shop import definitions
from tests.acceptance.conftest import Stepped

TYPED = '"[""properties"",""revenue"",""number""]"'


def orders(first: int, count: int, people: int = 5) -> list[dict[str, Any]]:
    return [
        {
            "type": "track",
            "event": "Order Completed",
            "anonymousId": f"m-{n % people}",
            "messageId": f"o{n}",
            "timestamp": f"2026-11-{n % 3 + 1:02d}T{n % 24:02d}:00:00Z",
            "properties": {"revenue": n},
        }
        for n in range(first, first + count)
    ]


def said(user: int, number: int) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": f"u{user}",
        "anonymousId": f"m-{user}",
        "messageId": f"i{number}",
        "timestamp": "2026-11-04T10:00:00Z",
        "traits": {"n": number},
    }


def asked(settings: Settings) -> tuple[dict[str, str], float, dict[str, str]]:
    """Whose each event is, what all spent, and everybody's traits, as the relations say."""
    engine = DuckEngine()
    try:
        with open_store(settings) as store:
            add_population(engine, store, open_lake(settings))
        rows = engine.rows("e", "select message_id, profile, properties from events_now", {})
        whose = {message: profile_name(number) for message, number, _ in rows}
        assert len(whose) == len(rows), "some event is there twice"
        sum_sql = "select sum(cast(properties->>'revenue' as double)) from events_now"
        [(total,)] = engine.rows("s", sum_sql, {})
        people = engine.rows("p", "select profile, traits from profiles_now", {})
        return whose, total, {profile_name(number): traits for number, traits in people}
    finally:
        engine.close()


class CutOff(BaseException):
    """The process ends here."""


class CuttingLake(DeltaLake):
    """Ends before or after the commit of a compaction."""

    def __init__(self, directory: Path, table: str, *, after: bool) -> None:
        super().__init__(directory)
        self._table, self._after = table, after

    def replace(self, name: str, old: Sequence[str], new: Sequence[str]) -> None:
        if name == self._table and not self._after:
            raise CutOff
        super().replace(name, old, new)
        if name == self._table:
            raise CutOff


@pytest.mark.parametrize("table", ["events", "profiles"])
@pytest.mark.parametrize("after", [False, True])
def test_it_may_be_cut_off_before_and_after_its_commit(
    onefold: Stepped, table: str, after: bool
) -> None:
    onefold.define(definitions())
    onefold.take(*orders(0, 20), said(1, 1), said(2, 2))
    before = asked(onefold.settings)
    cutting = CuttingLake(onefold.lake.directory, table, after=after)
    spill = onefold.settings.data / "tmp"

    with pytest.raises(CutOff):
        compact(onefold.store, cutting, spill, at_once=True)

    assert asked(onefold.settings) == before
    onefold.take(*orders(20, 20), said(1, 3))
    now = asked(onefold.settings)
    assert (len(now[0]), now[1]) == (43, sum(range(40)))
    compact(onefold.store, onefold.lake, spill, at_once=True)
    assert asked(onefold.settings) == now


def test_it_goes_on_while_events_come(onefold: Stepped) -> None:
    onefold.define(definitions())
    done = threading.Event()

    def beside() -> list[int]:
        counts = []
        with open_store(onefold.settings) as store:
            lake = open_lake(onefold.settings)
            while not done.is_set():
                compact(store, lake, onefold.settings.data / "tmp", at_once=True)
                counts.append(len(asked(onefold.settings)[0]))
        return counts

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(beside)
        for number in range(12):
            onefold.take(*orders(10 * number, 10), said(number % 5, number))
        done.set()
    counts = working.result()

    assert counts == sorted(counts)
    whose, total, people = asked(onefold.settings)
    assert (len(whose), total, len(people)) == (132, sum(range(120)), 5)


def test_a_column_that_a_new_rule_reads_comes_into_the_old_files(onefold: Stepped) -> None:
    spill = onefold.settings.data / "tmp"
    onefold.take(*orders(0, 30))
    compact(onefold.store, onefold.lake, spill, at_once=True)
    onefold.define(definitions())
    compact(onefold.store, onefold.lake, spill, at_once=True)

    engine = DuckEngine()
    add_population(engine, onefold.store, onefold.lake)
    assert engine.rows("sum", f"select sum({TYPED}), count(*) from events_now", {}) == [
        (sum(range(30)), 30)
    ]
    engine.close()
    parts = [parse_file_name(file).part for file in onefold.lake.snapshot("events")[1]]
    assert sorted(parts) == ["20261101", "20261102", "20261103"]


def test_a_rule_over_dates_and_lists_does_not_make_it_go_on_for_ever(onefold: Stepped) -> None:
    onefold.define(
        "kind: segment\nname: birthdays\nrule: birthday > date '2000-01-01' and contains(likes, 'tea')\n---\n"
        "kind: trait\nname: likes\ntype: list\n---\nkind: trait\nname: birthday\ntype: date\n"
    )
    onefold.take(*orders(0, 3), said(1, 1))
    before = asked(onefold.settings)
    compact(onefold.store, onefold.lake, onefold.settings.data / "tmp", at_once=True)
    assert asked(onefold.settings) == before


def test_a_late_event_does_not_make_its_day_be_written_again(onefold: Stepped) -> None:
    spill = onefold.settings.data / "tmp"
    onefold.take(*orders(0, 30))
    compact(onefold.store, onefold.lake, spill, at_once=True)
    held = set(onefold.lake.snapshot("events")[1])
    onefold.take(*orders(30, 1))
    compact(onefold.store, onefold.lake, spill, at_once=True)
    now = onefold.lake.snapshot("events")[1]
    assert held < set(now)
    assert sorted(parse_file_name(file).rows for file in now) == [1, 10, 10, 10]


def test_a_lake_of_before_there_were_profiles_in_it_is_read_and_compacted(
    onefold: Stepped,
) -> None:
    onefold.take(*orders(0, 20), said(1, 1))
    onefold.take(said(2, 2))
    onefold.append(*orders(20, 5))
    while onefold.worker.step():
        pass
    before = asked(onefold.settings)
    _forget_profiles(onefold)
    create_files(onefold.settings)

    assert asked(onefold.settings) == before
    drain(onefold.store, open_lake(onefold.settings))
    assert asked(onefold.settings) == before
    compact(onefold.store, open_lake(onefold.settings), onefold.settings.data / "tmp", at_once=True)
    assert asked(onefold.settings) == before


def _forget_profiles(onefold: Stepped) -> None:
    """Make lake and queue what they were before events said whose they are."""
    directory = onefold.lake.directory
    batch, files = onefold.lake.snapshot("events")
    rows = ds.dataset(files).to_table().drop_columns(["profile_id"])
    for name in ("events", "moves"):
        shutil.rmtree(directory / name)
    done = CommitProperties(app_transactions=[Transaction("onefold", batch)])
    write_deltalake(str(directory / "events"), rows, commit_properties=done)
    for part in onefold.store.queued_for("events"):
        old = to_ipc(from_ipc("events", [part.data]).drop_columns(["profile_id"]))
        with onefold.store.db.transaction() as connection:
            connection.execute(
                "update lake_queue set data = ? where batch = ? and name = 'events'",
                (old, part.batch),
            )
    with onefold.store.db.transaction() as connection:
        connection.execute("delete from lake_queue where name = 'moves'")
    onefold.lake = open_lake(onefold.settings)


_COMPACTS = """
import sys
from pathlib import Path
from onefold.app.lake.compaction import compact
from onefold.app.workspace import open_lake, open_store
from onefold.config import Settings
settings = Settings(data=Path(sys.argv[1]), min_free_disk=0)
with open_store(settings) as store:
    while True:
        print("goes", flush=True)
        compact(store, open_lake(settings), settings.data / "tmp", at_once=True)
"""


@pytest.mark.slow
def test_it_is_killed_again_and_again(onefold: Stepped) -> None:
    onefold.define(definitions())
    moment = random.Random(7).random
    for number in range(8):
        onefold.take(*orders(40 * number, 40), said(number % 5, number))
        process = subprocess.Popen(
            [sys.executable, "-c", _COMPACTS, str(onefold.settings.data)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"goes\n"
        time.sleep(0.4 * moment())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        whose, total, _ = asked(onefold.settings)
        count = 40 * (number + 1)
        assert (len(whose), total) == (count + number + 1, sum(range(count)))


def test_moves_of_a_node_from_each_profile_are_kept_while_events_are_older(
    onefold: Stepped,
) -> None:
    spill = onefold.settings.data / "tmp"
    for user in range(5):
        onefold.take({**said(user, user), "anonymousId": None})
    onefold.take(*orders(0, 20))
    compact(onefold.store, onefold.lake, spill, at_once=True)
    onefold.take(*({**said(4, 10 + n), "anonymousId": f"m-{n}"} for n in range(2)))
    for user in (4, 3, 2, 1):
        # The older profile takes the other over, with all that came to it before.
        onefold.take({"type": "alias", "previousId": f"u{user}", "userId": f"u{user - 1}"})
    moved, before = moves(onefold), asked(onefold.settings)
    assert len(moved) > len({node for node, _ in moved})

    compact(onefold.store, onefold.lake, spill, at_once=True)

    assert sorted(moves(onefold)) == sorted(set(moved))
    assert asked(onefold.settings) == before
    onefold.take(said(1, 20), *orders(20, 5))
    before = asked(onefold.settings)
    # For the new columns every event is written again, with the profile that it is of now.
    onefold.define(definitions())
    compact(onefold.store, onefold.lake, spill, at_once=True)
    onefold.take({"type": "alias", "previousId": "m-2", "userId": "u0", "messageId": "last"})
    compact(onefold.store, onefold.lake, spill, at_once=True)
    assert len(moves(onefold)) < len(set(moved))
    after = asked(onefold.settings)
    assert after[0].keys() - before[0].keys() == {"last"}
    assert len(set(after[0].values())) <= len(set(before[0].values()))


def moves(onefold: Stepped) -> list[tuple[bytes, int]]:
    """The nodes that the table of moves names, as often as it does, and what they left."""
    engine = DuckEngine()
    try:
        add_views(engine, tables_now(onefold.store, onefold.lake))
        return list(engine.rows("moves", "select node, left_id from all_moves", {}))
    finally:
        engine.close()
