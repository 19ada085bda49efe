"""Waiting in tests for what others do: long, for patience costs time only where something is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 300.0
"""Seconds that also a machine which is slow and busy with other work keeps to."""

Found = TypeVar("Found")


def wait_until(
    found: Callable[[], Found], what: str, seconds: float = PATIENCE, pause: float = 0.02
) -> Found:
    """Ask until the answer is true, and give it; TimeoutError that says what never came.

    Hand in `pause=0` where asking is the work that brings it about.
    """
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}; the last answer was {answer!r}")
        time.sleep(pause)
    return answer


def wait_until_none(left: Callable[[], int], what: str, pause: float = 0.2) -> None:
    """Wait for work to be done however much it is, as long as less and less of it is left."""
    while most := left():
        wait_until(lambda most=most: left() < most, what, pause=pause)  # type: ignore[misc]
