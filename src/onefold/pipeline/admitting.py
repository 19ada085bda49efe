"""Who of those made ready is new after all, and what is written of them."""

from __future__ import annotations

from itertools import chain, repeat

import msgspec

from onefold.model.profile import put_together
from onefold.pipeline.newcomers import Concerned
from onefold.pipeline.prepare import Prepared
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.store import BatchWrite

_json = msgspec.json.Encoder().encode


def admit(
    given: Prepared, working: Working, concerned: Concerned | None, *, whole: bool
) -> Prepared:
    """Admit those of the arrivals whom nobody knows and of whom nothing more is said (`concerned`); the
    others become visits. Without `concerned` nobody may be admitted, nor while it is not known whose
    buckets the batch adds to. `whole` people have their identifiers.
    """
    arrivals = given.arrivals
    if arrivals is None:
        return given
    if concerned is None or given.counted is None:
        return given.apart()
    known = working.owners(arrivals.nodes)
    working.load(known.values())
    met = {*known, *concerned(arrivals.nodes), *given.counted.owners}
    if not met.isdisjoint(arrivals.nodes):
        given = given.admitting([not one for one in arrivals.known_by(met)])
    if given.arrivals is not None:
        working.add_arrived(given.arrivals.people(working.new_id, whole=whole))
    return given


def write_arrived(given: Prepared, working: Working, rows: Rows, write: BatchWrite) -> None:
    """Put the documents and identifiers of those admitted into a batch, with their rows for the lake."""
    arrivals = given.arrivals
    if arrivals is None:
        return
    people = list(working.arrived.values())
    texts = [_json(one).decode() for one in arrivals.traits]
    rows.tell_arrived(arrivals.firsts(given.rows, texts), people, texts)
    documents = map(put_together, people, arrivals.bodies)
    write.new_profiles += [
        (one.id, one.due, document) for one, document in zip(people, documents, strict=True)
    ]
    owners = chain.from_iterable(map(repeat, working.arrived, arrivals.counts))
    write.identifiers += zip(arrivals.nodes, owners, strict=True)
    write.counters["profiles"] += len(people)
    write.counters["identifiers"] += len(arrivals.nodes)
