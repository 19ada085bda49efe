"""A store of an older version is brought to the new one when it is opened."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from onefold.model.profile import Belongs, Matched, decode_profile
from onefold.store import SQLiteStore

_ENCODE = msgspec.msgpack.encode
PLAIN: list[Any] = [b"p" * 16, "user_id", "ann", 1, 2, 3, {b"q" * 16: (1, 5)}]
FACTS: list[Any] = [[["crm", 1, "m", False, {"country": "CN"}]], {"m": {"d": 1}}]


def put_old(path: Path, nodes: list[list[Any]]) -> None:
    """A store of schema 8 with one profile of these nodes."""
    document = _ENCODE([7, [(7, b"p" * 16)], nodes, {"country": "CN"}, {"vip": 4}, 9])
    with closing(SQLiteStore(path)) as store:
        store.db.connection.execute(
            "insert into profiles (id, due, document) values (7, 9, ?)", (document,)
        )
        # What later versions added is not there yet.
        store.db.connection.execute("drop index accounts_until")
        store.db.connection.execute("alter table accounts drop column until")
        store.db.connection.execute("drop index rejects_of")
        store.db.connection.execute("alter table rejects drop column load")
        newer = ("loads", "source_states", "secrets", "violations", "rates", "sent_values")
        for table in (*newer, "refresh_tokens", "fresh_identifiers", "fresh_seen"):
            store.db.connection.execute(f"drop table {table}")
        store.db.connection.execute("pragma user_version = 8")


def test_what_few_identifiers_have_is_found_where_it_stands_now(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    rich = [*PLAIN, *FACTS, {"rank": (8, 0.5)}, 6, {b"q" * 16: (False, 3, "x")}]
    rich += [{b"r" * 16: (1.5, "model", True)}, b"s" * 16, {"acme": (1, 2, 0)}]
    rich += [{b"h" * 16: 0.75}, {b"h" * 16: (None, 4, "y")}]
    older = [*PLAIN, *FACTS, {}, 5, {}]
    put_old(path, [rich, older, PLAIN])
    with closing(SQLiteStore(path)) as store:
        profile = decode_profile(store.documents([7])[7])
    first, second, third = profile.nodes
    assert (profile.id, profile.traits, profile.members, profile.due) == (
        7, {"country": "CN"}, {"vip": 4}, 9,
    )  # fmt: skip
    assert (first.counted, second.counted, third.counted) == (6, 5, 0)
    assert first.more.refreshed == {"rank": (8, 0.5)}
    assert first.more.decided == {b"q" * 16: (False, 3, "x")}
    assert first.more.matched == {b"r" * 16: Matched(1.5, "model", True)}
    assert (first.more.session, first.more.accounts) == (b"s" * 16, {"acme": Belongs(1, 2, 0)})
    assert first.more.housemates == {b"h" * 16: 0.75}
    assert first.more.homes == {b"h" * 16: (None, 4, "y")}
    assert bytes(first.buckets) == _ENCODE({"m": {"d": 1}})
    assert bytes(first.statements) == _ENCODE(FACTS[0])
    assert (second.extras, third.extras) == (None, None)
