"""The part of a batch that needs no store: a pure function of the log's records.

So it can run beside the rest, in another process, one batch ahead of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

import msgspec
import pyarrow as pa

from onefold.eventlog import LogRecord
from onefold.lake import empty_table, to_table
from onefold.model.profile import NodeId
from onefold.model.records import Event, Identifier, Reject, decode_accepted
from onefold.model.sources import Source
from onefold.pipeline.rows import event_row
from onefold.resolve import node_id
from onefold.standardize import seen_key, standardize

SeenKey = tuple[int, int]
_LATER = ("batch", "profile_id")


class Prepared(msgspec.Struct):
    """Standardized events with what follows from them alone.

    `keys` tell repetitions apart, `ids` are the nodes of all identifiers, `rows` the events as the lake
    takes them but for batch and profile id: only there are their properties and context.
    `counted` are the rows of the bucket query over them, where that was run already.
    """

    events: Sequence[Event]
    rejects: Sequence[Reject]
    positions: Mapping[str, int]
    keys: Sequence[SeenKey]
    ids: Mapping[Identifier, NodeId]
    rows: pa.Table
    counted: Sequence[Sequence[Any]] | None = None

    def without(self, known: Collection[SeenKey]) -> Prepared:
        """The same without events that were seen before, or twice here."""
        if not known and len(set(self.keys)) == len(self.keys):
            return self
        seen = set(known)
        fresh = []
        for key in self.keys:
            fresh.append(key not in seen)
            seen.add(key)
        return Prepared(
            list(compress(self.events, fresh)),
            self.rejects,
            self.positions,
            list(compress(self.keys, fresh)),
            self.ids,
            self.rows.filter(pa.array(fresh)),
        )


def prepare(
    records: Sequence[LogRecord], sources: Mapping[str, Source], node_key: bytes
) -> Prepared:
    """Standardize records of the log, and name their nodes."""
    accepted = [decode_accepted(record.payload) for record in records]
    events, rejects = standardize(accepted, sources)
    positions = {record.partition: record.next_offset for record in records}
    return prepare_events(events, rejects, positions, node_key)


def prepare_events(
    events: Sequence[Event],
    rejects: Sequence[Reject],
    positions: Mapping[str, int],
    node_key: bytes,
) -> Prepared:
    """The same for events that are standardized already."""
    keys = [seen_key(event) for event in events]
    ids: dict[Identifier, NodeId] = {}
    for identifier in identifiers_of(events):
        if identifier not in ids:
            ids[identifier] = node_id(node_key, identifier)
    rows = [event_row(one, ids[one.identifiers[0]]) for one in events]
    columns = zip(*rows, strict=True)
    table = to_table("events", columns, _LATER) if rows else empty_table("events", _LATER)
    return Prepared(events, rejects, positions, keys, ids, table)


def identifiers_of(events: Iterable[Event]) -> Iterable[Identifier]:
    """All identifiers that events name, in their order."""
    for event in events:
        yield from event.identifiers
        for pair in event.asserted:
            yield from pair
