"""Tracking plans: what an event should look like, and what was seen that does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import msgspec

from onefold.model.records import EventType

Mode = Literal["observe", "flag", "quarantine", "drop_field"]
"""What becomes of an event that breaks its plan: it is only counted, marked, refused, or mended."""


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event as it would be sent, and the fields of which the plan should complain; none if it is right."""

    event: dict[str, Any]
    faults: tuple[str, ...] = ()


class TrackingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the properties of an event, or the traits of an `identify`, must be: a JSON Schema.

    It holds for the `sources` that are named, or for all. `type` is `track` unless it says otherwise,
    and then there is no `event`.
    """

    name: str
    schema: dict[str, Any]
    type: EventType = "track"
    event: str = ""
    sources: tuple[str, ...] = ()
    mode: Mode = "observe"
    samples: tuple[Sample, ...] = ()
    version: int = 1


class Breach(msgspec.Struct, frozen=True):
    """What is wrong where: a field of the events of a source breaks a plan."""

    plan: str
    version: int
    source: str
    event: str
    field: str
    fault: str
    mode: Mode


class Violation(NamedTuple):
    """That an event breaks a plan, in one field; `key` is what repetitions of the event share."""

    key: tuple[int, int]
    breach: Breach


class ViolationCount(Breach, frozen=True):
    """How many events broke a plan in one field: `since` the first hour of it, until `last_seen`."""

    events: int
    since: int
    last_seen: int


_US_AN_HOUR = 3_600_000_000


def hourly(violations: Iterable[Violation], now: int) -> Counter[tuple[int, Breach]]:
    """How many violations of each kind there are, in the hour of `now` (µs)."""
    hour = now - now % _US_AN_HOUR
    return Counter((hour, one.breach) for one in violations)
