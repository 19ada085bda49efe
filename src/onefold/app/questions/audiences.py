"""Questions about rules and everybody, and their answers; apart, so that this loads no engine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from onefold.model.errors import Fault

SAVED = "segment:"
"""What a rule begins with that names a saved segment."""

Rule = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class PreviewQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that need not be saved; how many profiles to show; traits and events to count by."""

    rule: Rule
    sample: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10
    by: Annotated[tuple[Name, ...], msgspec.Meta(max_length=5)] = ()
    events: Annotated[tuple[Name, ...], msgspec.Meta(max_length=5)] = ()


class SampledProfile(msgspec.Struct, frozen=True):
    """A profile that satisfies the rule, with its traits."""

    profile: str
    traits: dict[str, Any]


class ValueCount(msgspec.Struct, frozen=True):
    """How many have a value."""

    value: str
    profiles: int


class TraitCounts(msgspec.Struct, frozen=True):
    """The most frequent values of a trait, how many have another one, and how many none."""

    by: str
    values: tuple[ValueCount, ...]
    other: int
    absent: int


class DayCount(msgspec.Struct, frozen=True):
    """How often an event happened on a day of the workspace's zone, and to how many profiles."""

    day: str
    events: int
    profiles: int


class EventDays(msgspec.Struct, frozen=True):
    """An event among those who satisfy the rule, day by day over the last thirty days."""

    event: str
    days: tuple[DayCount, ...]


class Preview(msgspec.Struct, frozen=True):
    """How many satisfy a rule as of a moment (µs), of how many; and who they are.

    `warnings` are about names that are neither defined nor ever came in.
    """

    rule: str
    as_of: int
    count: int
    total: int
    sample: tuple[SampledProfile, ...] = ()
    by: tuple[TraitCounts, ...] = ()
    events: tuple[EventDays, ...] = ()
    warnings: tuple[Fault, ...] = ()


class WhyQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that need not be saved, and a profile: `KIND:VALUE` or its id."""

    rule: Rule
    profile: Name


class CountedEvent(msgspec.Struct, frozen=True):
    """An event that counted, and the value that was read of it, if one was."""

    message_id: str
    time: int
    value: Any = None


class EventRow(msgspec.Struct, frozen=True):
    """Of `in_sequence`: the events in a row that decide, step by step as far as they came, and how.

    It `holds`; or it `waits` till `holds_from` (µs), if nothing comes that must not follow; or it
    was `broken` by what came after it, `broken_by`; or it took `too_long` from the first to the
    last; or it is `incomplete`, and `expected` is the event that comes next.
    """

    state: Literal["holds", "waits", "broken", "too_long", "incomplete"]
    events: tuple[CountedEvent, ...] = ()
    broken_by: CountedEvent | None = None
    holds_from: int | None = None
    expected: str | None = None


class Input(msgspec.Struct, frozen=True):
    """What a clause read of the profile: a trait, what events add up to, or another definition.

    Of events, `since` and `until` (µs) bound the window, `count` is how many counted, and `events`
    are the latest of these; of a sequence those are all that it looks at, also what must not
    follow, and `row` says which of them decide. `inputs` is what another definition read in its turn.
    """

    name: str
    value: Any
    since: int | None = None
    until: int | None = None
    count: int | None = None
    events: tuple[CountedEvent, ...] = ()
    inputs: tuple[Input, ...] = ()
    row: EventRow | None = None


class WhyClause(msgspec.Struct, frozen=True):
    """A clause as it is written; whether it holds, null where what it asks for is absent."""

    kind: Literal["and", "or", "not", "test"]
    text: str
    holds: bool | None
    inputs: tuple[Input, ...] = ()
    parts: tuple[WhyClause, ...] = ()


class Why(msgspec.Struct, frozen=True):
    """Whether a profile satisfies a rule as of a moment (µs), and what makes it so.

    Of a saved segment, `member` says whether it is in it, and `since` when.
    """

    profile: str
    rule: str
    as_of: int
    holds: bool
    clause: WhyClause
    segment: str | None = None
    member: bool | None = None
    since: int | None = None


class OverlapQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules by the names they are to have; `segment:NAME` is the rule of a saved segment."""

    rules: Annotated[dict[Name, Rule], msgspec.Meta(min_length=2, max_length=10)]


class Part(msgspec.Struct, frozen=True):
    """How many are in all of these and in none of the others."""

    rules: tuple[str, ...]
    profiles: int


class Pair(msgspec.Struct, frozen=True):
    """How many are in both, whatever else they are in; `share` is of those in either."""

    left: str
    right: str
    both: int
    share: float


class Overlap(msgspec.Struct, frozen=True):
    """How rules overlap as of a moment (µs): the size of each, of every part, and of every pair.

    The parts are disjoint, the largest first; together with those in none they are everybody.
    """

    as_of: int
    total: int
    sizes: dict[str, int]
    none: int
    parts: tuple[Part, ...]
    pairs: tuple[Pair, ...]


class CompareQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule whose members are compared with all others; how far back events are looked at."""

    rule: Rule
    traits: Annotated[tuple[Name, ...], msgspec.Meta(max_length=40)] = ()
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30
    most: Annotated[int, msgspec.Meta(ge=1, le=200)] = 40


class Difference(msgspec.Struct, frozen=True):
    """One way in which members differ from all others.

    Of a trait's `value`, and of an event (`what`), `members` and `others` are the shares that have
    it and `lift` is how many times larger the first is. Of numbers and of the number of events they
    are averages. `difference` is their distance in standard deviations.
    """

    kind: Literal["value", "average", "event", "events"]
    what: str
    value: str | None
    members: float
    others: float
    lift: float | None
    difference: float


class Comparison(msgspec.Struct, frozen=True):
    """How those who satisfy a rule differ from all others as of a moment (µs), most telling first.

    Of large groups a random sample is looked at: `members_seen` and `others_seen` profiles.
    """

    rule: str
    as_of: int
    members: int
    others: int
    members_seen: int
    others_seen: int
    differences: tuple[Difference, ...]


Step = Literal["hour", "day"]


class BacktestQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule and a period (µs); the rule is evaluated at the end of each step. `show` changes."""

    rule: Rule
    since: int
    until: int
    step: Step = "day"
    show: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100


class BacktestPoint(msgspec.Struct, frozen=True):
    """Who satisfied the rule at a moment (µs), and who came and went since the one before."""

    at: int
    members: int
    entered: int
    left: int


class BacktestChange(msgspec.Struct, frozen=True):
    """A profile that began at a moment (µs) to satisfy the rule, or no longer did."""

    at: int
    profile: str
    entered: bool


class BacktestNote(msgspec.Struct, frozen=True):
    """What is to be known of the past of a clause."""

    clause: str
    message: str


class Backtest(msgspec.Struct, frozen=True):
    """A rule as of the past: the size at each moment, and the first of the changes.

    `notes` name the clauses that have no past, with the reason.
    The first moment is that before the period; who satisfied the rule then did not enter in it.
    """

    rule: str
    step: Step
    points: tuple[BacktestPoint, ...]
    changes: tuple[BacktestChange, ...]
    truncated: bool
    notes: tuple[BacktestNote, ...] = ()
