"""The part of a batch that needs no store: a pure function of the log's records.

So it can run beside the rest, in another process, one batch ahead of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, compress
from typing import Any

import msgspec
import pyarrow as pa

from onefold.eventlog import LogRecord
from onefold.lake import empty_table, to_table
from onefold.model.given import ACCOUNTS, INTERNAL, is_reserved
from onefold.model.loads import LoadCount, load_in
from onefold.model.mapping import RECORDS
from onefold.model.plans import Violation
from onefold.model.profile import NodeId, ProfileId
from onefold.model.records import Event, Identifier, Reject, decode_accepted
from onefold.pipeline.accounts import GroupCall, group_call
from onefold.pipeline.arrivals import Arrivals, Arriving, arrivals_of
from onefold.pipeline.increments import Increments
from onefold.pipeline.rows import event_row
from onefold.pipeline.visits import Moment, Visit, visit_of
from onefold.resolve import node_ids
from onefold.standardize import Wording, Writing, nameless_in, seen_key

SeenKey = tuple[int, int]
_LATER = ("batch", "profile_id")
_json = msgspec.json.Encoder().encode


class Prepared(msgspec.Struct):
    """Standardized events with what follows from them alone.

    `arrivals` are people who may be new, made ready, and no others' visits are among the `visits`.
    `rows` are the events as the lake takes them but for batch and profile id: those of the arrivals, those
    of each visit, one visit after the other, then the given claims. Whole events are there only of the `telling`, those
    with traits or asserted links, and of the `claims`; `ids` are the nodes of their identifiers.
    `keys` tell repetitions apart, in their order; `repeats` were dropped already. `counted` is what the
    bucket query says of them, where that was run already. `joining` are the `group` calls. `violations` tell which
    events break a tracking plan. `loads` count the events of each load, `echoes` what was told back to us
    and left out.
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
    violations: Sequence[Violation] = ()
    loads: Sequence[LoadCount] = ()
    echoes: int = 0
    arrivals: Arrivals | None = None

    def admitting(self, wanted: Sequence[bool]) -> Prepared:
        """The same where only those of the arrivals are such that are wanted; all others are visits."""
        arrivals = self.arrivals
        if arrivals is None or all(wanted):
            return self
        left = [not one for one in wanted]
        first, rest = self.rows.slice(0, len(arrivals)), self.rows.slice(len(arrivals))
        met, ids = arrivals.met(left, first)
        parts = [first.filter(pa.array(wanted)), first.filter(pa.array(left)), rest]
        return msgspec.structs.replace(
            self,
            arrivals=arrivals.only(wanted) if any(wanted) else None,
            rows=pa.concat_tables(parts),
            visits=[*(visit for visit, _ in met), *self.visits],
            telling=[*(event for _, event in met if event.traits), *self.telling],
            ids={**self.ids, **ids},
        )

    def apart(self) -> Prepared:
        """The same without arrivals: as visits."""
        return self.admitting([False] * len(self.arrivals or ()))

    def without(self, known: Collection[SeenKey]) -> Prepared:
        """The same without events that were seen before."""
        if not known:
            return self
        if self.arrivals is not None:
            return self.apart().without(known)
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
            [one for one in self.telling if key_of(one) not in known],
            [one for one in self.claims if key_of(one) not in known],
            self.ids,
            self.rejects,
            self.positions,
            [one for one in self.keys if one not in known],
            self.rows.filter(pa.array(fresh)),
            self.repeats + len(fresh) - sum(fresh),
            joining=[one for one in self.joining if key_of(one) not in known],
            violations=[one for one in self.violations if one.key not in known],
            loads=self._loads(fresh),
            echoes=self.echoes,
        )

    def _loads(self, fresh: Sequence[bool]) -> list[LoadCount]:
        """What loads have, where only these rows are fresh."""
        if not self.loads:
            return []
        old = self.rows.select(["source", "context"]).filter(pa.array([not one for one in fresh]))
        columns = [old.column(name).to_pylist() for name in ("source", "context")]
        gone = Counter((source, load_in(text)) for source, text in zip(*columns, strict=True))
        return [
            one._replace(events=one.events - repeats, repeats=one.repeats + repeats)
            for one in self.loads
            for repeats in (gone[one.source, one.load],)
        ]

    def telling_only(self, left: Mapping[SeenKey, dict[str, Any]]) -> Prepared:
        """The same, where these events tell only the traits that are `left`; those that say nothing
        more are gone. They stay among the `keys`: told again, they are repetitions.
        """
        gone = {
            key_of(one)
            for one in self.telling
            if one.type == "identify" and left.get(key_of(one)) == {}
        }
        told = self.without(gone)
        moments = _columns(told.rows, "time", "message_id", "source", "client_minute")
        keys = [seen_key(one[2], one[1], one[3]) for one in moments]
        texts = [
            _json(left[key]).decode() if key in left else text
            for key, text in zip(keys, told.rows.column("traits").to_pylist(), strict=True)
        ]
        place = told.rows.schema.get_field_index("traits")
        field = told.rows.schema.field(place)
        told.rows = told.rows.set_column(place, field, pa.array(texts, field.type))
        events = [
            msgspec.structs.replace(one, traits=left[key_of(one)]) if key_of(one) in left else one
            for one in told.telling
        ]
        told.telling = [one for one in events if one.traits or one.asserted]
        told.keys, told.repeats = self.keys, self.repeats
        told.echoes = self.echoes + len(gone)
        return told

    @property
    def names(self) -> set[tuple[str, str]]:
        """The names of its events and traits."""
        said = self.rows.slice(0, len(self.rows) - len(self.claims))
        found = {("event", name) for name in said.column("name").unique().to_pylist()}
        traits = {name for event in self.telling for name in event.traits}
        traits.update(self.arrivals.names if self.arrivals else ())
        return found | {("trait", name) for name in traits if not is_reserved(name)}

    def homes(
        self, home: Mapping[NodeId, ProfileId], arrived: Iterable[ProfileId] = ()
    ) -> list[ProfileId | None]:
        """The profile of each row, where each node is at `home` and those `arrived` are the arrivals."""
        found: list[ProfileId | None] = list(arrived)
        for visit in self.visits:
            found += [home[visit.nodes[0]]] * visit.events
        return found + [home.get(self.ids[event.identifiers[0]]) for event in self.claims]


