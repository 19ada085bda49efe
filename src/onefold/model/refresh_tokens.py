"""Refresh tokens that may be used once: the answer to each holds the next one, and whoever loses that is locked out."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Turn(Protocol):
    """The right to exchange one token; nobody else does before it ends.

    That the token is asked about is durable, and so is known to be writable, before the turn begins.
    """

    @property
    def token(self) -> str:
        """The newest: the one that was given, or what came in its place."""

    @property
    def lost_at(self) -> int:
        """When it was asked about last without an answer that was kept (µs); 0 where none is missing."""

    def keep(self, token: str) -> None:
        """It was exchanged, for this one (empty: it stays good). On return that is durable."""

    def refused(self) -> None:
        """There was an answer, which exchanged nothing."""


class TokenKeeper(Protocol):
    """Who keeps refresh tokens for a source, across its runs and for all processes."""

    def turn(self, given: str) -> AbstractContextManager[Turn | None]:
        """The right to exchange what came of the token that a definition gives; None while another has it."""

    def hide(self, token: str) -> None:
        """Whatever is told from now on holds this nowhere."""
