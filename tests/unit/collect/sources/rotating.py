"""An API whose refresh tokens are used up when they are exchanged, and what it makes of one that comes again."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from tests.unit.collect.sources.api_server import Asked, Reply

Hook = Callable[[], None]


def nothing() -> None:
    """Happens at no time that a test cares about."""


class Rotating:
    """Gives a new refresh token in each answer. A used one that comes again revokes all of them.

    With `grace` the one before still is good until the newest was used. `exchanging` and `calling` happen
    before it answers, when all is decided.
    """

    def __init__(self, *, grace: bool = False) -> None:
        self.grace = grace
        self.asked: list[str] = []
        self.exchanging = self.calling = nothing
        self.reused = 0
        self._number = 0
        self._access = ""
        self._good: list[str] = []
        self.first = self.authorized()

    def authorized(self) -> str:
        """A new token, as somebody gets who agrees in a browser; earlier ones end."""
        self._number += 1
        self._good = [f"refresh-{self._number}-begun"]
        return self._good[0]

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            return self._exchange(parse_qs(asked.raw.decode())["refresh_token"][0])
        self.calling()
        if asked.headers.get("authorization") != f"Bearer {self._access}":
            return 401, {"error": asked.headers.get("authorization")}
        return 200, {"data": [{"id": 1}, {"id": 2}]}

    def _exchange(self, given: str) -> Reply:
        self.asked.append(given)
        if given not in self._good:
            self.reused += 1
            self._good, self._access = [], ""
            return 400, {"error": "invalid_grant", "error_description": f"{given} was used"}
        self._number += 1
        new = f"refresh-{self._number}-given"
        self._access = f"access-{self._number}"
        self._good = [given, new] if self.grace and given == self._good[-1] else [new]
        self.exchanging()
        return 200, {
            "access_token": self._access,
            "refresh_token": new,
            "expires_in": 3600,
        }
