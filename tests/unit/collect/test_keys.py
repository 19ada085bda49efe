"""Where clients put their write key."""

from __future__ import annotations

import pytest

from tests.unit.collect.conftest import basic

EVENT = b'{"type":"track","event":"E","userId":"u"}'


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"authorization": basic("web:s3cret:")}, "", EVENT),
        ({"authorization": basic("web:s3cret")}, "", EVENT),
        ({"authorization": basic("web:s3cret").replace("Basic", "basic")}, "", EVENT),
        ({"x-write-key": "web:s3cret"}, "", EVENT),
        ({}, "?writeKey=web:s3cret", EVENT),
        ({}, "?writeKey=web%3As3cret", EVENT),
        ({}, "", b'{"writeKey":"web:s3cret","userId":"u"}'),
        ({"x-write-key": "web:s3cret"}, "", b'{"writeKey":"web:***","userId":"u"}'),
        ({"authorization": basic(":")}, "", b'{"writeKey":"web:s3cret","userId":"u"}'),
        ({}, "", b'{"writeKey":"web:s3cret","properties":{"a":NaN}}'),
    ],
)
def test_a_key_is_found(shop, headers, query, body):
    answer = shop.call("POST", f"/v1/track{query}", content=body, headers=headers)

    assert answer.status_code == 200
    assert [one.source for one in shop.log] == ["web"]


@pytest.mark.parametrize("odd", [b'{"a":NaN}', b'"\\ud800"', b"[" * 5000 + b"]" * 5000])
def test_a_key_in_the_body_is_found_beside_an_odd_event(shop, odd):
    body = b'{"batch":[' + odd + b'],"writeKey":"web:s3cret"}'

    assert shop.call("POST", "/v1/batch", content=body).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": basic("web:guess")},
        {"authorization": basic("nobody:s3cret")},
        {"authorization": basic("web")},
        {"authorization": basic("off:s3cret")},
        {"authorization": "Basic !!!"},
        {"authorization": "Bearer web:s3cret"},
        {"x-write-key": "web:"},
    ],
)
def test_without_a_valid_key_nothing_is_logged(shop, headers):
    answer = shop.call("POST", "/v1/track", content=EVENT, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.json()["message"]
    assert shop.log == []


def test_a_wrong_key_in_the_header_is_not_saved_by_the_body(shop):
    body = b'{"writeKey":"web:s3cret"}'

    assert (
        shop.call("POST", "/v1/track", content=body, headers={"x-write-key": "x:y"}).status_code
        == 401
    )
