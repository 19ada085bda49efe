"""Folding the lake's events again, on a store of its own.

A profile is a fold over events, so the same pipeline that runs live runs here: in a temporary
file for everything, in memory for one profile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from onefold.app.in_force import load_definitions
from onefold.app.lake.tables import TableNow, add_views
from onefold.app.progress import Tell, tell_nobody
from onefold.app.workspace import id_maker, node_key, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.identity import IdentityRules
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore

_EVENTS_A_BATCH = 20_000
FIELDS = (
    "source, type, name, epoch_us(time), epoch_us(received_at), message_id, identifiers, asserted,"
    " traits, strong, properties, context, client_minute"
)
"""What an event is read from the lake's table of events by."""
_identifiers = msgspec.json.Decoder(tuple[Identifier, ...]).decode
_asserted = msgspec.json.Decoder(tuple[tuple[Identifier, Identifier], ...]).decode


def fold_batches(
    settings: Settings,
    live: SQLiteStore,
    target: SQLiteStore,
    tables: dict[str, TableNow],
    last_batch: int,
    now: int,
    tell: Tell = tell_nobody,
    left_out: str = "",
) -> int:
    """Fold all events up to a batch into `target`, without those `left_out`; give how many there were."""
    query = f"select {FIELDS} from all_events where batch <= ?"  # noqa: S608 - only names
    if left_out:
        query += f" and not ({left_out})"
    return _fold(settings, live, target, tables, query, [last_batch], now, tell)


def fold_owners(
    settings: Settings,
    live: SQLiteStore,
    target: SQLiteStore,
    tables: dict[str, TableNow],
    owners: list[bytes],
    at: int,
    rules: IdentityRules,
) -> None:
    """Fold the events of some nodes, up to a time, into `target`, as if it were that time.

    Who is who is decided by these rules.
    """
    query = (
        f"select {FIELDS} from all_events"  # noqa: S608 - only names of columns
        " where owner in (select unnest(?::blob[])) and time <= make_timestamptz(?)"
    )
    _fold(settings, live, target, tables, query, [owners, at], at, rules=rules)


def _fold(
    settings: Settings,
    live: SQLiteStore,
    target: SQLiteStore,
    tables: dict[str, TableNow],
    query: str,
    values: list[Any],
    now: int,
    tell: Tell = tell_nobody,
    rules: IdentityRules | None = None,
) -> int:
    """Run the events of a query through a pipeline of its own."""
    engine = DuckEngine(threads=2, memory_mb=1024, spill=spill_path(settings))
    folding = DuckEngine()
    pipeline = Pipeline(target, folding, node_key(live), id_maker(), settings.timezone)
    definitions, sources = load_definitions(live)
    if rules is not None:
        definitions = msgspec.structs.replace(definitions, identity=rules)
    pipeline.use(msgspec.structs.replace(definitions, destinations=()), sources)
    total = 0
    try:
        add_views(engine, tables)
        expected = 0 if tell is tell_nobody else _count(engine, query, values)
        for events in event_pages(engine, query, values):
            pipeline.fold(events, [], {}, now, from_lake=True)
            total += len(events)
            tell(total, expected, "folding events")
    finally:
        engine.close()
        folding.close()
    return total


def _count(engine: DuckEngine, query: str, values: list[Any]) -> int:
    ((count,),) = engine.rows("count", f"select count(*) from ({query})", {}, values)  # noqa: S608
    return int(count)


def event_pages(engine: DuckEngine, query: str, values: list[Any]) -> Iterator[list[Event]]:
    """The events of a query that selects `FIELDS`, a page at a time."""
    for rows in engine.pages("events", query, values, _EVENTS_A_BATCH):
        yield [
            Event(  # type: ignore[call-arg]  # how many a slice of a row holds is not known
                *row[:6],
                _identifiers(row[6]),
                _asserted(row[7]),
                msgspec.json.decode(row[8]),
                *row[9:],
            )
            for row in rows
        ]
