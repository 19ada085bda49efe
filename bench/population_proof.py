"""Proves that `bench.population_data` makes what Onefold makes: python -m bench.population_proof

A small lake is made directly. Its events go once more through pipeline and compaction, in the order of
their times, into another workspace. Then all that questions read must be the same in both: the rows of
the events, whose they are today, everybody's traits, and how the files are laid out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from bench.known import settings_for
from bench.population_data import END, NODE_KEY, build, define
from onefold.app.access import make_workspace
from onefold.app.lake.compaction import compact
from onefold.app.lake.relations import add_population
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.lake.writer import drain
from onefold.app.workspace import id_maker, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake import parse_file_name
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline

PEOPLE, EVENTS = 500, 8_000
_A_BATCH = 1_000
_FIELDS = (
    "source, type, name, epoch_us(time), epoch_us(received_at), message_id, identifiers, traits,"
    " strong, properties, context, client_minute"
)
_identifiers = msgspec.json.Decoder(tuple[Identifier, ...]).decode


def fold_again(made: Settings, folded: Settings) -> None:
    """The events of one workspace through the pipeline of another, and compacted."""
    make_workspace(folded)
    engine, lake = DuckEngine(), open_lake(folded)
    with open_store(folded) as store, open_store(made) as source:
        store.set_setting("node_key", NODE_KEY)
        define(store)
        add_views(engine, tables_now(source, open_lake(made)))
        rows = engine.rows("events", f"select {_FIELDS} from all_events order by time", {})
        events = [
            Event(*row[:6], _identifiers(row[6]), (), msgspec.json.decode(row[7]), *row[8:])  # type: ignore[call-arg]
            for row in rows
        ]
        pipeline = Pipeline(store, DuckEngine(), NODE_KEY, id_maker(), folded.timezone)
        for start in range(0, len(events), _A_BATCH):
            pipeline.fold(events[start : start + _A_BATCH], [], {}, END)
            drain(store, lake)
        compact(store, lake, folded.data / "tmp", at_once=True)
    engine.close()


def read(settings: Settings) -> dict[str, Any]:
    """All that questions over everybody read, without the numbers of profiles and batches."""
    engine, lake = DuckEngine(), open_lake(settings)
    with open_store(settings) as store:
        add_views(engine, tables_now(store, lake))
        add_population(engine, store, lake)
    rows = engine.rows(
        "rows", "select * exclude (batch, profile_id) from all_events order by message_id", {}
    )
    typed = engine.rows(
        "typed", "select * exclude (profile) from events_now order by message_id", {}
    )
    people = engine.rows(
        "people",
        "select list(message_id order by message_id), any_value(columns(p.* exclude (profile)))"
        " from events_now e join profiles_now p using (profile) group by profile order by 1",
        {},
    )
    files = [file for name in ("events", "profiles") for file in lake.snapshot(name)[1]]
    layout = {}
    for file in files:
        part = parse_file_name(file).part
        if part not in ("tail", "past"):
            names = pq.read_schema(file).names
            layout[part] = (names, pq.read_table(file).column("name") if "name" in names else None)
    engine.close()
    return {"events": rows, "typed": typed, "people": people, "layout": layout}


def main() -> None:
    """Make both, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        made, folded = (settings_for(Path(folder) / name) for name in ("made", "folded"))
        build(made, PEOPLE, EVENTS)
        fold_again(made, folded)
        one, other = read(made), read(folded)
    for what, found in one.items():
        assert found == other[what], f"{what} differ"
    moved = sum(len(person[0]) for person in one["people"])
    assert moved == EVENTS, f"{moved} events are somebody's, of {EVENTS}"
    sys.stdout.write(
        f"{len(one['people'])} profiles, {EVENTS} events and {len(one['layout'])} files are those that"
        " pipeline and compaction make\n"
    )


if __name__ == "__main__":
    main()
