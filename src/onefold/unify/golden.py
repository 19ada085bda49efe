"""Survivorship: which of a profile's claims becomes the golden value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from onefold.model.profile import Statement


class Winner(NamedTuple):
    """The claim that a golden value came from."""

    value: Any
    source: str
    time: int
    message_id: str


class Survivorship(Protocol):
    """Picks, for each trait, one claim among those of all nodes of a profile."""

    def __call__(self, statements: Iterable[Statement]) -> dict[str, Winner]:
        """Map each trait to its winner; must not depend on the order of the statements."""


def last_writer(statements: Iterable[Statement]) -> dict[str, Winner]:
    """The last claim wins, by time, then message id, then source.

    Claims that only repeat what is known (`context.traits` of later events) lose to any claim of an
    `identify`, because the moment of repetition is not the moment of knowing.
    """
    best: dict[str, tuple[tuple[bool, int, str, str], Winner]] = {}
    for statement in statements:
        order = (*statement.order, statement.source)
        for trait, value in statement.traits.items():
            known = best.get(trait)
            if known is None or order > known[0]:
                winner = Winner(value, statement.source, statement.time, statement.message_id)
                best[trait] = (order, winner)
    return {trait: best[trait][1] for trait in sorted(best)}


def golden_record(
    statements: Iterable[Statement], survivorship: Survivorship = last_writer
) -> dict[str, Winner]:
    """The golden traits, each with its claim. A trait whose last claim is null is absent."""
    winners = survivorship(statements)
    return {trait: won for trait, won in winners.items() if won.value is not None}
