"""Calls of one API: with a key or token, no faster than it allows, again where it says so."""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from onefold.collect.fetching import Answer, Fetcher, asked_wait, host_of
from onefold.collect.sources.rest.answers import Refused, decoded, judged, told
from onefold.collect.sources.rest.settings import RestSettings
from onefold.collect.sources.rest.tokens import Tokens, basic
from onefold.collect.sources.rest.values import with_query
from onefold.model.errors import Busy, Unreachable
from onefold.model.refresh_tokens import TokenKeeper

_TRIES = 5
_FIRST_WAIT = 1.0


class Caller:
    """Calls one API. Waiting is given to whoever asks, as seconds, so that it can stop meanwhile."""

    def __init__(
        self, settings: RestSettings, fetcher: Fetcher, keeper: TokenKeeper | None = None
    ) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._base = settings.base_url.rstrip("/") + "/"
        self._tokens = Tokens(settings, fetcher, self.address, keeper)
        self._free_at = 0.0

    def call(
        self, method: str, path: str, query: Mapping[str, Any], body: Any
    ) -> Generator[float, None, tuple[Any, Answer]]:
        """Asks for seconds to wait, any number of times; then returns what came back, decoded."""
        renewed = False
        for attempt in range(1, _TRIES + 1):
            yield from self._pace()
            try:
                answer = yield from self._send(method, path, query, body)
            except Refused:
                raise
            except Unreachable:
                if attempt == _TRIES:
                    raise
                yield _backoff(attempt)
                continue
            said = decoded(answer)
            verdict = judged(self._settings.failure, answer, said)
            if verdict == "token" and self._settings.auth.type == "oauth2" and not renewed:
                self._tokens.drop()
                renewed = True
                continue
            if verdict == "fine":
                return said, answer
            if verdict != "again":
                raise Refused(told(self._settings.failure, answer, said), answer.status)
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

    def _send(
        self, method: str, path: str, query: Mapping[str, Any], body: Any
    ) -> Generator[float, None, Answer]:
        headers = {"Accept": "application/json", "User-Agent": "onefold", **self._settings.headers}
        extra = yield from self._authorized(headers)
        url = with_query(self.address(path), {**query, **extra})
        content = b""
        if body is not None:
            content = msgspec.json.encode(body)
            headers.setdefault("Content-Type", "application/json")
        return self._fetcher.fetch(method, url, headers, content)

    def _authorized(self, headers: dict[str, str]) -> Generator[float, None, dict[str, str]]:
        """Put the key into the headers, or give it as a parameter of the query."""
        auth = self._settings.auth
        if auth.type == "basic":
            headers["Authorization"] = basic(auth.user, auth.password)
        elif auth.type != "none":
            token = (yield from self._tokens.current()) if auth.type == "oauth2" else auth.token
            if auth.type == "bearer" or (auth.type == "oauth2" and not auth.name):
                headers["Authorization"] = f"Bearer {token}"
            elif auth.where == "query":
                return {auth.name: token}
            else:
                headers[auth.name] = f"{auth.prefix}{token}"
        return {}


def _backoff(attempt: int) -> float:
    return float(_FIRST_WAIT * 3 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311
