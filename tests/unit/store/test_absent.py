import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from onefold.model.profile import NodeId, ProfileId
from onefold.store import BatchWrite, SQLiteStore
from onefold.store.absent import Absent, Keys
from onefold.store.bloom import BloomFilter

MANY = 3_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    yield store
    store.close()


def hashes(draw: random.Random, count: int) -> list[bytes]:
    return [draw.randbytes(16) for _ in range(count)]


def batch_of(store: SQLiteStore, owned: dict[NodeId, ProfileId]) -> BatchWrite:
    number, count = store.batch() + 1, len(owned)
    return BatchWrite(number, identifiers=list(owned.items()), counters={"identifiers": count})


def test_a_filter_misses_nothing_that_it_was_given() -> None:
    draw = random.Random(1)
    made = BloomFilter(16)
    given = hashes(draw, 200_000)
    for start in range(0, len(given), 10_000):
        made.add(b"".join(given[start : start + 10_000]))
    assert all(made.may_hold(b"".join(given)))
    assert sum(made.may_hold(b"".join(hashes(draw, 100_000)))) < 100


def test_what_is_not_there_is_looked_for_once_the_filter_pays(store: SQLiteStore) -> None:
    draw = random.Random(2)
    there = dict.fromkeys(hashes(draw, 10 * MANY), 1)
    asked: list[int] = []

    def find(keys: Sequence[bytes]) -> dict[bytes, int]:
        asked.append(len(keys))
        return {one: there[one] for one in keys if one in there}

    keys = Keys(lambda: iter([list(there)]), lambda: len(there), b"".join, 16)
    absent = Absent(store.db, keys)
    known = list(there)[:10]
    for _ in range(5):
        assert absent.among([*hashes(draw, MANY), *known], find) == dict.fromkeys(known, 1)
    # An eighth of what is there was asked for in vain after the second time.
    assert asked[:2] == [MANY + 10] * 2
    assert all(10 <= one < 20 for one in asked[2:])
    assert absent.among(few := hashes(draw, 5), find) == {}
    assert asked[-1] == len(few)  # a few are looked for without


@pytest.mark.parametrize("seed", range(6))
def test_owners_are_the_same_whoever_writes(tmp_path: Path, seed: int) -> None:
    """Two connections write in turns, batches are taken back: each finds what is there."""
    draw = random.Random(seed)
    stores = [SQLiteStore(tmp_path / "store.db") for _ in range(2)]
    owners: dict[NodeId, ProfileId] = {}
    for _ in range(25):
        store = stores[draw.random() < 0.2]
        new = dict.fromkeys(hashes(draw, MANY), draw.randrange(1, 99))
        asked = [*new, *draw.sample(sorted(owners), min(len(owners), 50))]
        expected = {one: owners[one] for one in asked if one in owners}
        assert store.profiles_of(asked) == expected
        if draw.random() < 0.2:
            broken = batch_of(store, new)
            broken.positions = {"p": None}  # type: ignore[dict-item]
            with pytest.raises(sqlite3.IntegrityError):  # behind all else
                store.write(broken)
            continue
        store.write(batch_of(store, new))
        owners |= new
    for store in stores:
        assert store.profiles_of(list(owners)) == owners
        store.close()


def test_repetitions_are_known_whoever_wrote_them(tmp_path: Path) -> None:
    draw = random.Random(9)
    stores = [SQLiteStore(tmp_path / "store.db") for _ in range(2)]
    known: set[tuple[int, int]] = set()
    for turn in range(20):
        store = stores[turn % 5 == 4]
        keys = [(draw.choice((0, 30_000_000)), draw.getrandbits(64) - 2**63) for _ in range(MANY)]
        again = draw.sample(sorted(known), min(len(known), 40))
        assert store.seen([*keys, *again]) == set(again)
        seen = [(minute, digest, 20_000) for minute, digest in keys]
        store.write(BatchWrite(store.batch() + 1, seen=seen, counters={"events": MANY}))
        known.update(keys)
        store.unsee(keys[:5])
        known.difference_update(keys[:5])
    for store in stores:
        assert store.seen(sorted(known)) == known
        store.close()
