import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.store import BatchWrite, SQLiteStore

DAY = 20_000
LIVE = DAY * 1_440 + 7


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    yield store
    store.close()


def keys(draw: random.Random, count: int) -> list[tuple[int, int]]:
    """Of events without a time, of long ago, and of now."""
    minutes = [draw.choice((0, 0, draw.randrange(LIVE), LIVE)) for _ in range(count)]
    return sorted({(one, draw.randrange(-(1 << 63), 1 << 63)) for one in minutes})


def put(store: SQLiteStore, seen: list[tuple[int, int]], day: int = DAY) -> None:
    rows = [(*one, day) for one in seen]
    store.write(BatchWrite(store.batch() + 1, seen=rows, counters={"events": len(seen)}))


def test_what_was_processed_is_known_however_old_its_time_is(store: SQLiteStore) -> None:
    draw = random.Random(8)
    known: list[tuple[int, int]] = []
    for _ in range(30):
        new = keys(draw, 500)
        assert store.seen([*known, *new]) == set(known)
        put(store, new)
        put(store, draw.sample(known, min(50, len(known))))
        known += new
    assert store.seen(known) == set(known)
    for table in ("seen", "fresh_seen"):
        assert store.db.one(f"select count(*) from {table}") > 100


def test_what_is_taken_back_may_come_again(store: SQLiteStore) -> None:
    draw = random.Random(10)
    known = keys(draw, 9_000)
    put(store, known)
    taken = draw.sample(known, 4_000)
    store.unsee(taken)
    assert store.seen(known) == set(known) - set(taken)


def test_what_may_not_come_again_is_forgotten_wherever_it_is(store: SQLiteStore) -> None:
    draw = random.Random(9)
    early, late = keys(draw, 9_000), keys(draw, 9_000)
    put(store, early)
    put(store, late, DAY + 5)
    while store.forget_seen(LIVE, DAY + 1, 1_000) == 1_000:
        pass
    # Of the minute that is not over nothing goes yet.
    stay = {one for one in early if one[0] == LIVE} | set(late)
    assert store.seen([*early, *late]) == stay
