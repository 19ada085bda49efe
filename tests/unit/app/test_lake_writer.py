import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from onefold.app.lake.writer import LakeWriter
from onefold.lake import complete, to_ipc, to_table
from onefold.lake.delta import DeltaLake
from onefold.store import BatchWrite, QueuedRows, SQLiteStore

MIB = 1 << 20


class Queue(NamedTuple):
    store: SQLiteStore
    lake: DeltaLake
    writer: LakeWriter

    def put(self, size: int) -> None:
        """A batch of one row that is about so large."""
        batch = self.store.batch() + 1
        text = random.Random(batch).randbytes(size // 2).hex()
        row: list[list[Any]] = [["a"], ["x"], ["b"], [text], [1], [1_000_000], ["web"], ["m"]]
        rows = complete("links", to_table("links", row), {"batch": [batch]})
        self.store.write(BatchWrite(batch, lake=[QueuedRows(batch, "links", 1, to_ipc(rows))]))

    @property
    def held(self) -> int:
        """The last batch in the lake; what is not there waits."""
        held = self.lake.last_batch("links")
        waiting = [one.batch for one in self.store.queued_for("links")]
        assert waiting == list(range(held + 1, self.store.batch() + 1))
        return held


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    store, lake = SQLiteStore(tmp_path / "store.db"), DeltaLake(tmp_path / "lake")
    lake.create()
    yield Queue(store, lake, LakeWriter(store, lake, 600))
    store.close()


def test_what_is_little_is_in_the_lake_after_one_look(queue: Queue) -> None:
    for batch in (1, 2, 3):
        queue.put(1_000)
        queue.writer.look()
        assert queue.held == batch


def test_while_much_comes_in_it_waits_for_one_commit(queue: Queue) -> None:
    for _ in range(3):
        queue.put(2 * MIB)
        queue.writer.look()
        assert queue.held == 0
    version, _ = queue.lake.snapshot("links")
    assert version == 0
    queue.writer.look()
    assert queue.held == 3
    assert len(queue.lake.snapshot("links")[1]) == 1


def test_what_waits_never_gets_long(queue: Queue) -> None:
    looks = 0
    while not queue.held:
        queue.put(3 * MIB)
        queue.writer.look()
        looks += 1
    assert looks == 6
