"""How a reason reads: where, what is wrong, and what to do about it."""

from __future__ import annotations

from typing import Any

from onefold.model.errors import Fault

_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false"}


def explain(where: str, message: str, hint: str = "") -> str:
    """One reason as text.

    >>> explain("event", "is missing", "name what happened")
    'event: is missing (name what happened)'
    """
    return str(Fault(message=message, where=where, hint=hint))


def wrong_type(where: str, expected: str, value: Any) -> str:
    """The reason for a value of another JSON type than expected."""
    return explain(where, f"is {_NAMES.get(type(value), 'a number')}", f"send {expected}")
