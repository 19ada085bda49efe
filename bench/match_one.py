"""One record against all: candidates, weights, clusters and the write, against an index of many.

    python -m bench.match_one build FOLDER --rows 1000000
    python -m bench.match_one measure FOLDER

`build` makes people, learns a model on a part of them and fills a store. `measure` takes records
that are not in it, a part of them about somebody who is: first asked for as `match candidates` does,
then folded in as events, one batch each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pyarrow as pa

from onefold.app.access import make_workspace
from onefold.app.in_force import load_definitions
from onefold.app.matching import steps, training
from onefold.app.matching.asking import find
from onefold.app.matching.models import match_add, match_use
from onefold.app.people.tables import standardize_table
from onefold.app.workspace import id_maker, node_key, now_us, open_store
from onefold.config import Settings
from onefold.engine.duck import DuckEngine
from onefold.model.matching import MatchModel, encode_model
from onefold.model.person import COLUMNS, Person
from onefold.model.profile import Node, Profile, Statement, encode_profile
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.resolve import node_id
from onefold.resolve.matching.pairwise import encode_record, matcher_of
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.roles import Layout
from onefold.store import BatchWrite, MatchRecord, MatchWrite, SQLiteStore
from onefold.testing.people import make_people

_PAGE = 50_000
_LEARNED = 100_000
_ASKED = 2_000
_NOBODY = ("entity_id", "household_id", "record_id")


def build(folder: Path, rows: int) -> None:
    """Fill a store with people, and put a model in force."""
    settings = Settings(data=folder, min_free_disk=0)
    make_workspace(settings)
    table = make_people(rows + _ASKED, seed=21)
    roles = _roles(table)
    engine = DuckEngine(threads=2, memory_mb=6000)
    engine.keep("file", "SELECT * FROM given", {"given": table.slice(0, rows)})
    standardize_table(engine, "file", Layout(roles))
    engine.forget("file")
    people = engine.arrow("people", "SELECT * FROM people ORDER BY record_id")
    model = _model(people.slice(0, _LEARNED))
    match_use(settings, match_add(settings, encode_model(model)).version)
    with open_store(settings) as store:
        store.set_setting("match_filled", b"by the bench")
        for first in range(0, rows, _PAGE):
            page = people.slice(first, _PAGE)
            _fill(store, model, page, table.slice(first, len(page)), first)
            print(f"{first + _PAGE:,} records", flush=True)
        _divide(store)
        store.db.checkpoint()


def _divide(store: SQLiteStore) -> None:
    pipeline, engine = _pipeline(store)
    began, after, done = time.perf_counter(), 0, 0
    while page := store.matches.numbers(after, 1_000):
        pipeline.divide_index(page)
        after, done = page[-1], done + len(page)
    print(f"what many share of {done:,} records divided in {time.perf_counter() - began:.0f} s")
    engine.close()


def _pipeline(store: SQLiteStore) -> tuple[Pipeline, DuckEngine]:
    engine = DuckEngine(threads=1, memory_mb=512, optimizer=False)
    pipeline = Pipeline(store, engine, node_key(store), id_maker(store.newest_id()), "UTC")
    definitions, sources = load_definitions(store)
    pipeline.use(msgspec.structs.replace(definitions, destinations=()), sources)
    return pipeline, engine


def _roles(table: pa.Table) -> dict[str, str]:
    guesses = recognize(table.slice(0, 500).to_pydict())
    roles = {name: one.role for name, one in guesses.items()}
    return roles | dict.fromkeys(_NOBODY, "ignore")


def _model(people: pa.Table) -> MatchModel:
    engine = DuckEngine(threads=2, memory_mb=4000)
    try:
        engine.keep("people", "SELECT * FROM given", {"given": people})
        plan = steps.prepare(engine)
        steps.block(engine, plan)
        steps.compare(engine, plan)
        return training.learn(engine, plan)
    finally:
        engine.close()


def _fill(
    store: SQLiteStore, model: MatchModel, people: pa.Table, given: pa.Table, first: int
) -> None:
    matcher, key, now = matcher_of(model), node_key(store), now_us()
    batch = BatchWrite(store.batch() + 1, matches=MatchWrite())
    assert batch.matches is not None
    rows = zip(people.to_pylist(), map(_claimed, given.to_pylist()), strict=True)
    for number, (row, traits) in enumerate(rows, start=first + 1):
        person = msgspec.convert({name: row[name] for name in COLUMNS}, Person)
        identifier = Identifier("crm_id", f"n{number}")
        node = node_id(key, identifier)
        said = Statement(row["source"] or "", now, f"m{number}", True, traits)
        one = Node(node, *identifier, now, now, 1, {}, msgspec.Raw(encode_profile([said])))
        profile = Profile(number, [(number, node)], [one], {}, {})
        batch.new_profiles.append((number, 0, encode_profile(profile)))
        batch.identifiers.append((node, number))
        batch.matches.records.append(
            MatchRecord(number, node, encode_record(person, row["source"] or ""))
        )
        batch.matches.added += [(key, number) for key in matcher.blocks(person).keys]
    batch.identifiers.sort()
    store.write(batch)


def measure(folder: Path, count: int) -> None:
    """Ask for candidates of records, then fold the same records in as events."""
    settings = Settings(data=folder, min_free_disk=0)
    with open_store(settings) as store:
        use = load_definitions(store)[0].matching
        assert use is not None
        rows = store.matches.count()
        asked = list(islice(_asked(rows), count))
        print(f"{rows:,} records; {count:,} asked, model {use.model.version}")
        times, found = [], 0
        for one in asked:
            began = time.perf_counter()
            items = find(store, use, one, 20)
            times.append(time.perf_counter() - began)
            found += bool(items)
        _tell("candidates", times)
        print(f"  {found:,} have some")
        pipeline, engine = _pipeline(store)
        whole, match = [], []
        for number, one in enumerate(asked):
            now = now_us()
            identifier = Identifier("crm_id", f"new{now}-{number}")
            event = Event(
                "bench", "identify", "identify", now, now, f"m{now}-{number}", (identifier,), (),
                one, True, "{}", "{}", now // 60_000_000,
            )  # fmt: skip
            began = time.perf_counter()
            report = pipeline.fold([event], [], {}, now)
            whole.append(time.perf_counter() - began)
            match.append(report.seconds["match"])
        _tell("an event, all of it", whole)
        _tell("  of that, matching", match)
        merges = store.counters().get("merges", 0)
        print(f"  {merges:,} merges")
        pages = [store.profile_ids(first * rows // 10, 200) for first in range(10)]
        began = time.perf_counter()
        for page in pages:
            pipeline.match(page, now_us())
        took = (time.perf_counter() - began) / sum(map(len, pages))
        print(f"matching everybody: {1e3 * took:.2f} ms a profile")
        engine.close()


def _asked(rows: int) -> Iterator[dict[str, object]]:
    table = make_people(rows + _ASKED, seed=21).slice(rows)
    yield from map(_claimed, table.to_pylist())


def _claimed(row: dict[str, object]) -> dict[str, object]:
    return {k: v for k, v in row.items() if v is not None and k not in (*_NOBODY, "source")}


def _tell(what: str, times: list[float]) -> None:
    ordered = sorted(times)
    shown = (
        f"{name} {ordered[int(share * (len(ordered) - 1))] * 1000:.2f}"
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    )
    print(f"{what}: {', '.join(shown)} ms")


def main() -> None:
    """Build, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--count", type=int, default=1_000)
    given = parser.parse_args()
    if given.what == "build":
        build(given.folder, given.rows)
    else:
        measure(given.folder, given.count)


if __name__ == "__main__":
    main()
