"""What is kept in place of refresh tokens, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from onefold.model.errors import NotFound
from onefold.store import SQLiteStore

DAY = 86_400_000_000
SHOP = ("source", "shop", {"type": "rest"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "store.db")) as made:
        made.registry.put_definitions([SHOP, ("source", "other", {"type": "rest"})], [], 1, "test")
        yield made


def test_who_goes_back_to_the_token_before_finds_what_came_of_it_for_a_while(
    store: SQLiteStore,
) -> None:
    tokens = store.refresh_tokens
    tokens.begin(b"a", "shop", DAY)
    tokens.keep(b"a", b"a2", DAY)
    tokens.begin(b"b", "shop", 80 * DAY)
    assert tokens.begin(b"a", "shop", 90 * DAY) == (b"a2", 0)
    tokens.keep(b"a", None, 90 * DAY)
    tokens.begin(b"b", "shop", 181 * DAY)
    assert tokens.begin(b"a", "shop", 182 * DAY) == (None, 0)


def test_a_token_stays_until_the_last_source_that_is_given_it_goes(store: SQLiteStore) -> None:
    tokens = store.refresh_tokens
    for source in ("shop", "other"):
        tokens.begin(b"a", source, 1)
    tokens.keep(b"a", b"a2", 1)
    store.registry.put_definitions([], [("source", "shop")], 2, "test")
    assert tokens.begin(b"a", "other", 3) == (b"a2", 0)
    with pytest.raises(NotFound):
        tokens.begin(b"a", "shop", 3)
    store.registry.put_definitions([], [("source", "other")], 4, "test")
    assert store.db.rows("select * from refresh_tokens") == []


def test_an_answer_that_is_missing_is_known_until_one_is_kept(store: SQLiteStore) -> None:
    tokens = store.refresh_tokens
    assert tokens.begin(b"a", "shop", 1) == (None, 0)
    assert tokens.begin(b"a", "shop", 2) == (None, 1)
    tokens.unasked(b"a", 1)
    assert tokens.begin(b"a", "shop", 3) == (None, 1)
    tokens.keep(b"a", b"a2", 4)
    assert tokens.begin(b"a", "shop", 5) == (b"a2", 0)
