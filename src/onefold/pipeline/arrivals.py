"""People who may be new, made ready before it is known whether they are.

A batch is prepared without the store, often by another process (`prepare`). Most rows of an import tell of
somebody whom nobody knew: one `identify`, whose identifiers nothing else of the batch names, and about whom
the rules leave nothing to decide. What will be written of such a person depends on the store in one thing only:
that it knows none of these identifiers. So it is made there, as bytes and columns. Who folds the batch
asks the store, and admits those who are new as they are; all others go the general way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, compress
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from onefold.model.definitions import Definitions
from onefold.model.given import is_reserved
from onefold.model.identity import IdentityRules
from onefold.model.profile import (
    NodeId,
    Profile,
    ProfileId,
    Statement,
    encode_apart,
    nodes_apart,
)
from onefold.model.records import Event, Identifier
from onefold.model.sources import Source
from onefold.pipeline.first_rows import Firsts, Told
from onefold.pipeline.golden_rules import golden_inputs, golden_rules
from onefold.pipeline.visits import Visit, nodes_of, visit_of
from onefold.resolve import Newcomers, Shape, rank_of

Met = tuple[tuple[NodeId, ...], list[Event]]
"""The nodes of some identifiers, and the events that carry them."""
_json = msgspec.json.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_SAID = (
    *("source", "name", "time", "received_at", "message_id"),
    *("traits", "strong", "client_minute"),
)


class Arriving(NamedTuple):
    """What definitions say of who may be made ready: the identity rules, and whose events may be echoes."""

    rules: IdentityRules
    echoing: frozenset[str]


def arriving(
    definitions: Definitions, sources: Mapping[str, Source], timezone: str
) -> Arriving | None:
    """What decides who may be made ready; None where each golden record and each match must be looked at."""
    golden = golden_rules(golden_inputs(definitions, sources), timezone)
    if definitions.matching is not None or definitions.identity.sessions or not golden.plain:
        return None
    echoing = frozenset(one.name for one in definitions.sources if one.echo is not None)
    return Arriving(definitions.identity, echoing)


class Arrivals(msgspec.Struct, array_like=True, gc=False):
    """People made ready. Their events are the first rows of the batch, in this order.

    Of each: the number of identifiers, the `places` of the owner among them, the rank of its links, the
    `bodies` of the documents (`encode_apart`) and the golden `traits`. Of each identifier, one person after
    the other: node, kind and value.
    """

    counts: list[int] = []
    places: list[int] = []
    ranks: list[int] = []
    bodies: list[bytes] = []
    traits: list[dict[str, Any]] = []
    nodes: list[NodeId] = []
    kinds: list[str] = []
    values: list[str] = []

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def names(self) -> set[str]:
        """The traits that any has."""
        return set(chain.from_iterable(self.traits))

    def known_by(self, nodes: Collection[NodeId]) -> list[bool]:
        """Of each person, whether any identifier is among these."""
        found = np.fromiter((one in nodes for one in self.nodes), np.bool_, len(self.nodes))
        starts = np.cumsum([0, *self.counts[:-1]])
        known: list[bool] = np.logical_or.reduceat(found, starts).tolist()
        return known

    def only(self, wanted: Sequence[bool]) -> Arrivals:
        """The same with those who are wanted."""
        each = np.repeat(wanted, self.counts).tolist()

        def of(column: Sequence[Any], by: Sequence[bool] = wanted) -> Any:
            return list(compress(column, by))

        return Arrivals(
            of(self.counts),
            of(self.places),
            of(self.ranks),
            of(self.bodies),
            of(self.traits),
            of(self.nodes, each),
            of(self.kinds, each),
            of(self.values, each),
        )

    def met(
        self, wanted: Sequence[bool], rows: pa.Table
    ) -> tuple[list[tuple[Visit, Event]], dict[Identifier, NodeId]]:
        """Those who are wanted as all others come: visit and event of each, and the nodes of all that they
        name. `rows` are the events of all.
        """
        starts = np.cumsum([0, *self.counts]).tolist()
        columns = []
        for name in _SAID:
            column = rows.column(name)
            times = pa.types.is_timestamp(column.type)
            columns.append((column.cast(pa.int64()) if times else column).to_pylist())
        met: list[tuple[Visit, Event]] = []
        ids: dict[Identifier, NodeId] = {}
        for at, fields in compress(enumerate(zip(*columns, strict=True)), wanted):
            source, name, time, received, message, traits, strong, minute = fields
            each = list(range(starts[at], starts[at + 1]))
            each.insert(0, each.pop(self.places[at]))
            nodes = [self.nodes[one] for one in each]
            named = tuple(Identifier(self.kinds[one], self.values[one]) for one in each)
            ids.update(zip(named, nodes, strict=True))
            told = source, "identify", name, time, received, message, named, ()
            event = Event(*told, _decode(traits), strong, "", "", minute)
            met.append((visit_of([event], nodes), event))
        return met, ids

    def people(self, new_id: Callable[[], ProfileId], *, whole: bool) -> list[Profile]:
        """Profiles with what rules read of them; `whole` ones have their identifiers too."""
        people = [Profile(new_id(), [], [], traits, {}) for traits in self.traits]
        if whole:
            for one, body in zip(people, self.bodies, strict=True):
                root, one.nodes = nodes_apart(body)
                one.names = [(one.id, root)]
        return people

    def firsts(self, events: pa.Table, texts: Sequence[str]) -> Firsts:
        """Their history, where these are their events as rows of the lake, and their traits as JSON."""
        rows = events.slice(0, len(self)).combine_chunks()
        times, messages, sources = (
            rows.column(name).combine_chunks() for name in ("time", "message_id", "source")
        )
        counts = np.array(self.counts, np.int64)
        sizes = list(map(len, self.traits))
        whom = pa.array(np.flatnonzero(sizes))
        names: list[str | None] = [None] * len(self)
        told = list(texts)
        for at in [at for at, size in enumerate(sizes) if size == 1]:
            [(names[at], value)] = self.traits[at].items()
            told[at] = _json(value).decode()
        about = (pa.array(column, pa.string()) for column in (names, told, sources, messages))
        return Firsts(
            counts,
            self.places,
            self.ranks,
            times,
            messages,
            sources,
            pa.array(self.kinds, pa.string()),
            pa.array(self.values, pa.string()),
            times.take(pa.array(np.repeat(np.arange(len(counts)), counts))),
            Told(whom, [size for size in sizes if size], *(one.take(whom) for one in about)),
        )


_Likely = tuple[Met, Event, Sequence[str]]
"""Somebody who may be made ready, by an event whose traits have this order."""


class _Orders(dict[tuple[str, ...], Sequence[str] | None]):
    """The names of traits in the order of golden records; None if some are not told to everybody."""

    def __missing__(self, names: tuple[str, ...]) -> Sequence[str] | None:
        order = self[names] = None if any(map(is_reserved, names)) else sorted(names)
        return order


def arrivals_of(
    met: Sequence[Met], by: Arriving, named: AbstractSet[NodeId]
) -> tuple[Arrivals, list[Event], list[Met]]:
    """Make those ready who may be new, if nothing else names them (`named`); gives them, their events
    in the same order, and what else was met.
    """
    orders, likely = _Orders(), list[_Likely]()
    shared, hold = _shared(met) | named, by.rules.protection.hold
    left: list[Met] = []
    for one in met:
        ids, some = one
        event = some[0]
        traits = event.traits
        order = orders[tuple(traits)]
        if (
            len(some) > 1
            or event.type != "identify"
            or not event.strong
            or event.source in by.echoing
            or hold in traits
            or order is None
            or None in traits.values()
            or not shared.isdisjoint(ids)
        ):
            left.append(one)
        else:
            likely.append((one, event, order))
    shapes = Newcomers(by.rules).shapes(
        [(event.identifiers, len(ids) - 1) for (ids, _), event, _ in likely]
    )
    made, taken = Arrivals(), list[Event]()
    for (one, event, order), shape in zip(likely, shapes, strict=True):
        if shape is None:
            left.append(one)
            continue
        taken.append(event)
        _make_ready(one[0], event, order, shape, made)
    return made, taken, left


def _shared(met: Sequence[Met]) -> set[NodeId]:
    """The nodes that several name."""
    named = list(chain.from_iterable([nodes for nodes, _ in met]))
    if len(set(named)) == len(named):
        return set()
    return {node for node, count in Counter(named).items() if count > 1}


def _make_ready(
    ids: Sequence[NodeId], event: Event, order: Sequence[str], shape: Shape, made: Arrivals
) -> None:
    """Add one person to those made ready."""
    identifiers, traits, time = event.identifiers, event.traits, event.time
    rank, ordered = rank_of(identifiers), shape.ordered
    nodes = nodes_of(ids, identifiers, rank, time, time, 1)
    if traits:
        said = Statement(event.source, time, event.message_id, True, traits)
        nodes[0].statements = msgspec.Raw(_encode([said]))
    made.counts.append(len(ids))
    made.places.append(shape.owner)
    made.ranks.append(rank)
    made.bodies.append(encode_apart(ids[shape.root], ordered(nodes)))
    # The only claims of somebody are the golden record.
    made.traits.append({name: traits[name] for name in order})
    made.nodes += ordered(ids)
    for kind, value in ordered(identifiers):
        made.kinds.append(kind)
        made.values.append(value)