def prepare(
    records: Sequence[LogRecord],
    node_key: bytes,
    by: Wording,
    arriving: Arriving | None = None,
) -> Prepared:
    """Standardize records of the log, name their nodes, and make ready who may be new (`arriving`)."""
    accepted = [decode_accepted(record.payload) for record in records]
    events, rejects, violations = by.standardize(accepted)
    positions = {record.partition: record.next_offset for record in records}
    prepared = prepare_events(events, rejects, positions, node_key, by.writing, arriving)
    if any(one.kind == RECORDS for one in accepted):
        prepared.loads = _brought(events, prepared.rows)
    if by.mappings:
        prepared.echoes = by.mappings.echoes()
    prepared.violations = list(dict.fromkeys(violations))
    return prepared


def _brought(events: Sequence[Event], kept: pa.Table) -> list[LoadCount]:
    """How many events of each load there are, and how many are `kept` as rows."""
    of = [(one.source, load_in(one.context)) for one in events]
    found = Counter(of)
    fresh = found
    if len(kept) < len(events):
        columns = [kept.column(name).to_pylist() for name in ("source", "context")]
        fresh = Counter((source, load_in(text)) for source, text in zip(*columns, strict=True))
    nameless = Counter(
        (*key, kind)
        for key, one in zip(of, events, strict=True)
        if one.traits
        for kind in nameless_in(one.traits, one.identifiers)
    )
    return [
        LoadCount(
            *key,
            fresh[key],
            count - fresh[key],
            nameless[*key, "email"],
            nameless[*key, "phone"],
        )
        for key, count in found.items()
        if key[1]
    ]


