"""Trying identity rules on everybody before they are in force: the pipeline runs, and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onefold.app.definitions.applying import Plan, plan_of
from onefold.app.definitions.files import Reading, read_definitions, read_text
from onefold.app.definitions.meaning import limits_of
from onefold.app.evaluation.backfill import Filling
from onefold.app.folding.claims_kept import decided_by
from onefold.app.identity.trial_answers import IdentityTrial, SegmentEffect
from onefold.app.identity.trial_examples import Examples
from onefold.app.in_force import IDENTITY_KINDS, definitions_from, load_definitions
from onefold.app.long_work import Work
from onefold.app.progress import Tell, tell_nobody
from onefold.app.workspace import id_maker, node_key, now_us, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.identity import IdentityRules
from onefold.pipeline import Pipeline, Shift
from onefold.store import SQLiteStore
from onefold.store.registry import StoredDefinition

_A_PAGE = 2_000


def try_identity(
    settings: Settings, directory: Path, *, prune: bool = False, tell: Tell = tell_nobody
) -> IdentityTrial:
    """Try the identity rules of a folder on everybody: merges, splits, segments; changes nothing.

    With `prune`, rules that are in force but stand in no file count for nothing.
    """
    return try_reading(settings, read_definitions(directory), prune=prune, tell=tell)


def try_for_job(settings: Settings, work: Work) -> IdentityTrial:
    """The job."""
    reading = read_text(work.job.argument["text"])
    return try_reading(settings, reading, prune=work.job.argument["prune"], tell=work.progress)


def try_reading(
    settings: Settings, reading: Reading, *, prune: bool = False, tell: Tell = tell_nobody
) -> IdentityTrial:
    """Try written rules; works while the server runs: everybody is looked at as of one batch."""
    with open_store(settings) as store, store.db.snapshot():
        changes = plan_of(store, reading, prune=prune, limits=limits_of(settings))
        rules = written_rules(store, reading, changes)
        engine = DuckEngine(threads=1, memory_mb=512, optimizer=False)
        try:
            return _Trial(settings, store, engine, rules).run(tell)
        finally:
            engine.close()


def written_rules(store: SQLiteStore, reading: Reading, changes: Plan) -> IdentityRules:
    """The identity rules that there would be, if what is written were in force."""
    live = {(one.kind, one.name): one for one in store.registry.definitions()}
    bodies: Mapping[tuple[str, str], dict[str, Any]]
    bodies = {(one.kind, one.name): one.body for one in reading.written}
    for change in changes.changes:
        key = (change.kind, change.name)
        if change.action == "delete":
            del live[key]
        else:
            version = live[key].version + 1 if key in live else 1
            live[key] = StoredDefinition(*key, version, bodies[key])
    return definitions_from(one for one in live.values() if one.kind in IDENTITY_KINDS).identity


class _Trial:
    """One trial: all profiles, a page at a time."""

    def __init__(
        self, settings: Settings, store: SQLiteStore, engine: DuckEngine, rules: IdentityRules
    ) -> None:
        self._store = store
        definitions, sources = load_definitions(store)
        self._examples = Examples(store, definitions.identity, rules)
        self._pipeline = Pipeline(
            store, engine, node_key(store), id_maker(store.newest_id()), settings.timezone
        )
        self._pipeline.use(definitions, sources)
        self._pipeline.regroup_by(rules)
        self._pipeline.decide_by(decided_by(store))
        self._filling = Filling(settings, store, open_lake(settings))
        self._pipeline.rely_on(self._filling.counted())
        self._counts: Counter[str] = Counter()
        self._entered: Counter[str] = Counter()
        self._left: Counter[str] = Counter()

    def run(self, tell: Tell) -> IdentityTrial:
        now = now_us()
        total = self._store.counters().get("profiles", 0)
        after = seen = 0
        try:
            while page := self._store.profile_ids(after, _A_PAGE):
                found = self._pipeline.try_regroup(page, now)
                self._counts["waiting"] += found.waiting
                for shift in found.shifts:
                    self._count(shift)
                after = page[-1]
                seen += len(page)
                tell(seen, total, "trying the rules")
        finally:
            self._filling.close()
        return self._outcome(now, seen)

    def _count(self, shift: Shift) -> None:
        self._counts.update(merges=shift.merged, splits=shift.parted, moved=shift.moved)
        self._entered.update(shift.entered)
        self._left.update(shift.left)
        self._examples.offer(shift)

    def _outcome(self, now: int, profiles: int) -> IdentityTrial:
        counts, pipeline = self._counts, self._pipeline
        left_out = [f"{kind} {name}" for kind, name in [*pipeline.failing, *pipeline.filling]]
        return IdentityTrial(
            now,
            profiles,
            profiles - counts["merges"] + counts["splits"],
            counts["merges"],
            counts["splits"],
            counts["moved"],
            self._store.reviews.count(put_off=True),
            counts["waiting"],
            tuple(self._segments()),
            tuple(sorted(left_out)),
            self._examples.of("merge"),
            self._examples.of("split"),
            self._examples.of("move"),
        )

    def _segments(self) -> list[SegmentEffect]:
        sizes = self._store.segment_sizes()
        found = []
        for name in sorted(self._entered.keys() | self._left.keys()):
            now, more, less = sizes.get(name, 0), self._entered[name], self._left[name]
            found.append(SegmentEffect(name, now, now + more - less, more, less))
        return found
