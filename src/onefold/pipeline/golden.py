"""Golden records in the pipeline: claims are kept, and decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from onefold.engine import DuckEngine
from onefold.model.given import is_reserved
from onefold.model.profile import Node, NodeId, Statement, refreshed_values, statements_of
from onefold.model.records import Event
from onefold.pipeline.first_rows import First
from onefold.pipeline.golden_rules import GoldenInputs, golden_rules
from onefold.pipeline.rows import Rows
from onefold.pipeline.scores import About, Preferences
from onefold.pipeline.working import Working
from onefold.unify import PLAIN, add_claims, claims_of, golden_record, only_traits, refitted

_encode = msgspec.msgpack.Encoder().encode


class PastClaims(Protocol):
    """Claims of the time before they were kept: those that are needed since rules have changed."""

    def claims(self, nodes: Sequence[NodeId]) -> Mapping[NodeId, list[Statement]]:
        """Of these nodes, those that have some."""


class Deciding:
    """Keeps the claims that the rules in force need, and decides golden records by them."""

    def __init__(self, engine: DuckEngine) -> None:
        self._engine = engine
        self._preferences = Preferences(engine, PLAIN)
        self.rules = PLAIN
        self.keeping = PLAIN

    def use(self, decided: GoldenInputs, keeping: GoldenInputs, timezone: str) -> None:
        """By which rules golden records are decided, and by which claims are kept.

        They differ while the past that new rules need is being read.
        """
        self.rules = self.keeping = golden_rules(decided, timezone)
        if keeping != decided:
            self.keeping = golden_rules(keeping, timezone)
        self._preferences.close()
        self._preferences = Preferences(self._engine, self.rules)

    @property
    def plain(self) -> bool:
        """Does the last claim win of everything, and are claims kept for nothing else?"""
        return self.rules.plain and self.keeping.plain

    def claim(self, owner: Node, event: Event, working: Working) -> None:
        """Fold the claims of an event into the node that they are about."""
        statements = statements_of(owner)
        if self._add(statements, event):
            owner.statements = msgspec.Raw(_encode(statements))
            working.claimed.add(owner.id)

    def first_claims(self, owner: Node, events: Iterable[Event]) -> list[Statement]:
        """Keep the claims of events about somebody new; gives what is kept."""
        statements: list[Statement] = []
        for event in events:
            if self.keeping.plain and event.strong and not statements:
                said = event.source, event.time, event.message_id, True, dict(event.traits)
                statements.append(Statement(*said))
            else:
                self._add(statements, event)
        if statements:
            owner.statements = msgspec.Raw(_encode(statements))
        return statements

    def _add(self, statements: list[Statement], event: Event) -> bool:
        changed = False
        for strong, traits in claims_of(event.traits, event.strong):
            new = Statement(event.source, event.time, event.message_id, strong, traits)
            changed |= add_claims(statements, new, self.keeping)
        return changed

    def anew(self, working: Working, past: PastClaims | None) -> None:
        """Have all loaded profiles decided again, with what is known of the past by now."""
        found = past.claims(list(working.nodes)) if past else {}
        for number, profile in working.profiles.items():
            for node in profile.nodes:
                before = statements_of(node)
                # First the past: only there are traits that stay together whole.
                statements = refitted([*found.get(node.id, ()), *before], self.keeping)
                if statements != before:
                    node.statements = msgspec.Raw(_encode(statements))
                    working.changed.add(number)
                working.claimed.add(node.id)

    def decide(self, working: Working, rows: Rows, now: int) -> None:
        """Golden records of all profiles of which claims, identifiers or corrections changed."""
        self._decide_newcomers(working, rows, now)
        numbers = {working.home[node] for node in working.claimed} | working.regrouped
        numbers -= working.newcomers.keys()
        for number in working.overdue:
            if 0 < working.profiles[number].until <= now:
                numbers.add(number)
        if not numbers:
            return
        profiles = [working.profiles[number] for number in sorted(numbers)]
        people = [
            About([statements_of(node) for node in one.nodes], [node.kind for node in one.nodes])
            for one in profiles
        ]
        scored = self._preferences.scores(people)
        for profile, about, scores in zip(profiles, people, scored, strict=True):
            number = profile.id
            golden = golden_record(about.nodes, self.rules, now, scores)
            if golden.until != profile.until:
                profile.until = golden.until
                working.changed.add(number)
            if golden.until and not 0 < profile.due <= golden.until:
                profile.due = golden.until
                working.changed.add(number)
            traits = {name: won.value for name, won in golden.traits.items()}
            traits |= refreshed_values(profile.nodes)
            if traits == profile.traits and number not in working.created:
                continue
            for name in sorted(traits.keys() | profile.traits.keys()):
                old, new = profile.traits.get(name), traits.get(name)
                if old == new:
                    continue
                working.retold.setdefault(number, set()).add(name)
                if not is_reserved(name):
                    won = golden.traits.get(name)
                    origin = (None, None) if won is None else (won.source, won.message_id)
                    rows.change(number, "trait", name, old, new, *origin)
            profile.traits = traits
            working.told.add(number)
            working.changed.add(number)

    def _decide_newcomers(self, working: Working, rows: Rows, now: int) -> None:
        """Golden records of those who are new: nothing was before, and one identifier claims all."""
        told, others = [], []
        for one in working.newcomers.values():
            said = None
            if self.rules.plain and len(one.statements) == 1:
                (said,) = one.statements
                one.profile.traits = only_traits(said)
            elif one.statements:
                others.append(one)
            told.append(First(one, said))
        rows.tell_newcomers(told)
        working.told.update(working.newcomers)
        about = [About([one.statements], [one.owner.kind]) for one in others]
        for one, scores in zip(others, self._preferences.scores(about), strict=True):
            winners = golden_record([one.statements], self.rules, now, scores).traits
            one.profile.traits = {name: won.value for name, won in winners.items()}
            for name, won in winners.items():
                if not is_reserved(name):
                    origin = won.source, won.message_id
                    rows.change(one.profile.id, "trait", name, None, won.value, *origin)
