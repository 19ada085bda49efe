"""A file behind a URL, as far as a place of files is asked: looked at, and fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from onefold.collect.addresses import Reach
from onefold.model.errors import Fault, InvalidInput, Unreachable

_TIMEOUT = 60.0


class HttpPlace:
    """One URL. It is called at the address that was judged, and where it leads elsewhere is not followed."""

    def __init__(self, reach: Reach, access: Mapping[str, Any]) -> None:
        self._reach = reach
        self._headers = dict(access.get("headers", {}))
        name, password = access.get("username"), access.get("password")
        self._auth = (str(name), str(password)) if name is not None else None

    def info(self, url: str) -> dict[str, Any]:
        """How long it is, and when it was changed, as far as it says so."""
        with self._answer("HEAD", url) as answer:
            told = answer.headers
            return {
                "size": told.get("content-length"),
                "mtime": told.get("etag") or told.get("last-modified"),
                "type": "file",
            }

    def glob(self, url: str, detail: bool = True) -> dict[str, dict[str, Any]]:
        """That it is there."""
        return {url: self.info(url)} if detail else {}

    def get_file(self, url: str, target: str) -> None:
        """Fetch it."""
        with self._answer("GET", url) as answer, Path(target).open("wb") as file:
            file.writelines(answer.iter_bytes())

    @contextmanager
    def _answer(self, method: str, url: str) -> Iterator[httpx.Response]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self._reach.address_of(host, port)
        at = f"[{address}]" if ":" in address else address
        place = parts._replace(netloc=f"{at}:{port}", fragment="").geturl()
        headers = {**self._headers, "Host": parts.netloc.rpartition("@")[2]}
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
                if answer.status_code != httpx.codes.OK:
                    fault = Fault(
                        f"answers {answer.status_code}", url, "say the URL of the file itself"
                    )
                    raise InvalidInput(f"{url} cannot be read", [fault])
                yield answer
        except httpx.HTTPError as error:
            raise Unreachable(f"{url} does not answer: {error}") from error
