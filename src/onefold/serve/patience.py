"""Connections whose request never begins: the server would keep them for ever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Patience:
    """Closes a connection once the head of its request has been awaited for `seconds`.

    Idle connections between two requests have a limit of their own, and bodies another.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[Any, float] = {}

    def look(self, connections: Iterable[Any], now: float) -> None:
        """Look at all connections of uvicorn; called every few seconds."""
        waiting = [one for one in connections if _awaits_head(one)]
        self._since = {one: self._since.get(one, now) for one in waiting}
        for one, since in self._since.items():
            if now - since > self._seconds:
                one.transport.close()


def _awaits_head(connection: Any) -> bool:
    cycle = connection.cycle
    begun = cycle is None or cycle.response_complete
    return begun and connection.timeout_keep_alive_task is None
