"""How much a source may send: a bucket of events that refills with time."""

from __future__ import annotations


class Allowance:
    """`per_second` events a second; a burst of one second's worth, and whole batches, pass.

    >>> allowance = Allowance(per_second=100, now=0)
    >>> allowance.take(250)
    >>> allowance.wait(now=0), allowance.wait(now=2_000_000)
    (1.5, 0.0)
    """

    def __init__(self, per_second: int, now: int) -> None:
        self.per_second = per_second
        self._level = float(per_second)
        self._at = now

    def wait(self, now: int) -> float:
        """The seconds until more may be taken, at a time in microseconds; 0 where it may be now."""
        elapsed = max(now - self._at, 0) / 1_000_000
        self._level = min(self._level + elapsed * self.per_second, self.per_second)
        self._at = now
        return max(-self._level / self.per_second, 0.001) if self._level <= 0 else 0.0

    def take(self, events: int) -> None:
        """Take events. A batch passes whole, and its excess is owed: a larger one could never pass otherwise."""
        self._level -= events
