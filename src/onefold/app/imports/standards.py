"""What values can be standardized to, and what comes of some that somebody tries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from onefold.model.conversion import nearest
from onefold.model.errors import Fault, InvalidInput
from onefold.standardize.library import STANDARDS, over


class ListedStandard(msgspec.Struct, frozen=True):
    """A standard: how it is called in a mapping, what it gives, and on whose authority."""

    name: str
    gives: str
    source: str


class TriedValue(msgspec.Struct, frozen=True):
    """What a value becomes, null where it is no such thing, and how often it stood there."""

    value: str
    becomes: Any
    rows: int


def listed() -> list[ListedStandard]:
    """All standards."""
    return [ListedStandard(name, one.means, one.source) for name, one in STANDARDS.items()]


def tried(name: str, values: Sequence[str], country: str | None = None) -> list[TriedValue]:
    """What these values become, the most frequent first."""
    if name not in STANDARDS:
        fault = Fault(f"{name!r} is not known", "", nearest(name, STANDARDS))
        raise InvalidInput("there is no such standard", [fault])
    rows = Counter(values)
    order = sorted(rows, key=lambda one: -rows[one])
    made = over(name, order, country.upper() if country else None)
    return [
        TriedValue(value, _plain(one), rows[value]) for value, one in zip(order, made, strict=True)
    ]


def _plain(value: Any) -> Any:
    """The parts that are there, of what has parts."""
    if not hasattr(value, "_asdict"):
        return value or None if isinstance(value, str) else value
    return {name: one for name, one in value._asdict().items() if one}
