"""A tracking API in this process, called through ASGI, with what it logged to look at."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import httpx
import pytest

from onefold.config import Settings
from onefold.model.records import Accepted, decode_accepted
from onefold.model.sources import Source, hash_secret
from onefold.serve.log_writer import LogWriter
from onefold.serve.tracking import TrackingApp
from onefold.standardize import Verdict, verdicts

KEY = "web:s3cret"
NOW = 1_790_000_000_000_000


def _judging(accepted: Accepted, source: Source) -> Callable[[], list[Verdict]]:
    return partial(verdicts, accepted, source)


class Shop:
    """The tracking API of one shop; `log` is what it accepted."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.settings = Settings(limit_wait=0.0)
        self.sources = {
            "web": Source(id="web", name="Web shop", key_hash=hash_secret("s3cret")),
            "off": Source(id="off", name="Old", key_hash=hash_secret("s3cret"), enabled=False),
        }
        self.now = NOW

    def append(self, payloads: Sequence[bytes]) -> None:
        """Where a full disk or a slow one can be told to be."""
        self.payloads.extend(payloads)

    @property
    def log(self) -> list[Accepted]:
        return [decode_accepted(payload) for payload in self.payloads]

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self.calls([(method, path, request)])[0]

    def post(self, path: str, body: bytes | str, **request: Any) -> httpx.Response:
        """Send as the client with this source's key."""
        headers = {"authorization": basic(KEY)} | request.pop("headers", {})
        return self.call("POST", path, content=body, headers=headers, **request)

    def calls(
        self, requests: list[tuple[str, str, dict[str, Any]]], client: str = "203.0.113.9"
    ) -> list[httpx.Response]:
        async def run() -> list[httpx.Response]:
            writer = LogWriter(self.append)
            app = TrackingApp(writer, self.sources.get, _judging, lambda: self.now, self.settings)
            transport = httpx.ASGITransport(app=app, client=(client, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://cdp.test") as http:
                try:
                    return [
                        await http.request(method, path, **request)
                        for method, path, request in requests
                    ]
                finally:
                    await writer.close()

        return asyncio.run(run())


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


@pytest.fixture
def shop() -> Shop:
    return Shop()
