"""Definitions in force: what a workspace's YAML says, parsed and checked."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from onefold.model.golden import Bounds, Survivorship
from onefold.model.identity import BUILT_IN, IdentityRules
from onefold.model.mapping import EntityDefinition, MappingDefinition, SourceDefinition
from onefold.model.matching import Matching
from onefold.model.plans import TrackingPlan
from onefold.model.rates import DayRates

State = Literal["draft", "approved", "retired"]
"""Only what is approved is computed."""


class SegmentDefinition(msgspec.Struct, frozen=True):
    """A segment: the profiles for which a rule holds, or whose identifiers stand in a list.

    `list` is the kind of those identifiers, `list_version` the version of the list in force.
    """

    name: str
    rule: str = ""
    description: str = ""
    version: int = 1
    list: str = ""
    list_version: int = 0


class TraitDefinition(msgspec.Struct, frozen=True):
    """A computed trait: an expression over traits and events; or what is declared of a claimed one.

    A declared trait has a type, may say which values are valid and how its golden value is picked;
    `unit` and `pii` tell people what they have before them.
    """

    name: str
    expression: str = ""
    type: str = ""
    description: str = ""
    owner: str = ""
    folder: str = ""
    state: State = "approved"
    version: int = 1
    survivorship: Survivorship | str | None = None
    unit: str = ""
    pattern: str = ""
    range: Bounds | None = None
    length: Bounds | None = None
    allowed: tuple[Any, ...] = ()
    pii: str = ""
    unique: bool = False


class GoldenDefinition(msgspec.Struct, frozen=True):
    """How golden values are picked: of some traits, or of all of which nothing else says it.

    Traits that stay `together` come from one claim.
    """

    name: str
    survivorship: Survivorship | str
    traits: tuple[str, ...] = ()
    together: bool = False
    description: str = ""
    owner: str = ""
    folder: str = ""
    version: int = 1


class AccountTraitDefinition(msgspec.Struct, frozen=True):
    """What is declared of a trait of accounts, as of one of people; or what it adds up of the members.

    `aggregate` says how, `of` which trait, computed trait or tag of each; `count` of nothing is how many
    members there are.
    """

    name: str
    type: str = ""
    description: str = ""
    owner: str = ""
    folder: str = ""
    version: int = 1
    survivorship: Survivorship | str | None = None
    unit: str = ""
    pattern: str = ""
    range: Bounds | None = None
    length: Bounds | None = None
    allowed: tuple[Any, ...] = ()
    pii: str = ""
    aggregate: str = ""
    of: str = ""


class TagCase(msgspec.Struct, frozen=True):
    """A value of a tag and the rule under which it holds; without a rule it always does."""

    value: str
    when: str = ""


class Ranking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody in the order of an expression: cut into equal parts, or by shares from the top.

    `into` parts are named by `values`, the lowest first, else by their numbers. `top` gives the
    share of each value in percent, counted from the top: `{gold: 1, silver: 10}`. `where`
    leaves all others without a value; `otherwise` is what those below all shares get.
    """

    by: str
    where: str = ""
    into: int = 0
    values: tuple[str, ...] = ()
    top: dict[str, float] = {}
    otherwise: str = ""


class Statistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An expression compared with what it is for everybody.

    Its cases read `x` (the own value), `mean`, `deviation`, `z`, `median`, `least`, `most`, and
    quantiles such as `q25` or `q90`.
    """

    by: str
    cases: tuple[TagCase, ...]
    where: str = ""


class Rfm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How recently, how often and for how much: over which event, of what value, how far back."""

    event: str = "Order Completed"
    value: str = "properties.revenue"
    days: int = 365


class Lifecycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days after the last event of a kind somebody is still active, at risk, dormant."""

    event: str = "Order Completed"
    active: int = 30
    at_risk: int = 90
    dormant: int = 180


class Preference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The channel that somebody answers on most: of each channel the events that are answers."""

    channels: dict[str, tuple[str, ...]]
    days: int = 90


class ProductPreference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody's events are most often about, such as the category of what they buy.

    It takes `least` events in the last `days` that have the `property`; who has fewer gets
    `otherwise`, or nothing. With `among` only these values count; else the list is open.
    """

    event: str = "Order Completed"
    property: str = "products[].category"
    days: int = 90
    least: int = 1
    otherwise: str = ""
    among: tuple[str, ...] = ()


class TagDefinition(msgspec.Struct, frozen=True):
    """A tag: a trait with a closed list of values, an owner and a lifetime.

    Its values come from `cases` (the first that holds), from a ranking or statistics of everybody,
    from a ready-made definition, or are given by people and imports (`values`).
    """

    name: str
    cases: tuple[TagCase, ...] = ()
    description: str = ""
    owner: str = ""
    folder: str = ""
    state: State = "approved"
    version: int = 1
    values: tuple[str, ...] = ()
    rank: Ranking | None = None
    statistics: Statistics | None = None
    rfm: Rfm | None = None
    lifecycle: Lifecycle | None = None
    preference: Preference | None = None
    product_preference: ProductPreference | None = None
    refresh: str = ""
    expires_after: str = ""
    expires: str = ""

    @property
    def of_everybody(self) -> bool:
        """Does it take a look at everybody to know the value of anybody?"""
        return bool(self.rank or self.statistics or self.rfm)


SEGMENT_EVENTS = ("segment.entered", "segment.exited")
DESTINATION_EVENTS = (*SEGMENT_EVENTS, "source.alarm", "source.recovered")
"""What destinations can be told of."""


class DestinationDefinition(msgspec.Struct, frozen=True):
    """Where entries and exits are sent. `segments` empty means all; `settings` are the type's. `events` are
    those that it is told of.
    """

    name: str
    type: str
    settings: dict[str, Any]
    segments: tuple[str, ...] = ()
    enabled: bool = True
    version: int = 1
    events: tuple[str, ...] = SEGMENT_EVENTS

    def wants(self, event: str, segment: str = "") -> bool:
        """Is an event to be sent there, where it is of a segment, of this one?"""
        if not self.enabled or event not in self.events:
            return False
        return not segment or not self.segments or segment in self.segments


class Definitions(msgspec.Struct, frozen=True):
    """All that is in force at one version."""

    version: int = 0
    segments: tuple[SegmentDefinition, ...] = ()
    destinations: tuple[DestinationDefinition, ...] = ()
    traits: tuple[TraitDefinition, ...] = ()
    tags: tuple[TagDefinition, ...] = ()
    golden: tuple[GoldenDefinition, ...] = ()
    identity: IdentityRules = BUILT_IN
    matching: Matching | None = None
    account_traits: tuple[AccountTraitDefinition, ...] = ()
    household_traits: tuple[AccountTraitDefinition, ...] = ()
    mappings: tuple[MappingDefinition, ...] = ()
    sources: tuple[SourceDefinition, ...] = ()
    plans: tuple[TrackingPlan, ...] = ()
    rates: tuple[DayRates, ...] = ()
    entities: tuple[EntityDefinition, ...] = ()

    @property
    def has_money(self) -> bool:
        """Does any mapping turn amounts into another currency?"""
        inline = (one.mapping for one in self.sources if isinstance(one.mapping, MappingDefinition))
        return any(one.has_money for one in (*self.mappings, *inline))
