"""How long each step of a batch takes; measured round the steps, not inside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Adds up seconds per step."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Measure one step."""
        start = perf_counter()
        try:
            yield
        finally:
            self._seconds[step] = self._seconds.get(step, 0.0) + perf_counter() - start

    def lap(self) -> dict[str, float]:
        """The seconds per step since the last lap."""
        seconds, self._seconds = self._seconds, {}
        return seconds
