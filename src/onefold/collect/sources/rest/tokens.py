"""Tokens by OAuth 2: asked for when there is none that holds, and what is used up in asking is kept first."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote_plus, urlencode

import msgspec

from onefold.collect.fetching import Answer, Fetcher
from onefold.collect.sources.rest.answers import UNAUTHORIZED, Refused, decoded, judged, told
from onefold.collect.sources.rest.settings import RestSettings
from onefold.collect.sources.rest.values import at, with_query
from onefold.model.errors import Busy, Unreachable
from onefold.model.refresh_tokens import TokenKeeper, Turn

_EARLY = 60.0
_FORGETFUL = 3600.0
_MOMENT = 1e11
_LOOK_SECONDS = 0.25
_REFRESH = "refresh_token"


class Tokens:
    """Gives the token that holds now. Waiting is given to whoever asks, as seconds."""

    def __init__(
        self,
        settings: RestSettings,
        fetcher: Fetcher,
        address: Callable[[str], str],
        keeper: TokenKeeper | None,
    ) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._address = address
        self._keeper = keeper or Unkept()
        self._token = ""
        self._expires = 0.0

    def drop(self) -> None:
        """The API takes it no more."""
        self._token = ""

    def current(self) -> Generator[float, None, str]:
        """Asks for seconds to wait while another process renews the same; then returns the token."""
        if self._token and time.monotonic() <= self._expires:
            return self._token
        fields = self._fields()
        given = fields.get(_REFRESH)
        if not given:
            return self._taken(self._asked(fields))
        left = self._settings.patience
        while True:
            with self._keeper.turn(given) as turn:
                if turn is not None:
                    return self._exchanged(turn, fields)
            if left <= 0:
                raise Busy("another process has been renewing the same token for long", 30.0)
            left -= _LOOK_SECONDS
            yield _LOOK_SECONDS

    def _exchanged(self, turn: Turn, fields: dict[str, str]) -> str:
        answer = self._asked({**fields, _REFRESH: turn.token})
        new = at(decoded(answer), self._settings.auth.renewed_at)
        if answer.status < 400 and isinstance(new, str) and new:
            # Before anything is done with the token that came with it: nobody gives this one twice.
            self._keeper.hide(new)
            turn.keep(new)
        elif answer.status < 400 and self._token_in(answer):
            turn.keep("")
        else:
            turn.refused()
        return self._taken(answer, turn)

    def _taken(self, answer: Answer, turn: Turn | None = None) -> str:
        """The token in an answer, which holds from now on."""
        auth, failure = self._settings.auth, self._settings.failure
        said, token = decoded(answer), self._token_in(answer)
        if answer.status >= 400 or not token:
            message = f"no token is given: {told(failure, answer, said)}"
            if judged(failure, answer, said) == "again":
                raise Unreachable(message)
            raise Refused(message + (_hint(turn) if turn else ""), UNAUTHORIZED)
        self._keeper.hide(token)
        lasts = at(said, auth.expires)
        seconds = float(lasts) if isinstance(lasts, (int, float)) else _FORGETFUL
        # Some write the moment, in milliseconds, where others write for how long.
        seconds = seconds / 1000 - time.time() if seconds > _MOMENT else seconds
        self._token, self._expires = token, time.monotonic() + max(seconds - _EARLY, 1.0)
        return token

    def _token_in(self, answer: Answer) -> str:
        token = at(decoded(answer), self._settings.auth.at)
        return token if isinstance(token, str) else ""

    def _fields(self) -> dict[str, str]:
        auth = self._settings.auth
        fields = {
            "grant_type": auth.grant,
            "client_id": auth.client_id,
            "client_secret": auth.client_secret,
            _REFRESH: auth.refresh_token,
            "scope": auth.scope,
            **auth.fields,
        }
        return {name: value for name, value in fields.items() if value}

    def _asked(self, fields: dict[str, str]) -> Answer:
        auth = self._settings.auth
        fields = dict(fields)
        url = auth.url if "://" in auth.url else self._address(auth.url)
        headers = {"Accept": "application/json", "User-Agent": "onefold"}
        if auth.send == "query":
            return self._fetcher.fetch("GET", with_query(url, fields), headers)
        if auth.send == "basic":
            # RFC 6749, 2.3.1: each is encoded as in a form before they are joined.
            pair = (quote_plus(fields.pop(name, "")) for name in ("client_id", "client_secret"))
            headers["Authorization"] = basic(*pair)
        form = auth.send in ("form", "basic")
        headers["Content-Type"] = (
            "application/x-www-form-urlencoded" if form else "application/json"
        )
        content = urlencode(fields).encode() if form else msgspec.json.encode(fields)
        return self._fetcher.fetch("POST", url, headers, content)


class Unkept:
    """Keeps tokens for as long as the source is open; for who reads it without a workspace."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}

    @contextmanager
    def turn(self, given: str) -> Iterator[Turn | None]:
        """The right to exchange a token, which nobody else knows."""
        yield _UnkeptTurn(self._newest, given)

    def hide(self, token: str) -> None:
        """Nothing: whoever reads so sees what is told."""


class _UnkeptTurn:
    lost_at = 0

    def __init__(self, newest: dict[str, str], given: str) -> None:
        self._newest = newest
        self._given = given
        self.token = newest.get(given, given)

    def keep(self, token: str) -> None:
        if token:
            self._newest[self._given] = token

    def refused(self) -> None:
        pass


def basic(user: str, password: str) -> str:
    """The header that says a name and password (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _hint(turn: Turn) -> str:
    """What to do about a refresh token that is taken no more."""
    hint = (
        "; if the refresh token is used up, revoked or expired, authorize Onefold there anew and set the"
        " secret that `auth.refresh_token` names"
    )
    if not turn.lost_at:
        return hint
    since = datetime.fromtimestamp(turn.lost_at / 1e6, UTC)
    return (
        f"{hint} (the answer to a call at {since:%Y-%m-%d %H:%M:%S} UTC was never kept, as the connection or"
        " the process broke off: a new token may have been in it)"
    )
