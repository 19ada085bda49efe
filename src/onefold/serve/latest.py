"""One answer for all who ask the same within a moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """What `look` gives, at most `seconds` old; however many ask, one at a time looks."""

    def __init__(self, look: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._found: tuple[float, T] | None = None

    async def get(self) -> T:
        """The latest."""
        async with self._turn:
            now = time.monotonic()
            if self._found is None or now - self._found[0] > self._seconds:
                self._found = (now, await self._look())
            return self._found[1]
