"""All that says how calls become events, and the calls read by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from onefold.model.definitions import Definitions
from onefold.model.identity import BUILT_IN
from onefold.model.plans import Violation
from onefold.model.records import Accepted, Event, Reject
from onefold.model.sources import Source
from onefold.standardize.calls import Judging, standardize
from onefold.standardize.mapping import Ask, Mappings
from onefold.standardize.plans import Plans
from onefold.standardize.rates import Rates
from onefold.standardize.writing import Writing


class Standardized(NamedTuple):
    """What came of calls: the events, what could not be used, and where tracking plans were broken."""

    events: list[Event]
    rejects: list[Reject]
    violations: list[Violation]


class Wording(NamedTuple):
    """All that says how calls become events: sources, rules for identifiers, mappings, plans."""

    sources: Mapping[str, Source] = MappingProxyType({})
    writing: Writing | None = None
    mappings: Mappings | None = None
    plans: Plans | None = None

    def standardize(self, batch: Sequence[Accepted]) -> Standardized:
        """All events of these calls in order, and what could not be used with every reason."""
        judging = Judging(self.plans) if self.plans else None
        events, rejects = standardize(batch, self.sources, self.writing, self.mappings, judging)
        return Standardized(events, rejects, judging.violations if judging else [])


BY_DEFAULT = Wording(writing=Writing(BUILT_IN))
"""How calls become events where nothing is defined."""


def wording_of(
    definitions: Definitions, sources: Mapping[str, Source], ask: Ask | None = None
) -> Wording:
    """What definitions in force say of how calls become events; `ask` gives their expressions."""
    rates = Rates(definitions.rates)
    mappings = Mappings(definitions.mappings, definitions.sources, ask, rates)
    return Wording(sources, Writing(definitions.identity), mappings, Plans(definitions.plans))
