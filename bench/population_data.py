"""A lake of N profiles and their events, made directly: what the pipeline and compaction leave.

python -m bench.population_data [--people N] [--events N] [--data DIR]

Each of the N people has said who they are, and nine in ten events are of a tenth of them. One in a
hundred used an app before signing in there, so that their events moved from one profile to another. The
lake is made once, in a directory named by its size; the same numbers give the same lake.
`bench.population_proof` shows that it is what the system makes. The store holds no profiles, and the lake no links, identifiers and changes: nothing here reads them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from bench.known import settings_for
from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.compaction import EVENTS_ORDER, PROFILES_A_GROUP, ROWS_A_GROUP
from onefold.app.lake.typed import column_name, typed_columns, wanted_fields
from onefold.app.workspace import open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake import arrow_schema
from onefold.lake.delta import DeltaLake
from onefold.model.catalogue import TABLES
from onefold.model.profile import profile_name_sql
from onefold.model.records import Accepted
from onefold.segment.metric import Field
from onefold.standardize import standardize
from onefold.store import BatchWrite, SQLiteStore
from onefold.testing.load import HOT_EVENTS, HOT_USERS, event_templates, user_profiles
from onefold.testing.shop import definitions
from onefold.testing.shop.messages import iso

DAYS = 90
DAY = 86_400_000_000
END = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""The lake ends here: what is asked is asked at this moment."""

NODE_KEY = bytes(range(32))
SOURCE = "default"
_BEGIN = END - DAYS * DAY
_SIGNED_UP = 30 * DAY
_JOINED = 15 * DAY, 75 * DAY
_PERSONAS = 50_000
_A_BATCH = 20_000
_RUN = 9
_LATER = 120_000
_DECLARED = """
---
kind: property
name: order_revenue
event: Order Completed
property: revenue
type: number
---
kind: trait
name: country
type: text
"""


class People:
    """Everybody: their nodes and the numbers of their profiles, by the number of the user."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.user = _nodes("user_id\0u%d", range(count))
        self.merged = np.arange(7, count, 100)
        self.app = _nodes("anonymous_id\0a%015x-app", self.merged)
        numbers = np.arange(count, dtype=np.int64)
        self.profile = (np.int64(190_000_000_000) + numbers) << 22 | numbers * 7919 % (1 << 22)
        self.app_profile = self.profile[self.merged] + 1
        random = np.random.Generator(np.random.PCG64(count))
        self.joined = _BEGIN + random.integers(*_JOINED, len(self.merged)) // 1000 * 1000
        self.joined_batch = np.zeros(len(self.merged), dtype=np.int64)

    def table(self) -> pa.Table:
        """Numbers and profiles."""
        numbers = np.arange(self.count, dtype=np.int64)
        return pa.table({"u": numbers, "profile_id": self.profile})


def build(settings: Settings, people: int, events: int) -> None:
    """Make a workspace with that lake."""
    make_workspace(settings)
    lake, everybody = open_lake(settings), People(people)
    with open_store(settings, cache_mb=8) as store:
        store.set_setting("node_key", NODE_KEY)
        define(store)
        fields = wanted_fields(store)
        batches = events // _A_BATCH + DAYS
        engine = DuckEngine(
            threads=os.cpu_count() or 2, memory_mb=6000, spill=settings.data / "tmp"
        )
        try:
            _add_templates(engine, people)
            _write_events(engine, lake, everybody, events, fields)
            _write_profiles(engine, lake, everybody, fields, batches)
        finally:
            engine.close()
        _write_rest(lake, everybody, batches)
        store.write(BatchWrite(batches))
        store.unqueue(batches, dict.fromkeys(TABLES, batches))


def define(store: SQLiteStore) -> None:
    """The shop's segments, and what rules over it may read fast."""
    put(store, read_text(definitions() + _DECLARED), "bench")


def _nodes(pattern: str, numbers: object) -> np.ndarray:
    joined = b"".join(
        blake2b((pattern % number).encode(), digest_size=16, key=NODE_KEY).digest()
        for number in numbers  # type: ignore[attr-defined]
    )
    return np.frombuffer(joined, dtype="V16")


def _add_templates(engine: DuckEngine, people: int) -> None:
    """What varies little, as the stage of standardization makes it."""
    time = iso(END).encode()
    bodies = [one % (0, 0, 0, number, time) for number, one in enumerate(event_templates())]
    calls = [Accepted(SOURCE, END, "track", body) for body in bodies]
    read, _ = standardize(calls, {})
    columns = ("name", "properties", "context")
    table = pa.table({"t": range(len(read)), **{c: [getattr(e, c) for e in read] for c in columns}})
    _keep(engine, "templates", table)
    bodies = [*user_profiles(range(min(people, _PERSONAS)), END)]
    read, _ = standardize([Accepted(SOURCE, END, "identify", body) for body in bodies], {})
    traits = [event.traits for event in read]
    names = ("email", "name", "country", "city", "gender")
    rows = {name: [msgspec.json.encode(one[name]).decode() for one in traits] for name in names}
    _keep(engine, "personas", pa.table({"p": range(len(traits)), **rows}))


