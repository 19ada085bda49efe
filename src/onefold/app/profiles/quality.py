"""How good what is known is: of one profile, and of everybody by trait and by source."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import msgspec
import numpy as np

from onefold.app.in_force import load_definitions
from onefold.app.long_work import Work
from onefold.app.profiles.finding import find
from onefold.app.profiles.golden_answers import ProfileQuality, Quality, QualityReport
from onefold.app.progress import Tell, tell_nobody
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.profile import Profile, decode_profile, profile_name, statements_of
from onefold.pipeline.golden_rules import golden_inputs, golden_rules
from onefold.pipeline.scores import About, Preferences
from onefold.store import SQLiteStore
from onefold.unify import golden_record
from onefold.unify.quality import Finding, Tally, findings
from onefold.unify.rules import value_key

FRESH_DAYS = 365
_DAY_US = 86_400_000_000
_PROFILES_A_PAGE = 2_000
_KEPT = "quality"


def quality(settings: Settings, tell: Tell = tell_nobody) -> QualityReport:
    """Look at everybody, and keep what was found as the last report."""
    with open_store(settings, cache_mb=16) as store:
        report = _Everybody(settings, store).report(tell)
        store.set_setting(_KEPT, msgspec.json.encode(report))
    return report


def quality_for_job(settings: Settings, work: Work) -> int:
    """The job; gives how many profiles there are."""
    return quality(settings, work.progress).profiles


def quality_last(settings: Settings) -> QualityReport:
    """The last report; as of 0 if there is none."""
    with open_store(settings, cache_mb=4) as store:
        kept = store.setting(_KEPT)
    if not kept:
        return QualityReport(0, 0, FRESH_DAYS, _shown(Tally()), {}, {})
    return msgspec.json.decode(kept, type=QualityReport)


def profile_quality(settings: Settings, reference: str) -> ProfileQuality:
    """How good what is known of one profile is; whether it is unique is asked of everybody only."""
    with open_store(settings, cache_mb=4) as store:
        found = find(store, reference, settings.default_country)
        judge = _Judge(settings, store)
    try:
        overall, traits = Tally(), defaultdict[str, Tally](Tally)
        for _, some in judge.findings([found]):
            for one in some:
                if not one.source or one.dimension == "valid":
                    overall.add(one.dimension, one.good)
                    traits[one.trait].add(one.dimension, one.good)
    finally:
        judge.close()
    return ProfileQuality(profile_name(found.id), _shown(overall), _all_shown(traits))


class _Judge:
    """Judges profiles by the rules in force."""

    def __init__(self, settings: Settings, store: SQLiteStore) -> None:
        definitions, sources = load_definitions(store)
        declared = [
            one
            for one in definitions.traits
            if one.type and not one.expression and one.state == "approved"
        ]
        self.declared = [one.name for one in declared]
        self.unique = [one.name for one in declared if one.unique]
        self.now = now_us()
        self._rules = golden_rules(golden_inputs(definitions, sources), settings.timezone)
        self._engine = DuckEngine(threads=1, memory_mb=64)
        self._preferences = Preferences(self._engine, self._rules)

    def findings(self, profiles: Sequence[Profile]) -> Iterator[tuple[Profile, list[Finding]]]:
        """All that can be found of each."""
        people = [
            About([statements_of(node) for node in one.nodes], [node.kind for node in one.nodes])
            for one in profiles
        ]
        since = self.now - FRESH_DAYS * _DAY_US
        scored = self._preferences.scores(people)
        for profile, about, scores in zip(profiles, people, scored, strict=True):
            golden = golden_record(about.nodes, self._rules, self.now, scores)
            yield (
                profile,
                list(findings(about.nodes, golden, self._rules, self.declared, since)),
            )

    def close(self) -> None:
        """Free the engine."""
        self._preferences.close()
        self._engine.close()


class _Everybody:
    """Counts over all profiles."""

    def __init__(self, settings: Settings, store: SQLiteStore) -> None:
        self._store = store
        self._judge = _Judge(settings, store)
        self._overall = Tally()
        self._traits = defaultdict[str, Tally](Tally)
        self._sources = defaultdict[str, Tally](Tally)
        self._values = {trait: array("Q") for trait in self._judge.unique}
        self._profiles = 0

    def report(self, tell: Tell) -> QualityReport:
        """Look at everybody."""
        total = self._store.counters().get("profiles", 0)
        try:
            for page in self._store.pages(_PROFILES_A_PAGE):
                self._add([decode_profile(one) for one in page.values()])
                tell(self._profiles, total, "judging profiles")
        finally:
            self._judge.close()
        for trait, values in self._values.items():
            _, counts = np.unique(np.frombuffer(values, np.uint64), return_counts=True)
            alone = int((counts == 1).sum())
            for tally in (self._overall, self._traits[trait]):
                tally.add("unique", alone, len(values))
        return QualityReport(
            self._judge.now,
            self._profiles,
            FRESH_DAYS,
            _shown(self._overall),
            _all_shown(self._traits),
            _all_shown(self._sources),
        )

    def _add(self, page: Sequence[Profile]) -> None:
        for profile, found in self._judge.findings(page):
            self._profiles += 1
            self._count(found)
            for trait, values in self._values.items():
                if (value := profile.traits.get(trait)) is not None:
                    digest = blake2b(value_key(value), digest_size=8).digest()
                    values.append(int.from_bytes(digest, "big"))

    def _count(self, found: Iterable[Finding]) -> None:
        for one in found:
            if one.source:
                self._sources[one.source].add(one.dimension, one.good)
            if not one.source or one.dimension == "valid":
                self._overall.add(one.dimension, one.good)
                self._traits[one.trait].add(one.dimension, one.good)


def _shown(tally: Tally) -> Quality:
    return Quality(
        tally.score,
        tally.share("complete"),
        tally.share("valid"),
        tally.share("fresh"),
        tally.share("consistent"),
        tally.share("unique"),
    )


def _all_shown(tallies: dict[str, Tally]) -> dict[str, Quality]:
    return {name: _shown(tally) for name, tally in sorted(tallies.items())}
