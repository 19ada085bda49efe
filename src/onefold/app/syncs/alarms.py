"""Who wants to know is told when a source needs somebody, and when it no longer does.

It is told where the state of the source is written, in one step: an alarm is neither lost nor told twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from onefold.activate.webhook import alarm_payload, message_id
from onefold.app.in_force import destinations_in_force
from onefold.app.syncs.opening import Pulling
from onefold.app.workspace import now_us
from onefold.model.delivery import Delivery
from onefold.model.loads import SourceState
from onefold.store import SQLiteStore

_NOBODY = 0
"""The profile of a message that is about no person: all such are sent in their order."""
log = structlog.get_logger(__name__)


def ended(store: SQLiteStore, pulling: Pulling, reason: str, due_at: int) -> None:
    """Write down that a run has ended, well (no reason) or not, and when the next one is."""
    name, most, now = pulling.name, pulling.schedule.alarm_after, now_us()

    def alarms(was: SourceState, state: SourceState) -> Iterator[Delivery]:
        if was.failures < most <= state.failures:
            log.error("source_keeps_failing", source=name, failures=state.failures)
            yield from _told(store, state, "source.alarm", state.reason, now)
        elif state.failures < most <= was.failures:
            yield from _told(store, state, "source.recovered", "", now)

    store.source_states.ended(name, now, reason, due_at, alarms)


def warned(store: SQLiteStore, name: str, warning: str) -> None:
    """Write down what a source says though it works; nothing where all is well again."""
    now = now_us()

    def alarms(was: SourceState, state: SourceState) -> Iterator[Delivery]:
        if state.warning and not was.warning:
            log.warning("source_warns", source=name, warning=warning)
            yield from _told(store, state, "source.alarm", state.warning, now)
        elif was.warning and not state.warning:
            yield from _told(store, state, "source.recovered", "", now)

    store.source_states.warn(name, warning, alarms)


def _told(
    store: SQLiteStore, state: SourceState, event: str, reason: str, now: int
) -> Iterator[Delivery]:
    """A message to each destination that wants such an event."""
    payload = alarm_payload(
        source=state.source,
        event=event,
        at=now,
        reason=reason,
        failures=state.failures,
        since=state.succeeded_at,
    )
    for one in destinations_in_force(store):
        if one.wants(event):
            key = message_id(one.name, event, state.source, now)
            yield Delivery(0, one.name, _NOBODY, key, payload, now, 0, now)
