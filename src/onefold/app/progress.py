"""How far long work is, said to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[int, int, str], None]
"""Says that so many of so many (0: not known) are done, and in words at what it is."""


def tell_nobody(done: int, total: int = 0, step: str = "") -> None:
    """Progress that nobody waits for."""
