"""Why each golden value of a profile is what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from onefold.app.folding.claims_kept import decided_by
from onefold.app.in_force import load_definitions
from onefold.app.profiles.finding import ProfileView, TraitOrigin, find, held_as_of, view
from onefold.app.profiles.golden_answers import ClaimRow, ProfileClaims, TraitClaims
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.model.definitions import AccountTraitDefinition, TraitDefinition
from onefold.model.errors import NotFound
from onefold.model.given import is_reserved
from onefold.model.profile import Profile, Statement, identifier_text, statements_of
from onefold.pipeline.golden_rules import golden_rules
from onefold.pipeline.scores import About, Preferences
from onefold.store import SQLiteStore
from onefold.unify import GoldenRules
from onefold.unify.explain import Explained, explain, reason_of, traits_of
from onefold.unify.rules import Unit


def profile_claims(settings: Settings, reference: str, trait: str = "") -> ProfileClaims:
    """Every claim about a profile's traits, or about one: which won, which lost, and why."""
    with open_store(settings, cache_mb=4) as store:
        found = find(store, reference, settings.default_country)
        known = Known.of_profile(store, settings, found)
    names = [name for name in known.names if trait in ("", name)]
    if trait and not names:
        raise NotFound(f"nobody claims {trait} of {reference}")
    rows = tuple(known.claims(name) for name in names)
    return ProfileClaims(view(found).id, rows)


def profile_in_full(settings: Settings, reference: str) -> ProfileView:
    """A profile with the claim that each golden value came from."""
    with open_store(settings, cache_mb=4) as store:
        found = find(store, reference, settings.default_country)
        known = Known.of_profile(store, settings, found)
        as_of = held_as_of(store, found)
    traits = {name: known.origin(name) for name in known.names}
    shown = {name: one for name, one in traits.items() if one.value is not None or one.lost}
    return msgspec.structs.replace(view(found), traits=shown, as_of=as_of)


class Known:
    """What decides a golden record, and all that is claimed.

    `about` says what each of the `nodes` is: its kind, and what it is called.
    """

    def __init__(
        self,
        rules: GoldenRules,
        declared: Mapping[str, TraitDefinition | AccountTraitDefinition],
        golden: Mapping[str, Any],
        nodes: Sequence[list[Statement]],
        about: Sequence[tuple[str, str]],
    ) -> None:
        self._rules = rules
        self._declared = declared
        self._identifiers = [name for _, name in about]
        self._golden = golden
        self._now = now_us()
        self.nodes = nodes
        engine = DuckEngine(threads=1, memory_mb=64)
        try:
            kinds = [kind for kind, _ in about]
            (self._scores,) = Preferences(engine, self._rules).scores([About(self.nodes, kinds)])
        finally:
            engine.close()
        self.names = [name for name in traits_of(self.nodes) if not is_reserved(name)]

    @staticmethod
    def of_profile(store: SQLiteStore, settings: Settings, profile: Profile) -> Known:
        """That of a profile."""
        definitions, _ = load_definitions(store)
        return Known(
            golden_rules(decided_by(store), settings.timezone),
            {one.name: one for one in definitions.traits if one.type and not one.expression},
            profile.traits,
            [statements_of(node) for node in profile.nodes],
            [(node.kind, identifier_text(node)) for node in profile.nodes],
        )

    def _explained(self, trait: str) -> list[Explained]:
        return explain(self.nodes, trait, self._rules, self._now, self._scores)

    def claims(self, trait: str) -> TraitClaims:
        """A trait with all claims."""
        unit = unit_of(self._rules, trait)
        about = self._declared.get(trait) or TraitDefinition(trait)
        rows = [self._row(one) for one in self._explained(trait)]
        return TraitClaims(
            trait,
            self._golden.get(trait),
            reason_of(unit.way),
            trait in self._declared,
            about.type,
            about.unit,
            about.pii,
            unit.traits if unit.group else (),
            tuple(rows),
        )

    def origin(self, trait: str) -> TraitOrigin:
        """A trait's golden value and where it came from; without one, what lost last."""
        rows = self._explained(trait)
        first = self._row(rows[0])
        value = self._golden.get(trait)
        lost = sum(row.outcome == "lost" for row in rows)
        return TraitOrigin(
            value,
            first.source,
            first.time,
            first.message_id,
            first.identifier,
            first.why,
            lost,
            trait in self._declared,
        )

    def _row(self, one: Explained) -> ClaimRow:
        claim = one.claim
        return ClaimRow(
            one.outcome,
            one.why,
            claim.value,
            claim.source,
            claim.time,
            claim.message_id,
            self._identifiers[claim.node],
            claim.strong,
        )


def unit_of(rules: GoldenRules, trait: str) -> Unit:
    """What decides a trait."""
    return rules.unit(trait) or Unit(trait, (trait,))
