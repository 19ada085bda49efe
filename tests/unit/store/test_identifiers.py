import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.model.profile import NodeId, ProfileId
from onefold.store import AccountWrite, BatchWrite, SQLiteStore

SETTLED = "select count(*) from identifiers"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    yield store
    store.close()


def write(
    store: SQLiteStore, owned: dict[NodeId, ProfileId], forgotten: list[NodeId], count: int = 0
) -> None:
    store.write(
        BatchWrite(
            store.batch() + 1,
            identifiers=list(owned.items()),
            forgotten=forgotten,
            counters={"identifiers": count},
        )
    )


def test_owners_are_known_wherever_they_are_written(store: SQLiteStore) -> None:
    draw = random.Random(5)
    owners: dict[NodeId, ProfileId] = {}
    for batch in range(60):
        known = sorted(owners)
        moved = draw.sample(known, min(len(known), 40))
        forgotten = [node for node in draw.sample(known, min(len(known), 30)) if node not in moved]
        new = [draw.randbytes(16) for _ in range(draw.randrange(800))]
        owned = {node: draw.randrange(1, 99) for node in [*moved, *new]}
        write(store, owned, forgotten, len(new) - len(forgotten))
        owners = {node: one for node, one in (owners | owned).items() if node not in forgotten}
        asked = draw.sample(sorted(owners), min(len(owners), 300)) + forgotten + [b"?" * 16]
        found = store.profiles_of(asked)
        assert found == {node: owners[node] for node in asked if node in owners}, batch
    assert store.profiles_of(list(owners)) == owners
    assert len(owners) // 4 < store.db.one(SETTLED) < len(owners)


def test_who_moves_at_the_ends_of_the_key_space_is_not_left_behind(store: SQLiteStore) -> None:
    ends = {bytes(16): 1, b"\xff" * 16: 2, b"\x00" * 15 + b"\x01": 3, b"\xff" * 15 + b"\xfe": 4}
    write(store, ends, [], len(ends))
    draw = random.Random(6)
    for _ in range(40):
        write(store, {draw.randbytes(16): 9 for _ in range(1_024)}, [], 1_024)
    settled = dict(store.db.rows("select node, profile from identifiers"))
    assert ends.items() <= settled.items()


def test_members_of_an_account_are_known_wherever_their_identifiers_are(store: SQLiteStore) -> None:
    draw = random.Random(7)
    nodes = [draw.randbytes(16) for _ in range(3_000)]
    unknown = draw.randbytes(16)
    owned = {node: number // 2 + 1 for number, node in enumerate(nodes)}
    write(store, owned, [], 900)
    members = AccountWrite(members=[(node, ["acme"]) for node in [*nodes, unknown]])
    store.write(BatchWrite(store.batch() + 1, accounts=members))
    write(store, dict.fromkeys(nodes[:10], 7_000), [])
    owned |= dict.fromkeys(nodes[:10], 7_000)
    assert 0 < store.db.one(SETTLED) < len(nodes)
    found = store.accounts.members("acme", b"", 10_000)
    assert [tuple(one) for one in found] == sorted(owned.items())
    assert store.accounts.sizes(["acme"]) == {"acme": len(set(owned.values()))}
