"""Blocking work beside the event loop, in lanes, so that no kind of it crowds out another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from onefold.model.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """Runs blocking work in threads, `at_once` at the same time; `Busy` once `waiting` more wait."""

    def __init__(self, name: str, at_once: int, waiting: int) -> None:
        self._name = name
        self._most = at_once + waiting
        self._inside = 0
        self._turns = asyncio.Semaphore(at_once)

    async def run(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """The result of `work`, or what it raised."""
        if self._inside >= self._most:
            raise Busy(f"too many {self._name} at once; ask again a little later", 1)
        self._inside += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *args, **more)
        finally:
            self._inside -= 1
