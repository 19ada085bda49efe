"""HTTP calls of sources: to addresses that were judged, with a limit on time and size.

Each connection goes to the very address that `Reach` judged, while certificates are checked for the
name; a redirect is a call of its own, judged anew, and keys do not follow it to another host.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import msgspec

from onefold.collect.addresses import Reach
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.retry_after import asked_until

if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 64 << 20
_MOST_REDIRECTS = 5
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
"""What goes along to another host, or from TLS to plain text: nothing that may be a key."""
_PORTS = {"http": 80, "https": 443}
_TOO_MANY = 429
_RESETS = ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset")
_DIGITS_OF_A_MOMENT, _MOST_DIGITS = 10, 18
_SECOND = 1_000_000
_LONGEST_WAIT = 24 * 3600 * _SECOND


class Answer(msgspec.Struct, frozen=True):
    """What came back: header names in lower case, the whole body, and the URL that gave it."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts; reading them takes as long as many calls."""
    return ssl.create_default_context()


class Fetcher:
    """Sends requests on behalf of one source; not for use by several threads."""

    def __init__(
        self,
        reach: Reach,
        *,
        timeout: float = 60.0,
        max_bytes: int = MAX_ANSWER,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        import httpx  # noqa: PLC0415 - only sources that call something need it

        self._reach = reach
        self._timeout = timeout
        self._max_bytes = max_bytes
        # Proxies of the environment would be called instead of the address that was judged.
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)),
            verify=tls or _trusted(),
        )

    def fetch(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        """The answer, whatever its status; `Unreachable` if there is none in time, or too much."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._once(method, url, headers, content)
            place = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not place:
                return answer
            if method != "GET":
                raise Unreachable(f"{host_of(url)} sends a {method} on to another address")
            target = urljoin(url, place)
            if host_of(target) != host_of(url) or _scheme(target) < _scheme(url):
                headers = {k: v for k, v in headers.items() if k.lower() in _HARMLESS}
            url = target
        raise Unreachable(f"{host_of(url)} redirects again and again")

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _once(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        import httpx  # noqa: PLC0415

        request = self._request(method, url, headers, content)
        deadline = time.monotonic() + self._timeout
        try:
            response = self._client.send(request, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > self._max_bytes:
                        most = self._max_bytes >> 20
                        raise Unreachable(f"{host_of(url)} answers with more than {most} MiB")
                    if time.monotonic() > deadline:
                        raise Unreachable(f"{host_of(url)} took longer than {self._timeout:g} s")
            finally:
                response.close()
        except httpx.HTTPError as error:
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise Unreachable(f"{host_of(url)} does not answer: {said}") from error
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, names, bytes(body), url)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> httpx.Request:
        """A request to the judged address that names the host it is for."""
        parts = urlsplit(check_url(url))
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        address = self._reach.address_of(host, port)
        shown = f"[{address}]" if ":" in address else address
        named = f"[{host}]" if ":" in host else host
        extensions: dict[str, Any] = {"sni_hostname": host} if parts.scheme == "https" else {}
        given = {**headers, "Host": named if parts.port is None else f"{named}:{parts.port}"}
        target = parts._replace(netloc=f"{shown}:{port}", fragment="").geturl()
        return self._client.build_request(
            method, target, headers=given, content=content or None, extensions=extensions
        )


def asked_wait(answer: Answer) -> float:
    """For how many seconds an answer asks to be left alone, a day at most; 0 if it says nothing.

    Who sends no `Retry-After` may say when the next call is free: as a moment, or as seconds until then.
    """
    now = int(time.time() * _SECOND)
    text = answer.headers.get("retry-after", "").strip()
    if not text and answer.status == _TOO_MANY:
        given = (answer.headers.get(name, "").strip() for name in _RESETS)
        text = next((one for one in given if one.isascii() and one.isdigit()), "")
        if len(text) >= _DIGITS_OF_A_MOMENT:
            text = str(max(0, int(text[:_MOST_DIGITS]) - now // _SECOND))
    asked = asked_until(text, now, _LONGEST_WAIT)
    return (asked - now) / _SECOND if asked else 0.0


def check_url(url: str) -> str:
    """The same URL; `InvalidInput` if it is none of http or https with a host."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port or 1) > 0
        named = parts.username is not None or parts.password is not None
    except ValueError:
        fine = named = False
    if not fine or named:
        hint = "https:// and a host; names and passwords belong into `auth`"
        raise InvalidInput("this cannot be called", [Fault("is no URL to call", "url", hint)])
    return url


def _scheme(url: str) -> str:
    return urlsplit(url).scheme


def host_of(url: str) -> str:
    """The host that a URL names: what may be told of it, as its query may hold keys."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or "?"
    except ValueError:
        return "?"
