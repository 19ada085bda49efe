"""Leaves a destination alone for a while when everything sent to it fails."""

from __future__ import annotations

SECOND = 1_000_000
FAILURES = 5
LONGEST_PAUSE = 60 * SECOND


class Circuit:
    """Whether a destination may be sent to, and how much at a time.

    After five failures in a row it pauses; after the pause one delivery at a time is tried. As
    long as that fails too, the pauses grow to a minute. One success ends it.

    >>> circuit = Circuit()
    >>> for _ in range(5): circuit.failed(now=0, jitter=1.0)
    >>> circuit.room(now=1, at_most=8), circuit.room(now=1_000_000, at_most=8)
    (0, 1)
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pauses = 0
        self._since = 0
        self.until = 0

    def room(self, now: int, at_most: int) -> int:
        """How many may be under way at a time now."""
        if self.paused(now):
            return 0
        return 1 if self._failures >= FAILURES else at_most

    def paused(self, now: int) -> bool:
        # A clock that was set back must not make a pause longer.
        return self._since <= now < self.until

    def succeeded(self) -> None:
        self._failures = self._pauses = 0

    def failed(self, now: int, jitter: float) -> None:
        """Count a failure; those of sends begun before a pause do not make it longer."""
        self._failures += 1
        if self._failures >= FAILURES and not self.paused(now):
            longest = min(SECOND << min(self._pauses, 6), LONGEST_PAUSE)
            self._pauses += 1
            self.pause(now, now + int(longest * (0.5 + jitter / 2)))

    def pause(self, now: int, until: int) -> None:
        """Send nothing before a time, as the destination asked."""
        if not self.paused(now) or until > self.until:
            self._since, self.until = now, until