def _keep(engine: DuckEngine, name: str, table: pa.Table) -> None:
    engine.rows(
        name, f"create or replace temp table {name} as select * from given", {"given": table}
    )


_EMAIL = "replace(email, '@', '.' || u || '@')"
_TRAITS = (
    f"'{{\"email\":' || {_EMAIL} || ',\"name\":' || p.name || ',\"country\":' || country"
    " || ',\"city\":' || city || ',\"gender\":' || gender || '}'"
)
_GOLDEN = (
    f"'{{\"city\":' || city || ',\"country\":' || country || ',\"email\":' || {_EMAIL}"
    " || ',\"gender\":' || gender || ',\"name\":' || p.name || '}'"
)
_ANONYMOUS = "printf('a%015x-web', u)"
_EVENT = f"""
    select batch, printf('%08x-%04d-4000-8000-%012x', {_RUN}, mark, n) as message_id,
        '{SOURCE}' as source, type,
        coalesce(t.name, type) as name,
        make_timestamptz(time) as time, make_timestamptz(time + {_LATER}) as received_at,
        case when not app or type = 'identify' then 'u' || u end as user_id,
        case when app then printf('a%015x-app', u) else {_ANONYMOUS} end as anonymous_id,
        case when type = 'track' and app then '[["anonymous_id","' || anonymous_id || '"]]'
            when type = 'track' or app
                then '[["user_id","u' || u || '"],["anonymous_id","' || anonymous_id || '"]]'
            else '[["user_id","u' || u || '"],["email",' || lower({_EMAIL}) || '],["anonymous_id","'
                || anonymous_id || '"]]' end as identifiers,
        '[]' as asserted,
        case when type = 'identify' and not app then {_TRAITS} else '{{}}' end as traits,
        type = 'identify' as strong,
        coalesce(t.properties, '{{}}') as properties, coalesce(t.context, '{{}}') as context,
        time // 60000000 as client_minute, owner, profile_id
    from day left join templates t using (t) left join personas p on u % {_PERSONAS} = p.p
"""


def _write_events(
    engine: DuckEngine,
    lake: DeltaLake,
    everybody: People,
    events: int,
    fields: list[Field],
) -> None:
    fields = [field for field in fields if field.root == "properties"]
    columns = [*arrow_schema("events").names, *map(column_name, fields)]
    files = []
    for day, table in _days(everybody, events):
        name = f"{datetime.fromtimestamp(day // 1_000_000, UTC):%Y%m%d}"
        # It knows nothing of the moves of this day and later, as if it had been compacted in its course.
        before = int(table["batch"][0].as_py()) - 1
        path = lake.new_path("events", name, columns, table.num_rows, before)
        engine.connection.register("day", table)
        query = f"select *{typed_columns(fields)} from ({_EVENT}) order by {EVENTS_ORDER}"
        assert engine.write(query, path, ROWS_A_GROUP) == table.num_rows
        files.append(str(path))
    engine.connection.unregister("day")
    lake.replace("events", [], files)


