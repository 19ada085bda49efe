"""The stage itself: a batch of accepted calls to events and rejects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

from onefold.model.given import CLAIMS, INTERNAL
from onefold.model.records import Accepted, Event, Reject
from onefold.standardize.claims import claim_events
from onefold.standardize.envelopes import MAX_EVENTS, Call, Opened, open_call
from onefold.standardize.events import read_event
from onefold.standardize.faults import explain
from onefold.standardize.writing import Writing

_TAKEN = "the event was taken all the same, by its other identifiers"


class SourceSettings(Protocol):
    """What this stage needs to know about a source."""

    @property
    def default_country(self) -> str | None:
        """The ISO country of telephone numbers that do not name theirs, such as `CN`."""


def standardize(
    batch: Sequence[Accepted],
    sources: Mapping[str, SourceSettings],
    writing: Writing | None = None,
) -> tuple[list[Event], list[Reject]]:
    """All events of these calls in order, and what could not be used with every reason.

    With `writing`, also identifiers that their rules call invalid: an event that has others is taken
    all the same.

    >>> body = b'{"userId": "u1", "event": "Order Completed"}'
    >>> events, rejects = standardize([Accepted("shop", 1, "track", body)], {})
    >>> events[0].name, events[0].identifiers, rejects
    ('Order Completed', (Identifier(kind='user_id', value='u1'),), [])
    """
    events: list[Event] = []
    rejects: list[Reject] = []
    for accepted in batch:
        if accepted.source == INTERNAL and accepted.kind == CLAIMS:
            events.extend(claim_events(accepted))
            continue
        source = sources.get(accepted.source)
        opened = open_call(accepted, source.default_country if source is not None else None)
        call = opened.call
        for piece in opened.events:
            raw = bytes(piece)
            result = read_event(raw, call)
            if isinstance(result, Event) and writing and writing.concerns(result):
                result = _judged(result, writing, call, raw, rejects)
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


def check(accepted: Accepted, source: SourceSettings | None) -> list[list[str]]:
    """Per event of this call, in its order, why it would be rejected; empty where it would not.

    >>> check(Accepted("shop", 1, "batch", b'{"batch": [{"type": "page"}]}'), None)[0][0][:27]
    'userId: is missing or empty'
    """
    opened = open_call(accepted, source.default_country if source is not None else None)
    if opened.unreadable:
        return [list(opened.unreadable)]
    results = (read_event(bytes(piece), opened.call) for piece in opened.events)
    reasons = [[] if isinstance(result, Event) else result for result in results]
    return reasons + [[_over_limit(opened)]] * opened.excess_count


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
