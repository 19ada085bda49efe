"""A workspace with N known users, made directly: what their `identify` calls would have left.

Folding millions of calls only to begin would take longer than what is to be measured. The rows
are those of the pipeline; `python -m bench.known` proves it on a small number.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from onefold.app.access import NewWorkspace, make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.profiles.finding import profile
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake import complete, to_table
from onefold.lake.delta import DeltaLake
from onefold.model.profile import (
    WITH_USER,
    Node,
    NodeId,
    Profile,
    ProfileId,
    Statement,
    encode_profile,
    profile_name,
)
from onefold.model.records import Accepted, Identifier
from onefold.pipeline import Pipeline
from onefold.resolve import node_id
from onefold.standardize import standardize
from onefold.store import BatchWrite, SQLiteStore
from onefold.testing.load import user_profiles
from onefold.testing.shop import definitions
from onefold.testing.shop.people import person

DAY = 86_400_000_000
CHUNK = 50_000
SOURCE = "default"


def settings_for(directory: Path, **more: object) -> Settings:
    """The settings of a bench's workspace."""
    return Settings(data=directory, min_free_disk=1 << 30, timezone="Asia/Shanghai", **more)  # type: ignore[arg-type]


def make(settings: Settings, users: int, *, hook: str = "", told: bool = True) -> NewWorkspace:
    """A workspace with the demo's ten segments and so many known users; its lake is `told` of them."""
    keys = make_workspace(settings)
    assert keys is not None, "a bench starts with an empty directory"
    with open_store(settings, cache_mb=512) as store:
        put(store, read_text(definitions() + hook), "bench")
        add_users(store, users, now_us() - DAY, open_lake(settings) if told else None)
    return keys


def add_users(store: SQLiteStore, users: int, at: int, lake: DeltaLake | None = None) -> None:
    """Users 0 to N as if each had said who they are at a moment.

    With a lake that knows them too: else questions to everybody find that it and the store disagree.
    """
    key, new_id = node_key(store), id_maker()
    homes: list[tuple[NodeId, ProfileId]] = []
    for start in range(0, users, CHUNK):
        rows, told = [], []
        for one in _profiles(range(start, min(start + CHUNK, users)), key, new_id, at):
            homes.extend((node.id, one.id) for node in one.nodes)
            rows.append((one.id, one.due, encode_profile(one)))
            if lake is not None:
                told.append(_lake_row(one, at))
        if lake is not None:
            _tell(lake, told)
        store.write(BatchWrite(store.batch(), new_profiles=rows))
        store.db.checkpoint()
    # In the order of the tree they go into: millions of random places would take far longer.
    homes.sort()
    for start in range(0, len(homes), 10 * CHUNK):
        store.write(BatchWrite(store.batch(), identifiers=homes[start : start + 10 * CHUNK]))
        store.db.checkpoint()
    store.write(BatchWrite(store.batch(), counters={"profiles": users, "identifiers": len(homes)}))


def _lake_row(one: Profile, at: int) -> tuple[Any, ...]:
    return profile_name(one.id), at, msgspec.json.encode(one.traits).decode(), None, "{}", "{}"


def _tell(lake: DeltaLake, rows: list[tuple[Any, ...]]) -> None:
    table = to_table("profiles", zip(*rows, strict=True))
    lake.append("profiles", complete("profiles", table, {"batch": [0] * len(rows)}), 0)


def _profiles(users: range, key: bytes, new_id: object, at: int) -> Iterator[Profile]:
    for user in users:
        somebody = person(1, user)
        traits = {
            "email": somebody.email,
            "name": somebody.name,
            "country": somebody.country.code,
            "city": somebody.city,
            "gender": somebody.gender,
        }
        message = f"00000000-1111-4000-8000-{user:012x}"
        statement = Statement(SOURCE, at, message, True, traits)
        nodes = [
            Node(node_id(key, Identifier(kind, value)), kind, value, at, at, events, {})
            for kind, value, events in (
                ("anonymous_id", f"a{user:015x}-web", 0),
                ("email", somebody.email.lower(), 0),
                ("user_id", f"u{user}", 1),
            )
        ]
        owner = nodes[-1]
        for other in nodes[:-1]:
            owner.links[other.id] = other.links[owner.id] = (WITH_USER, at)
        owner.statements = msgspec.Raw(msgspec.msgpack.encode([statement]))
        number = new_id()  # type: ignore[operator]
        yield Profile(number, [(number, nodes[0].id)], nodes, dict(sorted(traits.items())), {})


def check(users: int = 200) -> None:
    """Are the profiles made here those that the pipeline makes?"""
    at = now_us() // 1000 * 1000 - DAY
    with tempfile.TemporaryDirectory() as folder:
        seen = []
        for name in ("made", "folded"):
            settings = settings_for(Path(folder) / name)
            make_workspace(settings)
            with open_store(settings) as store:
                if name == "made":
                    add_users(store, users, at)
                else:
                    calls = [
                        Accepted(SOURCE, at, "identify", body)
                        for body in user_profiles(range(users), at)
                    ]
                    engine = DuckEngine()
                    pipeline = Pipeline(store, engine, node_key(store), id_maker(), "UTC")
                    pipeline.fold(*standardize(calls, {}), {}, at)
            seen.append(
                [
                    msgspec.structs.replace(profile(settings, f"user_id:u{user}"), id="")
                    for user in range(users)
                ]
            )
    assert seen[0] == seen[1], "made and folded profiles differ"
    sys.stdout.write(f"{users} made profiles are those that the pipeline folds\n")


if __name__ == "__main__":
    check()
