"""People who may be new, made ready before it is known whether they are.

A batch is prepared without the store, often by another process (`prepare`). Most rows of an import tell of
somebody whom nobody knew: one `identify`, whose identifiers nothing else of the batch names, and about whom
the rules leave nothing to decide. What will be written of such a person depends on the store in one thing only:
that it knows none of these identifiers. So it is made there, as bytes and columns. Who folds the batch
asks the store, and admits those who are new as they are; all others go the general way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, compress
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from onefold.model.definitions import Definitions
from onefold.model.identity import IdentityRules
from onefold.model.profile import (
    NodeId,
    Profile,
    ProfileId,
    Statement,
    encode_apart,
    encode_profile,
    nodes_apart,
    put_together,
)
from onefold.model.records import Event, Identifier
from onefold.model.sources import Source
from onefold.pipeline.first_rows import Firsts, Told
from onefold.pipeline.golden_rules import golden_inputs, golden_rules
from onefold.pipeline.visits import Visit, nodes_of, visit_of
from onefold.resolve import Newcomers, rank_of

Met = tuple[tuple[NodeId, ...], list[Event]]
"""The nodes of some identifiers, and the events that carry them."""
_json = msgspec.json.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_SAID = (
    *("source", "name", "time", "received_at", "message_id"),
    *("traits", "strong", "client_minute"),
)
_each_traits = msgspec.msgpack.Decoder(list[dict[str, Any]]).decode


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
    document's `bodies` and `traits`, these as JSON (`texts`), and how many. Of each identifier,
    one person after the other: node, kind and value. `names` are the traits that any has.
    """

    counts: list[int]
    places: list[int]
    ranks: list[int]
    bodies: list[bytes]
    traits: list[msgspec.Raw]
    texts: list[str]
    sizes: list[int]
    nodes: list[NodeId]
    kinds: list[str]
    values: list[str]
    names: list[str]

    def __len__(self) -> int:
        return len(self.counts)

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
            of(self.texts),
            of(self.sizes),
            of(self.nodes, each),
            of(self.kinds, each),
            of(self.values, each),
            self.names,
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
        head = b"\xdd" + len(self.traits).to_bytes(4, "big")  # msgpack: an array of so many
        people = [
            Profile(new_id(), [], [], traits, {})
            for traits in _each_traits(b"".join([head, *map(bytes, self.traits)]))
        ]
        if whole:
            for one, body in zip(people, self.bodies, strict=True):
                root, one.nodes = nodes_apart(body)
                one.names = [(one.id, root)]
        return people

    def firsts(self, events: pa.Table) -> Firsts:
        """Their history, where these are their events as rows of the lake."""
        rows = events.slice(0, len(self)).combine_chunks()
        times, messages, sources = (
            rows.column(name).combine_chunks() for name in ("time", "message_id", "source")
        )
        counts = np.array(self.counts, np.int64)
        seen = times.take(pa.array(np.repeat(np.arange(len(counts)), counts)))
        whom = pa.array(np.flatnonzero(self.sizes))
        names: list[str | None] = [None] * len(self)
        texts = self.texts
        for at in [at for at, size in enumerate(self.sizes) if size == 1]:
            (traits,) = _each_traits(b"\x91" + bytes(self.traits[at]))
            [(names[at], value)] = traits.items()
            texts = texts if texts is not self.texts else list(texts)
            texts[at] = _json(value).decode()
        told = (pa.array(column, pa.string()) for column in (names, texts, sources, messages))
        sizes = [size for size in self.sizes if size]
        return Firsts(
            counts,
            self.places,
            self.ranks,
            times,
            messages,
            sources,
            pa.array(self.kinds, pa.string()),
            pa.array(self.values, pa.string()),
            seen,
            Told(whom, sizes, *(column.take(whom) for column in told)),
        )

    def documents(self, people: Iterable[Profile]) -> list[bytes]:
        """The documents of these people, made of them in this order."""
        return list(map(put_together, people, self.bodies, self.traits))


def arrivals_of(
    met: Sequence[Met], by: Arriving, named: AbstractSet[NodeId]
) -> tuple[Arrivals, list[Event], list[Met]]:
    """Make those ready who may be new, if nothing else names them (`named`); gives them, their events
    in the same order, and what else was met.
    """
    counted = Counter(chain.from_iterable([nodes for nodes, _ in met]))
    shared = named | {node for node, count in counted.items() if count > 1}
    plain, hold = Newcomers(by.rules), by.rules.protection.hold
    made = Arrivals([], [], [], [], [], [], [], [], [], [], [])
    taken: list[Event] = []
    left: list[Met] = []
    names: set[str] = set()
    for one in met:
        ids, some = one
        event = some[0]
        traits = event.traits
        if (
            len(some) > 1
            or event.type != "identify"
            or event.source in by.echoing
            or hold in traits
            or not shared.isdisjoint(ids)
        ):
            left.append(one)
            continue
        identifiers = event.identifiers
        shape = plain.shape(identifiers, len(ids) - 1)
        # The only claims of somebody are the golden record.
        golden = {name: traits[name] for name in sorted(traits)}
        text = _json(golden).decode()
        if shape is None or not event.strong or '"$' in text or None in golden.values():
            left.append(one)
            continue
        taken.append(event)
        names.update(golden)
        rank, time = rank_of(identifiers), event.time
        nodes = nodes_of(list(zip(ids, identifiers, strict=True)), rank, time, time, 1)
        if traits:
            said = Statement(event.source, time, event.message_id, True, traits)
            nodes[0].statements = msgspec.Raw(_encode([said]))
        ordered = [nodes[at] for at in shape.order]
        made.counts.append(len(ordered))
        made.places.append(shape.owner)
        made.ranks.append(rank)
        made.bodies.append(encode_apart(nodes[shape.root].id, ordered))
        made.traits.append(msgspec.Raw(encode_profile(golden)))
        made.texts.append(text)
        made.sizes.append(len(golden))
        for node in ordered:
            made.nodes.append(node.id)
            made.kinds.append(node.kind)
            made.values.append(node.value)
    made.names = sorted(names)
    return made, taken, left
