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
from onefold.model.given import ACCOUNTS, INTERNAL, is_reserved
from onefold.model.profile import NodeId, ProfileId
from onefold.model.records import Event, Identifier, Reject, decode_accepted
from onefold.model.sources import Source
from onefold.pipeline.accounts import GroupCall, group_call
from onefold.pipeline.increments import Increments
from onefold.pipeline.rows import event_row
from onefold.pipeline.visits import Moment, Visit, visit_of
from onefold.resolve import node_id
from onefold.standardize import Writing, seen_key, standardize

SeenKey = tuple[int, int]
_LATER = ("batch", "profile_id")


class Prepared(msgspec.Struct):
    """Standardized events with what follows from them alone.

    `rows` are the events as the lake takes them but for batch and profile id: those of each visit, one
    visit after the other, then the given claims. Whole events are there only of the `telling`, those
    with traits or asserted links, and of the `claims`; `ids` are the nodes of their identifiers.
    `keys` tell repetitions apart, in their order; `repeats` were dropped already. `counted` is what the
    bucket query says of them, where that was run already. `joining` are the `group` calls.
    """

    visits: Sequence[Visit]
    telling: Sequence[Event]
    claims: Sequence[Event]
    ids: Mapping[Identifier, NodeId]
    rejects: Sequence[Reject]
    positions: Mapping[str, int]
    keys: Sequence[SeenKey]
    rows: pa.Table
    repeats: int = 0
    counted: Increments | None = None
    joining: Sequence[GroupCall] = ()

    def without(self, known: Collection[SeenKey]) -> Prepared:
        """The same without events that were seen before."""
        if not known:
            return self
        moments = _columns(self.rows, "time", "message_id", "source", "client_minute")
        fresh = [seen_key(one[2], one[1], one[3]) not in known for one in moments]
        visits, start = [], 0
        for visit in self.visits:
            end = start + visit.events
            left: list[Moment] = [one[:3] for one in compress(moments[start:end], fresh[start:end])]
            if left:
                visits.append(visit if len(left) == visit.events else visit.only(left))
            start = end
        return Prepared(
            visits,
            [one for one in self.telling if _key(one) not in known],
            [one for one in self.claims if _key(one) not in known],
            self.ids,
            self.rejects,
            self.positions,
            [one for one in self.keys if one not in known],
            self.rows.filter(pa.array(fresh)),
            self.repeats + len(fresh) - sum(fresh),
            joining=[one for one in self.joining if _key(one) not in known],
        )

    @property
    def names(self) -> set[tuple[str, str]]:
        """The names of its events and traits."""
        said = self.rows.slice(0, len(self.rows) - len(self.claims))
        found = {("event", name) for name in said.column("name").unique().to_pylist()}
        traits = {name for event in self.telling for name in event.traits}
        return found | {("trait", name) for name in traits if not is_reserved(name)}

    def homes(self, home: Mapping[NodeId, ProfileId]) -> list[ProfileId | None]:
        """The profile of each row, where each node is at `home`."""
        found: list[ProfileId | None] = []
        for visit in self.visits:
            found += [home[visit.nodes[0]]] * visit.events
        return found + [home.get(self.ids[event.identifiers[0]]) for event in self.claims]


def prepare(
    records: Sequence[LogRecord],
    sources: Mapping[str, Source],
    node_key: bytes,
    writing: Writing | None = None,
) -> Prepared:
    """Standardize records of the log, and name their nodes."""
    accepted = [decode_accepted(record.payload) for record in records]
    events, rejects = standardize(accepted, sources, writing)
    positions = {record.partition: record.next_offset for record in records}
    return prepare_events(events, rejects, positions, node_key, writing)


def prepare_events(
    events: Sequence[Event],
    rejects: Sequence[Reject],
    positions: Mapping[str, int],
    node_key: bytes,
    writing: Writing | None = None,
    *,
    unique: bool = False,
) -> Prepared:
    """The same for events that are standardized already.

    Their rows keep the identifiers that were sent; nodes are named by what `writing` makes of them. Of those that are `unique`, as the lake's are, none is taken for a repetition of another.
    """
    keys: list[SeenKey] = []
    repeats = 0
    if not unique:
        keys = [_key(event) for event in events]
        repeats = len(keys) - len(set(keys))
        if repeats:
            events = _firsts(keys, events)
            keys = list(set(keys))
        keys.sort()
    sent: dict[int, Event] = {}
    if writing:
        events, sent = _written(events, writing)
    claims = [event for event in events if event.source == INTERNAL]
    said = [event for event in events if event.source != INTERNAL] if claims else events
    telling = [event for event in said if event.traits or event.asserted]
    together: dict[tuple[Identifier, ...], list[Event]] = {}
    for event in said:
        together.setdefault(event.identifiers, []).append(event)
    nodes = _Nodes(node_key)
    ids = {one: nodes[one] for one in identifiers_of([*telling, *claims])}
    met = [
        (visit_of(some, map(nodes.__getitem__, identifiers)), some)
        for identifiers, some in together.items()
    ]
    joining = [_joining(one, visit) for visit, some in met for one in some if one.type == "group"]
    joining += [_given(one, ids) for one in claims if one.identifiers[0].kind == ACCOUNTS]
    rows = [
        event_row(event, sent.get(id(event), event), visit.nodes[0])
        for visit, some in met
        for event in some
    ]
    rows += [event_row(one, sent.get(id(one), one), ids[one.identifiers[0]]) for one in claims]
    columns = zip(*rows, strict=True)
    table = to_table("events", columns, _LATER) if rows else empty_table("events", _LATER)
    visits = [visit for visit, _ in met]
    return Prepared(
        visits, telling, claims, ids, rejects, positions, keys, table, repeats, joining=joining
    )


def _joining(event: Event, visit: Visit) -> GroupCall:
    told = event.source, event.time, event.message_id, event.client_minute, event.properties
    return group_call(visit.nodes[0], *told)


def _given(event: Event, ids: Mapping[Identifier, NodeId]) -> GroupCall:
    """What a person says of an account."""
    (account,) = event.identifiers
    told = event.source, event.time, event.message_id, event.client_minute, event.traits
    return GroupCall(ids[account], account.value, *told)


def _written(events: Sequence[Event], writing: Writing) -> tuple[list[Event], dict[int, Event]]:
    """The events as rules write their identifiers, and what was sent of those that this changed."""
    found = [writing.apply(event) for event in events]
    changed = {id(now): event for now, event in zip(found, events, strict=True) if now is not event}
    return found, changed


def _firsts(keys: Sequence[SeenKey], events: Sequence[Event]) -> list[Event]:
    """The first event of each key."""
    first: dict[SeenKey, Event] = {}
    for key, event in zip(keys, events, strict=True):
        first.setdefault(key, event)
    return list(first.values())


class _Nodes(dict[Identifier, NodeId]):
    """The nodes of identifiers, each hashed once."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, identifier: Identifier) -> NodeId:
        node = self[identifier] = node_id(self._key, identifier)
        return node


def identifiers_of(events: Iterable[Event]) -> Iterable[Identifier]:
    """All identifiers that events name, in their order."""
    for event in events:
        yield from event.identifiers
        for pair in event.asserted:
            yield from pair


def _key(event: Event | GroupCall) -> SeenKey:
    return seen_key(event.source, event.message_id, event.client_minute)


def _columns(rows: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    """Rows of some columns; times in µs."""
    found = []
    for name in names:
        column = rows.column(name)
        found.append((column.cast(pa.int64()) if name == "time" else column).to_pylist())
    return list(zip(*found, strict=True))
