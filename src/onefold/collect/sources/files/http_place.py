"""A file behind a URL, as far as a place of files is asked: looked at, and fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from onefold.collect.addresses import Reach
from onefold.model.errors import Fault, InvalidInput, TooLarge, Unauthorized, Unreachable

_TIMEOUT = 60.0
_PIECE = 1 << 20
_LARGEST, _SMALL, _RATIO = 256 << 30, 100 << 20, 200
_NO_HEAD = (400, 403, 404, 405, 501)
"""What servers answer that are only to be asked for the file: URLs that are signed for one method."""


class HttpPlace:
    """One URL. It is called at the address that was judged, and where it leads elsewhere is not followed."""

    def __init__(self, reach: Reach, access: Mapping[str, Any]) -> None:
        self._reach = reach
        self._headers = dict(access.get("headers", {}))
        name, password = access.get("username"), access.get("password")
        self._auth = (str(name), str(password)) if name is not None else None

    def info(self, url: str) -> dict[str, Any]:
        """How long it is, and when it was changed, as far as it says so."""
        for method in ("HEAD", "GET"):
            with self._answer(method, url) as answer:
                if method == "HEAD" and answer.status_code in _NO_HEAD:
                    continue
                _check(answer, url)
                told = answer.headers
                return {
                    "size": told.get("content-length"),
                    "mtime": told.get("etag") or told.get("last-modified"),
                    "type": "file",
                }
        raise AssertionError("one of the two was asked")

    def glob(self, url: str, detail: bool = True) -> dict[str, dict[str, Any]]:
        """That it is there."""
        return {url: self.info(url)} if detail else {}

    def exists(self, url: str) -> bool:
        """That is said by asking for it."""
        return True

    def get_file(self, url: str, target: str) -> None:
        """Fetch it; what is packed on the way is unpacked within bounds."""
        with self._answer("GET", url) as answer, Path(target).open("wb") as file:
            _check(answer, url)
            for piece in _pieces(answer, url):
                file.write(piece)
                packed = answer.num_bytes_downloaded
                if file.tell() > min(_LARGEST, max(_SMALL, packed * _RATIO)):
                    fault = Fault(f"unpacks to more than {file.tell():,} bytes", url)
                    raise TooLarge(f"{url} is not read", [fault])

    @contextmanager
    def _answer(self, method: str, url: str) -> Iterator[httpx.Response]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._reach.address_of(host, port)
        at = f"[{address}]" if ":" in address else address
        place = parts._replace(netloc=f"{at}:{port}", fragment="").geturl()
        host_told = parts.netloc.rpartition("@")[2]
        headers = {"Accept-Encoding": "identity", **self._headers, "Host": host_told}
        try:
            with (
                httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    method,
                    place,
                    headers=headers,
                    auth=self._auth,
                    extensions={"sni_hostname": host},
                ) as answer,
            ):
                yield answer
        except httpx.HTTPError as error:
            raise Unreachable(f"{url} does not answer: {error}") from error


def _check(answer: httpx.Response, url: str) -> None:
    """Raise unless it is the file: what may be otherwise the next time is no fault of what was said."""
    code = answer.status_code
    bare = url.partition("?")[0]  # what is asked with it may be a key
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Unauthorized(f"{bare} answers {code}: `access` does not open it")
    if code == httpx.codes.TOO_MANY_REQUESTS or code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unreachable(f"{bare} answers {code}")
    if code != httpx.codes.OK:
        fault = Fault(f"answers {code}", bare, "say the URL of the file itself")
        raise InvalidInput(f"{bare} cannot be read", [fault])


def _pieces(answer: httpx.Response, url: str) -> Iterator[bytes]:
    """The file as it is kept there; unpacked where the server packs it on the way."""
    packing = answer.headers.get("content-encoding", "")
    on_the_way = packing and not (packing.endswith("gzip") and urlsplit(url).path.endswith(".gz"))
    return answer.iter_bytes(_PIECE) if on_the_way else answer.iter_raw(_PIECE)