def prepare_events(
    events: Sequence[Event],
    rejects: Sequence[Reject],
    positions: Mapping[str, int],
    node_key: bytes,
    writing: Writing | None = None,
    arriving: Arriving | None = None,
    *,
    unique: bool = False,
) -> Prepared:
    """The same for events that are standardized already.

    Their rows keep the identifiers that were sent; nodes are named by what `writing` makes of them. Of those that are `unique`, as the lake's are, none is taken for a repetition of another.
    """
    keys: list[SeenKey] = []
    told = len(events)
    if not unique:
        events, keys = _told_once(events)
    repeats = told - len(events)
    sent: dict[int, Event] = {}
    if writing:
        events, sent = _written(events, writing)
    claims = [event for event in events if event.source == INTERNAL]
    said = [event for event in events if event.source != INTERNAL] if claims else events
    together: dict[tuple[Identifier, ...], list[Event]] = {}
    for event in said:
        together.setdefault(event.identifiers, []).append(event)
    asserting = [event for event in said if event.asserted]
    others = list(identifiers_of([*asserting, *claims]))
    nodes = node_ids(node_key, chain(chain.from_iterable(together), others))
    named = [
        (tuple([nodes[one] for one in identifiers]), some) for identifiers, some in together.items()
    ]
    arrivals, arrived = None, list[Event]()
    if arriving is not None:
        elsewhere = {nodes[one] for one in others}
        arrivals, arrived, named = arrivals_of(named, arriving, elsewhere)
        apart = set(map(id, arrived))
        said = [event for event in said if id(event) not in apart] if apart else said
    met = [(visit_of(some, among), some) for among, some in named]
    telling = [event for event in said if event.traits or event.asserted]
    ids = {one: nodes[one] for one in identifiers_of([*telling, *claims])}
    joining = [_joining(one, visit) for visit, some in met for one in some if one.type == "group"]
    joining += [_given(one, ids) for one in claims if one.identifiers[0].kind == ACCOUNTS]
    rows = chain(
        ((event, nodes[event.identifiers[0]]) for event in arrived),
        ((event, visit.nodes[0]) for visit, some in met for event in some),
        ((event, ids[event.identifiers[0]]) for event in claims),
    )
    table = _table([event_row(one, sent.get(id(one), one), owner) for one, owner in rows])
    visits = [visit for visit, _ in met]
    prepared = Prepared(visits, telling, claims, ids, rejects, positions, keys, table, repeats)
    prepared.joining, prepared.arrivals = joining, arrivals or None
    return prepared


def _table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    if not rows:
        return empty_table("events", _LATER)
    return to_table("events", zip(*rows, strict=True), _LATER)


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


def _told_once(events: Sequence[Event]) -> tuple[Sequence[Event], list[SeenKey]]:
    """The first event of each key, and the keys in their order."""
    first: dict[SeenKey, Event] = {}
    for event in events:
        first.setdefault(key_of(event), event)
    return (events if len(first) == len(events) else list(first.values())), sorted(first)


def identifiers_of(events: Iterable[Event]) -> Iterable[Identifier]:
    """All identifiers that events name, in their order."""
    for event in events:
        yield from event.identifiers
        for pair in event.asserted:
            yield from pair


def key_of(event: Event | GroupCall) -> SeenKey:
    """What repetitions of an event have in common."""
    return seen_key(event.source, event.message_id, event.client_minute)


def _columns(rows: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    """Rows of some columns; times in µs."""
    found = []
    for name in names:
        column = rows.column(name)
        found.append((column.cast(pa.int64()) if name == "time" else column).to_pylist())
    return list(zip(*found, strict=True))
