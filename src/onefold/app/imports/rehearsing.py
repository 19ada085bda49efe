"""Rehearsing records: what they would do, with nothing kept.

A file is read from beginning to end. Mapping and folding, which take far longer, are done with rows at
even distances of a large file, in one batch of the pipeline itself, on a snapshot of the store.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from onefold.app.evaluation.backfill import Filling
from onefold.app.folding.claims_kept import decided_by
from onefold.app.imports.asked import mapping_of, not_there
from onefold.app.imports.importing import Tell
from onefold.app.imports.measuring import quality_of
from onefold.app.imports.rehearsed import Conflicting, Rehearsed, SegmentChange
from onefold.app.imports.sampling import Sampling
from onefold.app.imports.wanted import Wanted, reading_of
from onefold.app.in_force import load_definitions
from onefold.app.syncs.appending import payloads_of
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.definitions import Definitions
from onefold.model.plans import Violation
from onefold.model.profile import ProfileId, decode_profile
from onefold.model.pulled import Batch, Record
from onefold.model.records import Accepted, Event, decode_accepted
from onefold.model.sources import Source
from onefold.pipeline import Pipeline, RecordExpressions, Tried, prepare_events
from onefold.standardize import wording_of
from onefold.store import SQLiteStore

SAMPLE = 3_000
"""So many rows at least are mapped and folded, at most twice as many; of a smaller file all."""
_MOST_REASONS = 20
_MOST_EXAMPLES = 3
_SHOWN = 80


class About(NamedTuple):
    """What is rehearsed: how it is called, whose records they are, and how they are read."""

    name: str
    source: str
    format: str
    read_all: bool = True


def rehearse(
    settings: Settings,
    wanted: Wanted,
    *,
    sample: int = SAMPLE,
    tell: Tell = lambda _what, _done, _total: None,
) -> Rehearsed:
    """Read a file, and say what importing it would do; works while the server runs."""
    began = time.monotonic()
    # As in the worker: looking for cycles among millions of records costs as much as reading them.
    gc.disable()
    try:
        return _rehearsed(settings, wanted, sample, tell, began)
    finally:
        gc.enable()


def _rehearsed(
    settings: Settings, wanted: Wanted, sample: int, tell: Tell, began: float
) -> Rehearsed:
    with open_store(settings, cache_mb=32) as store, store.db.snapshot():
        definitions, sources = load_definitions(store)
        reading = reading_of(wanted, definitions)
        sampling = Sampling(sample)
        for batch in reading.batches(None):
            sampling.add(batch)
            tell("rows read", sampling.rows + sampling.unreadable, batch.total or 0)
        about = About(reading.file.name, reading.source, reading.format)
        accepted = calls_of(reading.source, sampling.records, mapping=reading.mapping)
        with _Stage(settings, store, definitions, sources) as stage:
            found = stage.play(about, sampling, accepted, began)
        mapping = mapping_of(definitions, reading.source, reading.mapping)
        return msgspec.structs.replace(
            found, read_as=reading.read_as(), missing=not_there(mapping, sampling.records)
        )


def calls_of(source: str, records: Sequence[Record], mapping: str = "") -> list[Accepted]:
    """What the log would be given of these records."""
    batch = Batch(records, {})
    return [
        decode_accepted(one)
        for one in payloads_of(source, batch, at=_began(records), mapping=mapping)
    ]


def _began(records: Sequence[Record]) -> int:
    """When the first one came, if the last one came now."""
    return now_us() - len(records)


def try_calls(
    settings: Settings,
    about: About,
    sampling: Sampling,
    accepted: Sequence[Accepted],
    began: float,
) -> Rehearsed:
    """What these calls would do, by the definitions and profiles that there are now."""
    with (
        open_store(settings, cache_mb=32) as store,
        store.db.snapshot(),
        _Stage(settings, store, *load_definitions(store)) as stage,
    ):
        return stage.play(about, sampling, accepted, began)


class _Stage:
    """The pipeline as it would run, on a store that is not written to."""

    def __init__(
        self,
        settings: Settings,
        store: SQLiteStore,
        definitions: Definitions,
        sources: Mapping[str, Source],
    ) -> None:
        self._store = store
        self._engine = DuckEngine(threads=1, memory_mb=512, optimizer=False)
        ask = RecordExpressions(self._engine, settings.timezone).ask
        self._wording = wording_of(definitions, sources, ask)
        self._pipeline = Pipeline(
            store, self._engine, node_key(store), id_maker(store.newest_id()), settings.timezone
        )
        self._pipeline.use(definitions, sources)
        self._pipeline.decide_by(decided_by(store))
        self._filling = Filling(settings, store, open_lake(settings))
        self._pipeline.rely_on(self._filling.counted())
        self._now = now_us()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._filling.close()
        self._engine.close()

    def play(
        self, about: About, sampling: Sampling, accepted: Sequence[Accepted], began: float
    ) -> Rehearsed:
        """Map and fold the calls that a sample gives, and say what came of it and of all that was read."""
        events, rejects, violations = self._wording.standardize(accepted)
        given = prepare_events(events, [], {}, node_key(self._store), self._wording.writing)
        tried = self._pipeline.try_fold(given, self._now)
        before = self._before(tried)
        conflicts, compared = _conflicts(given.telling, given.ids, tried, before)
        new = len(tried.created)
        updated = sum(
            traits != before[number].traits
            for number, traits in tried.traits.items()
            if number in before
        )
        reasons = Counter(reason for one in rejects for reason in one.reasons)
        return Rehearsed(
            about.name,
            about.source,
            about.format,
            sampling.rows,
            sampling.unreadable,
            dict(sampling.reasons.most_common(_MOST_REASONS)),
            len(sampling.records),
            sampling.whole,
            len(events) - tried.repeats,
            tried.repeats,
            len(rejects),
            dict(reasons.most_common(_MOST_REASONS)),
            tuple(sampling.fills()),
            new,
            updated,
            len(tried.traits) - new - updated,
            len(tried.merged),
            conflicts,
            tuple(self._segments(tried)),
            quality_of(
                events,
                _faultless(sampling, len(rejects)),
                sum(one.count for one in conflicts),
                compared,
                self._now,
            ),
            round(time.monotonic() - began, 2),
            _told(violations),
            about.read_all,
        )

    def _before(self, tried: Tried) -> dict[ProfileId, Any]:
        """The profiles that are touched, as they are."""
        asked = [one for one in tried.traits if one not in tried.created]
        found = self._store.documents(asked)
        return {number: decode_profile(document) for number, document in found.items()}

    def _segments(self, tried: Tried) -> list[SegmentChange]:
        sizes = self._store.segment_sizes()
        entering, leaving = Counter(tried.entered), Counter(tried.left)
        return [
            SegmentChange(name, sizes.get(name, 0), entering[name], leaving[name])
            for name in sorted(entering.keys() | leaving.keys())
        ]


def _faultless(sampling: Sampling, rejects: int) -> float | None:
    """The share of rows without a fault: of all those that can be read, and of those that were tried."""
    rows, tried = sampling.rows + sampling.unreadable, len(sampling.records)
    if not rows:
        return None
    usable = max(0, tried - rejects) / tried if tried else 0.0
    return round(sampling.rows / rows * usable, 4)


def _told(violations: Iterable[Violation]) -> dict[str, int]:
    """How often each plan is broken in which way, the most frequent first."""
    told = [one.breach for one in violations]
    found = Counter(f"{one.plan}: {one.field}, {one.fault} ({one.mode})" for one in told)
    return dict(found.most_common(_MOST_REASONS))


def _conflicts(
    events: Sequence[Event],
    ids: Mapping[Any, bytes],
    tried: Tried,
    before: Mapping[ProfileId, Any],
) -> tuple[tuple[Conflicting, ...], int]:
    """Where the file says something else than what is known, and how many values were compared."""
    counts: Counter[str] = Counter()
    wins: Counter[str] = Counter()
    examples: dict[str, list[tuple[str, str, str]]] = {}
    compared = 0
    for event in events:
        number = tried.home.get(ids[event.identifiers[0]])
        known = before.get(number) if number is not None else None
        if known is None or number is None:
            continue
        for trait, value in event.traits.items():
            old = known.traits.get(trait)
            if old is None or value is None:
                continue
            compared += 1
            if old == value:
                continue
            counts[trait] += 1
            wins[trait] += tried.traits[number].get(trait) == value
            some = examples.setdefault(trait, [])
            if len(some) < _MOST_EXAMPLES:
                who = ":".join(event.identifiers[0])
                some.append((who, str(old)[:_SHOWN], str(value)[:_SHOWN]))
    found = tuple(
        Conflicting(trait, count, wins[trait], tuple(examples[trait]))
        for trait, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    return found, compared
