"""How much each source may send: what comes faster waits for its turn, and is refused only where too much waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from onefold.collect.allowance import Allowance
from onefold.model.errors import RateLimited
from onefold.model.sources import Source

_MOST_BYTES = 64 << 20
Sleep = Callable[[float], Awaitable[None]]


class Limits:
    """One for each door. A call waits at most `longest` seconds, all that wait hold at most 64 MiB."""

    def __init__(
        self, clock_us: Callable[[], int], longest: float, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock_us
        self._longest = longest
        self._sleep = sleep
        self._allowances: dict[str, Allowance] = {}
        self._waiting = 0

    async def turn(self, source: Source, events: int, size: int) -> None:
        """Return when this source may send so many events of so many bytes; raises `RateLimited`."""
        per_second = source.events_per_second
        if not per_second:
            return
        now = self._clock()
        allowance = self._allowances.get(source.id)
        if allowance is None or allowance.per_second != per_second:
            allowance = self._allowances[source.id] = Allowance(per_second, now)
        wait = allowance.wait(now)
        if wait > self._longest or (wait and self._waiting + size > _MOST_BYTES):
            raise RateLimited(f"this source may send {per_second:,} events a second", wait)
        allowance.take(events)
        if not wait:
            return
        self._waiting += size
        try:
            await self._sleep(wait)
        finally:
            self._waiting -= size
