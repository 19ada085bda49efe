"""Bodies as clients send them: compressed, as forms, in batches with an odd event."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
import zstandard

from onefold.config import Settings
from onefold.standardize import standardize

EVENT = b'{"type":"track","event":"E","userId":"u","properties":{"price":"5 %+"}}'
LIMIT = Settings().max_body_size
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "body",
    [
        EVENT,
        b"\xef\xbb\xbf \r\n" + EVENT,
        gzip.compress(EVENT, mtime=0),
        gzip.compress(EVENT[:20], mtime=0) + gzip.compress(EVENT[20:], mtime=0),
        gzip.compress(EVENT, mtime=0) + b"\0" * 100,
        zstandard.ZstdCompressor().compress(EVENT),
        zstandard.ZstdCompressor().compress(EVENT[:9])
        + zstandard.ZstdCompressor().compress(EVENT[9:]),
        b"data=" + quote(EVENT).encode(),
        urlencode({"data": EVENT.decode()}).encode(),
        urlencode({"payload": EVENT.decode(), "ip": "1"}).encode(),
        quote_plus(EVENT).encode(),
        quote(EVENT).encode() + b"=",
        b"data=" + base64.b64encode(EVENT),
        b"data=" + quote(base64.b64encode(EVENT)).encode(),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", FORM, "", "x/y;z"])
def test_the_event_is_found_whatever_the_content_type_says(shop, body, content_type):
    answer = shop.post("/v1/track", body, headers={"content-type": content_type})

    assert answer.status_code == 200
    assert [one.body.lstrip() for one in shop.log] == [EVENT]


def test_a_wrong_content_encoding_does_no_harm(shop):
    assert shop.post("/v1/track", EVENT, headers={"content-encoding": "gzip"}).status_code == 200
    assert [one.body for one in shop.log] == [EVENT]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"hello",
        b"42",
        b"null",
        b'"text"',
        b"[1,2]",
        b"{",
        b'{"a":"',
        b'{"a":1}}',
        b'{"a":1} {"b":2}',
        b"%7B",
        b"data=",
        gzip.compress(EVENT, mtime=0)[:-9],
        gzip.compress(EVENT, mtime=0)[:5],
        gzip.compress(EVENT, mtime=0) + b"more",
        gzip.compress(EVENT, mtime=0)[:-6] + b"\0\0\0\0\0\0",
        gzip.compress(gzip.compress(EVENT, mtime=0), mtime=0),
        zstandard.ZstdCompressor().compress(EVENT)[:-5],
        zstandard.ZstdCompressor().compress(EVENT)[:4] + b"\xff" * 20,
        "событие".encode("utf-16"),
    ],
)
def test_what_is_no_json_object_is_refused_and_said_why(shop, body):
    answer = shop.post("/v1/track", body)

    problem = answer.json()
    assert answer.status_code == problem["status"] == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], bool(problem["message"])) == ("invalid", True)
    assert problem["errors"][0]["message"]
    assert shop.log == []


@pytest.mark.parametrize(
    "body",
    [
        b"x" * (LIMIT + 1),
        gzip.compress(b"{" + b" " * LIMIT + b"}", mtime=0),
        gzip.compress(gzip.compress(b" " * (LIMIT - 1))[:0] + b" " * LIMIT)
        + gzip.compress(b" ", mtime=0),
        zstandard.ZstdCompressor().compress(b" " * (LIMIT + 1)),
    ],
    ids=["plain", "gzip", "members", "zstd"],
)
def test_too_large_a_body_is_refused(shop, body):
    answer = shop.post("/v1/batch", body)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "4 MB" in answer.json()["message"]
    assert shop.log == []


def test_a_bomb_is_inflated_to_the_limit_only(shop):
    kilobyte = gzip.compress(b"0" * (1 << 20))
    bomb = kilobyte * 2_000

    assert shop.post("/v1/batch", bomb).status_code == 413


def test_a_body_at_the_limit_passes(shop):
    body = json.dumps({"batch": [], "padding": "x" * 1_000}).encode()
    shop.settings = Settings(max_body_size=len(gzip.compress(body, mtime=0)) + 1024)

    assert shop.post("/v1/batch", gzip.compress(body, mtime=0)).status_code == 200


ODD = [
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":1e999}',
    b'{"a":"\\ud800"}',
    b'{"a":"\x00"}',
    b'{"a":"\xff\xfe"}',
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a":' + b"9" * 10_000 + b"}",
    b"{'a':1}",
    b'{"a":undefined}',
    b"",
    b"null",
    b'{"a":"}]"}',
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:12]))
def test_one_odd_event_does_not_cost_the_others(shop, odd):
    good = b'{"type":"track","event":"Good","userId":"u"}'
    body = b'{"sentAt":"2026-09-21T00:00:00Z","batch":[' + b",".join([good, odd, good]) + b"]}"

    assert shop.post("/v1/batch", body).status_code == 200

    events, rejects = standardize(shop.log, {})
    assert [event.name for event in events] == ["Good", "Good"]
    assert len(rejects) == 1


def test_one_odd_event_alone_is_kept_as_a_reject(shop):
    odd = b"{'userId':'u'}"

    assert shop.post("/v1/identify", odd).status_code == 200

    events, rejects = standardize(shop.log, {})
    assert (events, [reject.raw for reject in rejects]) == ([], [odd])


def test_strict_tells_what_becomes_of_each_event(shop):
    good = {"type": "track", "event": "E", "userId": "u"}
    body = json.dumps({"batch": [good, {"type": "dance"}, good]})

    answer = shop.post("/v1/batch?strict=1", body)

    events = answer.json()["events"]
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert [(event["index"], event["status"]) for event in events] == [
        (0, "ok"),
        (1, "rejected"),
        (2, "ok"),
    ]
    assert events[1]["reasons"]
    assert "reasons" not in events[0]
    assert len(shop.log) == 1
