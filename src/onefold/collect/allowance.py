"""How much a source may send: a bucket of events that refills with time."""

from __future__ import annotations


class Allowance:
    """`per_second` events a second; a burst of one second's worth, and whole batches, pass.

    >>> allowance = Allowance(per_second=100, now=0)
    >>> allowance.take(250, now=0), allowance.take(1, now=0)
    (0.0, 1.5)
    """

    def __init__(self, per_second: int, now: int) -> None:
        self.per_second = per_second
        self._level = float(per_second)
        self._at = now

    def take(self, events: int, now: int) -> float:
        """Take events at a time in microseconds; the seconds to wait if that was refused, else 0.

        A batch passes whole while anything is left, and its excess is owed: a batch larger than
        the bucket could never pass otherwise.
        """
        elapsed = max(now - self._at, 0) / 1_000_000
        self._level = min(self._level + elapsed * self.per_second, self.per_second)
        self._at = now
        if self._level <= 0:
            return max(-self._level / self.per_second, 0.001)
        self._level -= events
        return 0.0
