"""Calls of one API: with a key or token, no faster than it allows, again where it says so."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urljoin, urlsplit

import msgspec

from onefold.collect.fetching import Answer, Fetcher, asked_wait, host_of
from onefold.collect.sources.rest.settings import Auth, Failure, RestSettings
from onefold.collect.sources.rest.values import at
from onefold.model.errors import Busy, Unreachable

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_TRIES = 5
_FIRST_WAIT = 1.0
_SHOWN = 300
_EARLY = 60.0
_FORGETFUL = 3600.0
UNAUTHORIZED = 401


class Refused(Unreachable):
    """The API says that this call will never work: wrong, not allowed, or gone."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Caller:
    """Calls one API. Waiting is given to whoever asks, as seconds, so that it can stop meanwhile."""

    def __init__(self, settings: RestSettings, fetcher: Fetcher) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._base = settings.base_url.rstrip("/") + "/"
        self._token = ""
        self._expires = 0.0
        self._free_at = 0.0

    def call(
        self, method: str, path: str, query: Mapping[str, Any], body: Any
    ) -> Generator[float, None, tuple[Any, Answer]]:
        """Asks for seconds to wait, any number of times; then returns what came back, decoded."""
        renewed = False
        for attempt in range(1, _TRIES + 1):
            yield from self._pace()
            try:
                answer = self._send(method, path, query, body)
            except Refused:
                raise
            except Unreachable:
                if attempt == _TRIES:
                    raise
                yield _backoff(attempt)
                continue
            said = _decoded(answer)
            verdict = self._judge(answer, said)
            if verdict == "token" and self._settings.auth.type == "oauth2" and not renewed:
                self._token, renewed = "", True
                continue
            if verdict == "fine":
                return said, answer
            if verdict != "again":
                raise Refused(self._told(answer, said), answer.status)
            wait = asked_wait(answer)
            if wait > self._settings.patience or attempt == _TRIES:
                raise Busy(f"{host_of(answer.url)} wants to be called later", max(wait, 30.0))
            yield wait or _backoff(attempt)
        raise Unreachable(f"{host_of(self._base)} takes no token that it gives")

    def address(self, path: str) -> str:
        """The URL of a path; one of another host is refused, as our key would go there."""
        url = urljoin(self._base, path if "://" in path else path.lstrip("/"))
        if path.startswith("/") and "://" not in path:
            root = urlsplit(self._base)
            # A path from the root, as answers give it, may repeat the path of the base.
            if path.startswith(root.path) and root.path != "/":
                url = f"{root.scheme}://{root.netloc}{path}"
        if (
            host_of(url) != host_of(self._base)
            or urlsplit(url).scheme != urlsplit(self._base).scheme
        ):
            raise Refused(f"{host_of(self._base)} sends us on to {host_of(url)}", 0)
        return url

    def _pace(self) -> Iterator[float]:
        wait = self._free_at - time.monotonic()
        if wait > 0:
            yield wait
        self._free_at = time.monotonic() + 1.0 / self._settings.rate

    def _send(self, method: str, path: str, query: Mapping[str, Any], body: Any) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": "onefold", **self._settings.headers}
        extra = self._authorized(headers)
        url = _with_query(self.address(path), {**query, **extra})
        content = b""
        if body is not None:
            content = msgspec.json.encode(body)
            headers.setdefault("Content-Type", "application/json")
        return self._fetcher.fetch(method, url, headers, content)

    def _authorized(self, headers: dict[str, str]) -> dict[str, str]:
        """Put the key into the headers, or give it as a parameter of the query."""
        auth = self._settings.auth
        if auth.type == "basic":
            headers["Authorization"] = _basic(auth.user, auth.password)
        elif auth.type != "none":
            token = self._current_token() if auth.type == "oauth2" else auth.token
            if auth.type == "bearer" or (auth.type == "oauth2" and not auth.name):
                headers["Authorization"] = f"Bearer {token}"
            elif auth.where == "query":
                return {auth.name: token}
            else:
                headers[auth.name] = f"{auth.prefix}{token}"
        return {}

    def _current_token(self) -> str:
        if not self._token or time.monotonic() > self._expires:
            auth = self._settings.auth
            answer = self._token_answer(auth)
            said = _decoded(answer)
            token = at(said, auth.at)
            if answer.status >= 400 or not isinstance(token, str) or not token:
                told = f"no token is given: {self._told(answer, said)}"
                if self._judge(answer, said) == "again":
                    raise Unreachable(told)
                raise Refused(told, UNAUTHORIZED)
            lasts = at(said, auth.expires)
            seconds = float(lasts) if isinstance(lasts, (int, float)) else _FORGETFUL
            # Some write the moment, in milliseconds, where others write for how long.
            seconds = seconds / 1000 - time.time() if seconds > 1e11 else seconds
            self._token, self._expires = token, time.monotonic() + max(seconds - _EARLY, 1.0)
        return self._token

    def _token_answer(self, auth: Auth) -> Answer:
        fields = {
            "grant_type": auth.grant,
            "client_id": auth.client_id,
            "client_secret": auth.client_secret,
            "refresh_token": auth.refresh_token,
            "scope": auth.scope,
            **auth.fields,
        }
        fields = {name: value for name, value in fields.items() if value}
        url = auth.url if "://" in auth.url else self.address(auth.url)
        headers = {"Accept": "application/json", "User-Agent": "onefold"}
        if auth.send == "query":
            return self._fetcher.fetch("GET", _with_query(url, fields), headers)
        if auth.send == "basic":
            # RFC 6749, 2.3.1: each is encoded as in a form before they are joined.
            pair = (quote_plus(fields.pop(name, "")) for name in ("client_id", "client_secret"))
            headers["Authorization"] = _basic(*pair)
        form = auth.send in ("form", "basic")
        headers["Content-Type"] = (
            "application/x-www-form-urlencoded" if form else "application/json"
        )
        content = urlencode(fields).encode() if form else msgspec.json.encode(fields)
        return self._fetcher.fetch("POST", url, headers, content)

    def _judge(self, answer: Answer, said: Any) -> str:
        """`fine`, `again`, `token` (with a new one), or `never`."""
        failure = self._settings.failure
        code = _code(failure, said)
        if answer.status in _AGAIN or (failure and code in failure.again):
            return "again"
        if answer.status == UNAUTHORIZED or (failure and code in failure.token):
            return "token"
        if answer.status >= 300 or said is msgspec.UNSET:
            return "never"
        return "fine" if failure is None or code is None or code in failure.fine else "never"

    def _told(self, answer: Answer, said: Any) -> str:
        """What the API says of its refusal, without the URL: its query may hold a key."""
        failure = self._settings.failure
        text = str(at(said, failure.message) or "") if failure and failure.message else ""
        text = text or " ".join(answer.body[:_SHOWN].decode("utf-8", "replace").split())
        where = f"{host_of(answer.url)}{urlsplit(answer.url).path}"
        said_what = "with what is no JSON" if said is msgspec.UNSET and answer.status < 300 else ""
        return f"{where} answers {answer.status} {said_what}: {text}".replace(" :", ":")


def _code(failure: Failure | None, said: Any) -> Any:
    """The code by which an answer says how it went; None where it says none."""
    if failure is None:
        return None
    places = (failure.at,) if isinstance(failure.at, str) else failure.at
    return next((code for place in places if (code := at(said, place)) is not None), None)


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _decoded(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body) if answer.body else None
    except (msgspec.DecodeError, RecursionError):
        return msgspec.UNSET


def _with_query(url: str, query: Mapping[str, Any]) -> str:
    """The URL with more parameters; what it names already stays as it is."""
    if not query:
        return url
    parts = urlsplit(url)
    named = parse_qsl(parts.query, keep_blank_values=True)
    have = {name for name, _ in named}
    more = [(name, _text(value)) for name, value in query.items() if name not in have]
    return parts._replace(query=urlencode([*named, *more])).geturl()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _backoff(attempt: int) -> float:
    return float(_FIRST_WAIT * 3 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311
