"""The key index in the store, and the models beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.store import BatchWrite, MatchRecord, MatchWrite, SQLiteStore, StoredModel

ANN, BOB = MatchRecord(1, b"a" * 16, b"ann"), MatchRecord(2, b"b" * 16, b"bob")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    yield store
    store.close()


def write(store: SQLiteStore, change: MatchWrite) -> None:
    store.write(BatchWrite(store.batch() + 1, matches=change))


def test_who_shares_a_key_is_found_so_many_at_most(store: SQLiteStore) -> None:
    write(store, MatchWrite([ANN, BOB], added=[(7, 1), (7, 2), (-8, 2)]))
    assert store.matches.sharing(7, 10) == [1, 2]
    assert store.matches.sharing(7, 1) == [1]
    assert store.matches.sharing(-8, 10) == [2]
    assert store.matches.of_nodes([BOB.node, b"c" * 16]) == [BOB]
    assert store.matches.records([1, 2, 3]) == [ANN, BOB]
    assert store.matches.newest() == 2


def test_a_record_changes_and_goes(store: SQLiteStore) -> None:
    write(store, MatchWrite([ANN, BOB], added=[(7, 1), (7, 2)]))
    other = ANN._replace(record=b"anne")
    write(store, MatchWrite([other], removed=[(7, 1)], added=[(9, 1)]))
    assert (store.matches.sharing(7, 10), store.matches.sharing(9, 10)) == ([2], [1])
    assert store.matches.records([1]) == [other]
    write(store, MatchWrite(gone=[1], removed=[(9, 1)]))
    assert (store.matches.records([1]), store.matches.sharing(9, 10)) == ([], [])
    store.matches.clear()
    assert (store.matches.newest(), store.matches.sharing(7, 10)) == (0, [])


def test_models_are_kept_by_their_version(store: SQLiteStore) -> None:
    first, second = (StoredModel(name, b"{}", at, "eve") for name, at in (("v1", 1), ("v2", 2)))
    for one in (first, second, first._replace(created_at=9)):
        store.matches.add_model(one)
    assert store.matches.models() == [second, first]
    assert (store.matches.model("v1"), store.matches.model("v3")) == (first, None)
