"""What leaves Onefold: one message to one destination about one profile, and what became of it.

All times are integers: microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Delivery(msgspec.Struct, frozen=True):
    """A message waiting to be sent.

    `id` grows in the order of creation; deliveries of one profile to one destination are sent in
    that order. `key` names the message for the receiver and stays the same on every attempt,
    so that it can drop repeats. `created_at` is when it was queued, or put back after it had died.
    `attempts` counts those already made; nothing is sent before `next_at`.
    """

    id: int
    destination: str
    profile: int
    key: str
    payload: bytes
    created_at: int
    attempts: int = 0
    next_at: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What an attempt led to.

    `delivered` and `dead` end a delivery at the time `at`; after `retry` it waits until `at`.
    `attempts` counts all attempts so far, this one included.
    """

    id: int
    result: Literal["delivered", "retry", "dead"]
    at: int
    attempts: int
    reason: str = ""


class DeadLetter(msgspec.Struct, frozen=True):
    """A delivery given up, with the last reason; it can be put back."""

    delivery: Delivery
    reason: str
    died_at: int
