"""What clients in other languages meet: plain HTTP, through the real server."""

from __future__ import annotations

import gzip
import socket

import httpx
import pytest

from onefold.testing.patience import PATIENCE
from tests.sdk.conftest import KEY

EVENT = b'{"type":"track","event":"E","userId":"u"}'
HEADERS = {"x-write-key": KEY, "origin": "http://shop.example"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"no JSON", {}, 400, "invalid"),
        (gzip.compress(EVENT)[:-4], {}, 400, "invalid"),
        (b"{" + b" " * (6 << 20) + b"}", {}, 413, "too_large"),
        (gzip.compress(b" " * (400 << 20)), {}, 413, "too_large"),
        (EVENT, {"x-write-key": "shop:guess"}, 401, "unauthorized"),
        (b" " * (3 << 20), {"x-write-key": "shop:guess"}, 401, "unauthorized"),
    ],
    ids=["no-json", "cut", "large", "bomb", "key", "large-with-wrong-key"],
)
def test_a_refusal_can_be_read_and_the_connection_goes_on(collector, body, headers, status, code):
    with httpx.Client(base_url=collector.url, timeout=PATIENCE) as http:
        refused = http.post("/v1/batch", content=body, headers=HEADERS | headers)
        after = http.post("/v1/track", content=EVENT, headers=HEADERS)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["access-control-allow-origin"] == "http://shop.example"
    assert after.json() == {"success": True}
    assert [one.body for one in collector.log] == [EVENT]


def test_a_body_in_chunks_of_unknown_length(collector):
    def chunks():
        yield b'{"type":"track",'
        yield b'"event":"E","userId":"u"}'

    answer = httpx.post(
        f"{collector.url}/v1/track", content=chunks(), headers=HEADERS, timeout=PATIENCE
    )

    assert answer.status_code == 200
    assert [one.body for one in collector.log] == [EVENT]


def test_chunks_without_end_are_cut_off(collector):
    def chunks():
        for _ in range(80):
            yield b" " * (64 << 10)

    answer = httpx.post(
        f"{collector.url}/v1/track", content=chunks(), headers=HEADERS, timeout=PATIENCE
    )

    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_other_methods_are_refused(collector, method):
    answer = httpx.request(method, f"{collector.url}/v1/track", headers=HEADERS, timeout=PATIENCE)

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert answer.headers["access-control-allow-origin"] == "http://shop.example"


def test_a_client_that_leaves_in_mid_body_leaves_nothing(collector):
    host, port = collector.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Write-Key: shop:s3cret\r\n"
            b"Content-Length: 1000\r\n\r\n" + EVENT
        )

    answer = httpx.post(
        f"{collector.url}/v1/track", content=EVENT, headers=HEADERS, timeout=PATIENCE
    )

    assert answer.status_code == 200
    assert len(collector.log) == 1
