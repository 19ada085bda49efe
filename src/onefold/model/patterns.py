"""Patterns that people write: regular expressions that no text makes slow (RE2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

_MOST_VALUES = 4_096


def matcher(pattern: str) -> Callable[[Any], bool]:
    """Does the whole of a text match a pattern? In a time that grows with the text only.

    Raises `ValueError` if it is no pattern.
    """
    # Only here: a process that never meets a pattern does without these 40 MB.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    whole = rf"\A(?:{pattern})\z"
    pc.match_substring_regex(pa.scalar(""), pattern=whole)

    @lru_cache(maxsize=_MOST_VALUES)
    def matches(text: str) -> bool:
        return bool(pc.match_substring_regex(pa.scalar(text), pattern=whole).as_py())

    return lambda value: isinstance(value, str) and matches(value)