def _days(everybody: People, events: int) -> Iterator[tuple[int, pa.Table]]:
    """What the events of each day differ in, in the order of their times."""
    people = everybody.count
    random = np.random.Generator(np.random.PCG64(people * 1_000_003 + events))
    tracks = events - people - len(everybody.merged)
    signed_up = _BEGIN + np.sort(random.integers(0, _SIGNED_UP // 1000, people)) * 1000
    done = batches = 0
    for number in range(DAYS):
        begin = _BEGIN + number * DAY
        count = tracks * (number + 1) // DAYS - done
        part = _tracks(random, everybody, count, begin, done)
        done += count
        lo, hi = np.searchsorted(signed_up, [begin, begin + DAY])
        parts = [part, _identifies(everybody, np.arange(lo, hi), signed_up[lo:hi])]
        join = np.flatnonzero((everybody.joined >= begin) & (everybody.joined < begin + DAY))
        parts.append(_joins(everybody, join))
        table = pa.concat_tables(parts)
        order = np.argsort(table["time"].to_numpy(), kind="stable")
        batch = batches + 1 + np.arange(table.num_rows) // _A_BATCH
        batches = int(batch[-1])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        everybody.joined_batch[join] = batch[place[table.num_rows - len(join) :]]
        yield begin, table.take(pa.array(order)).append_column("batch", pa.array(batch))


def _tracks(
    random: np.random.Generator, everybody: People, count: int, begin: int, first: int
) -> pa.Table:
    people = everybody.count
    hot = max(1, int(people * HOT_USERS))
    users = np.where(
        random.random(count) < HOT_EVENTS,
        random.integers(0, hot, count) * int(1 / HOT_USERS) % people,
        random.integers(0, people, count),
    )
    times = begin + np.sort(random.integers(0, DAY // 1000, count)) * 1000
    templates = random.integers(0, len(event_templates()), count)
    app = (users % 100 == 7) & (random.random(count) < 0.5)
    place = users // 100
    apps = np.minimum(place, len(everybody.app) - 1)
    owner = np.where(app, everybody.app[apps], everybody.user[users])
    before = app & (times < everybody.joined[apps])
    profile = np.where(before, everybody.app_profile[apps], everybody.profile[users])
    return _table(users, times, templates, app, owner, profile, "track", first, 0)


def _identifies(everybody: People, users: np.ndarray, times: np.ndarray) -> pa.Table:
    nobody = np.zeros(len(users), dtype=bool)
    owner, profile = everybody.user[users], everybody.profile[users]
    return _table(users, times, users * 0 - 1, nobody, owner, profile, "identify", 0, 1111)


def _joins(everybody: People, places: np.ndarray) -> pa.Table:
    users, times = everybody.merged[places], everybody.joined[places]
    owner, profile = everybody.user[users], everybody.profile[users]
    return _table(users, times, users * 0 - 1, users >= 0, owner, profile, "identify", 0, 2222)


def _table(
    users: np.ndarray,
    times: np.ndarray,
    templates: np.ndarray,
    app: np.ndarray,
    owner: np.ndarray,
    profile: np.ndarray,
    kind: str,
    first: int,
    mark: int,
) -> pa.Table:
    counted = first + np.arange(len(users)) if kind == "track" else users
    nodes = pa.Array.from_buffers(pa.binary(16), len(owner), [None, pa.py_buffer(owner.tobytes())])
    return pa.table(
        {
            "u": users.astype(np.int64),
            "time": times.astype(np.int64),
            "t": templates.astype(np.int64),
            "app": app,
            "owner": nodes.cast(pa.binary()),
            "profile_id": profile.astype(np.int64),
            "n": counted.astype(np.int64),
            "mark": np.full(len(users), mark),
            "type": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(users), dtype=np.int8)), pa.array([kind])
            ).cast(pa.string()),
        }
    )


def _write_profiles(
    engine: DuckEngine, lake: DeltaLake, everybody: People, fields: list[Field], batches: int
) -> None:
    fields = [field for field in fields if field.root == "traits"]
    columns = [*arrow_schema("profiles").names, "profile_id", *map(column_name, fields)]
    path = lake.new_path("profiles", "now", columns, everybody.count, batches)
    engine.connection.register("people", everybody.table())
    rows = (
        f"select 1::bigint as batch, {profile_name_sql('profile_id')} as profile,"
        f" make_timestamptz({END}) as changed_at, {_GOLDEN} as traits,"
        " null::varchar as merged_into, '{}' as computed, '{}' as tags, profile_id"
        f" from people left join personas p on u % {_PERSONAS} = p.p"
    )
    query = f"select *{typed_columns(fields)} from ({rows}) order by profile_id"
    assert engine.write(query, path, PROFILES_A_GROUP) == everybody.count
    engine.connection.unregister("people")
    lake.replace("profiles", [], [str(path)])


def _write_rest(lake: DeltaLake, everybody: People, batches: int) -> None:
    """The moves; and every table knows the last batch."""
    order = np.argsort(everybody.joined_batch, kind="stable")
    app = everybody.app[order]
    nodes = pa.Array.from_buffers(pa.binary(16), len(app), [None, pa.py_buffer(app.tobytes())])
    moved = pa.table(
        {
            "batch": pa.array(everybody.joined_batch[order]),
            "node": nodes.cast(pa.binary()),
            "profile_id": pa.array(everybody.profile[everybody.merged][order]),
            "left_id": pa.array(everybody.app_profile[order]),
            "left_empty": pa.array(np.ones(len(order), dtype=bool)),
        }
    )
    for name in TABLES:
        rows = moved if name == "moves" else arrow_schema(name).empty_table()
        lake.append(name, rows, batches)


def directory_of(root: Path, people: int, events: int) -> Path:
    """Where the lake of this size lies."""
    return root / f"population-{people}-{events}"


def population(root: Path, people: int, events: int) -> Settings:
    """The lake of this size, made where it is not there yet."""
    directory = directory_of(root, people, events)
    if not directory.exists():
        root.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        making = Path(tempfile.mkdtemp(prefix="making-", dir=root))
        try:
            build(settings_for(making), people, events)
            making.rename(directory)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        size = sum(file.stat().st_size for file in directory.rglob("*.parquet")) / 1e9
        took = time.monotonic() - began
        sys.stderr.write(f"{directory}: made in {took:.0f} s, {size:.1f} GB\n")
    return settings_for(directory)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which lake, and where."""
    parser.add_argument("--people", type=int, default=10_000_000)
    parser.add_argument("--events", type=int, default=100_000_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of the people and events")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("ONEFOLD_BENCH_DATA", Path(tempfile.gettempdir()) / "onefold")),
        help="where lakes are kept from run to run (also ONEFOLD_BENCH_DATA)",
    )


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    given = parser.parse_args()
    people, events = (n // 10 if given.quick else n for n in (given.people, given.events))
    settings = population(given.data, people, events)
    print(settings.data)


if __name__ == "__main__":
    main()
