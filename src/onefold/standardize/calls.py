"""The stage itself: a batch of accepted calls to events and rejects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

from onefold.model.given import CLAIMS, INTERNAL
from onefold.model.mapping import RECORDS, UNREADABLE
from onefold.model.plans import Violation
from onefold.model.records import Accepted, Event, Reject
from onefold.standardize.claims import claim_events
from onefold.standardize.envelopes import MAX_EVENTS, Call, Opened, open_call
from onefold.standardize.events import read_event
from onefold.standardize.faults import explain
from onefold.standardize.mapping import Mapped, Mappings
from onefold.standardize.plans import Plans
from onefold.standardize.writing import Writing

_MAPPED = frozenset({RECORDS, UNREADABLE})
_NO_MAPPINGS = Mappings()
_TAKEN = "the event was taken all the same, by its other identifiers"


class SourceSettings(Protocol):
    """What this stage needs to know about a source."""

    @property
    def default_country(self) -> str | None:
        """The ISO country of telephone numbers that do not name theirs, such as `CN`."""


class Judging:
    """Tracking plans over one batch; `violations` are those found in it."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self.names = plans.names
        self.violations: list[Violation] = []

    def __bool__(self) -> bool:
        return bool(self._plans)

    def judge(self, event: Event) -> Event | list[str]:
        """The event as its plans leave it, or every reason why it is refused."""
        key = seen_key(event.source, event.message_id, event.client_minute)
        return self._plans.judge(event, key, self.violations)


def standardize(
    batch: Sequence[Accepted],
    sources: Mapping[str, SourceSettings],
    writing: Writing | None = None,
    mappings: Mappings | None = None,
    plans: Judging | None = None,
) -> tuple[list[Event], list[Reject]]:
    """All events of these calls in order, and what could not be used with every reason.

    Records of pulled sources become what `mappings` say.

    Events are held against the tracking `plans`, which collect what breaks them.

    With `writing`, also identifiers that their rules call invalid: an event that has others is taken
    all the same.

    >>> body = b'{"userId": "u1", "event": "Order Completed"}'
    >>> events, rejects = standardize([Accepted("shop", 1, "track", body)], {})
    >>> events[0].name, events[0].identifiers, rejects
    ('Order Completed', (Identifier(kind='user_id', value='u1'),), [])
    """
    events: list[Event] = []
    rejects: list[Reject] = []
    planned = plans.names if plans else None
    for accepted in batch:
        if accepted.source == INTERNAL and accepted.kind == CLAIMS:
            events.extend(claim_events(accepted))
            continue
        source = sources.get(accepted.source)
        country = source.default_country if source is not None else None
        if accepted.kind in _MAPPED:
            mapped = (mappings or _NO_MAPPINGS).read(accepted, country)
            _add_mapped(mapped, writing, plans, events, rejects)
            continue
        opened = open_call(accepted, country)
        call = opened.call
        for piece in opened.events:
            raw = bytes(piece)
            result = read_event(raw, call)
            if isinstance(result, Event) and writing and writing.concerns(result):
                result = _judged(result, writing, call, raw, rejects)
            if planned and isinstance(result, Event) and result.name in planned:
                result = plans.judge(result)  # type: ignore[union-attr]
            if isinstance(result, Event):
                events.append(result)
            elif result:
                rejects.append(Reject(call.source, call.received_at, call.kind, raw, tuple(result)))
        if opened.unreadable or opened.excess_count:
            rejects.extend(_rejects_of_call(accepted, opened))
    return events, rejects


def _judged(
    event: Event, writing: Writing, call: Call, raw: bytes, rejects: list[Reject]
) -> Event | list[str]:
    """The event, unless none of its identifiers is valid; those that are not are told."""
    reasons = writing.faults(event)
    if not reasons:
        return event
    if writing.is_nobody(event):
        return reasons
    rejects.append(Reject(call.source, call.received_at, call.kind, raw, (*reasons, _TAKEN)))
    return event


def _add_mapped(
    mapped: Mapped,
    writing: Writing | None,
    plans: Judging | None,
    events: list[Event],
    rejects: list[Reject],
) -> None:
    """What came of records, judged like all other events."""
    rejects.extend(mapped.rejects)
    if not (writing or plans):
        events.extend([event for _, event in mapped.events])
        return
    for number, event in mapped.events:
        if writing and writing.concerns(event) and (reasons := writing.faults(event)):
            if writing.is_nobody(event):
                rejects.append(mapped.reject(number, reasons))
                continue
            rejects.append(mapped.reject(number, (*reasons, _TAKEN)))
        result = plans.judge(event) if plans and event.name in plans.names else event
        if isinstance(result, Event):
            events.append(result)
        else:
            rejects.append(mapped.reject(number, result))


class Verdict(NamedTuple):
    """What becomes of an event: why it is refused, if it is; else what of it is left out, and the
    plans that it breaks.
    """

    refused: list[str]
    left_out: list[str]
    violations: list[Violation]


def verdicts(
    accepted: Accepted,
    source: SourceSettings | None,
    writing: Writing | None = None,
    plans: Plans | None = None,
) -> list[Verdict]:
    """Per event of this call, in its order, what becomes of it.

    >>> verdicts(Accepted("shop", 1, "batch", b'{"batch": [{"type": "page"}]}'), None)[0].refused[0][:27]
    'userId: is missing or empty'
    """
    opened = open_call(accepted, source.default_country if source is not None else None)
    if opened.unreadable:
        return [Verdict(list(opened.unreadable), [], [])]
    found = [_verdict(bytes(piece), opened.call, writing, plans) for piece in opened.events]
    return found + [Verdict([_over_limit(opened)], [], [])] * opened.excess_count


def _verdict(raw: bytes, call: Call, writing: Writing | None, plans: Plans | None) -> Verdict:
    event = read_event(raw, call)
    if not isinstance(event, Event):
        return Verdict(event, [], [])
    left_out = writing.faults(event) if writing and writing.concerns(event) else []
    if left_out and writing and writing.is_nobody(event):
        return Verdict(left_out, [], [])
    judging = Judging(plans) if plans else None
    result = judging.judge(event) if judging else event
    refused = [] if isinstance(result, Event) else result
    return Verdict(refused, left_out, judging.violations if judging else [])


def seen_key(source: str, message_id: str, client_minute: int) -> tuple[int, int]:
    """What repetitions of an event have in common: its client's minute, and a 64-bit hash.

    The minute is 0 for events whose client gave no time. The hash is of source and message id.
    """
    digest = blake2b(f"{source}\0{message_id}".encode(), digest_size=8).digest()
    return client_minute, int.from_bytes(digest, "big", signed=True)


def _rejects_of_call(accepted: Accepted, opened: Opened) -> Iterator[Reject]:
    source, received_at, kind = accepted.source, accepted.received_at, accepted.kind
    if opened.unreadable:
        yield Reject(source, received_at, kind, accepted.body, opened.unreadable)
    if opened.excess_count:  # one reject, a batch of its own: millions of tiny events stay one row
        yield Reject(source, received_at, kind, opened.excess, (_over_limit(opened),))


def _over_limit(opened: Opened) -> str:
    total = len(opened.events) + opened.excess_count
    problem = f"has {total:,} events, the first {MAX_EVENTS:,} are taken"
    return explain("batch", problem, "send smaller batches")
