"""Memory that the allocator keeps though nobody uses it."""

from __future__ import annotations

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""Only the GNU C library has it."""


def give_back() -> None:
    """Give free memory back to the system: what is free only between other things is else kept for good.

    Takes a few milliseconds; for after what needed much at once.
    """
    if _trim is not None:
        _trim(0)
