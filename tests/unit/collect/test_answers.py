"""What a browser may read, how much a source may send, and whose address a call came from."""

from __future__ import annotations

import msgspec
import pytest

from onefold.config import Settings
from onefold.model.errors import Busy

EVENT = b'{"type":"track","event":"E","userId":"u"}'
ORIGIN = {"origin": "https://shop.example"}


def test_a_preflight_needs_no_key(shop):
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,anonymousid",
    }

    answer = shop.call("OPTIONS", "/v1/track", headers=ORIGIN | asked)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-headers"] == "authorization,anonymousid"
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/track", EVENT, {}, 200),
        ("/v1/track", b"?", {}, 400),
        ("/v1/track", EVENT, {"x-write-key": "x:y", "authorization": ""}, 401),
        ("/v1/nothing", EVENT, {}, 404),
        ("/v1/track", b" " * (4 << 20) + EVENT, {}, 413),
    ],
)
def test_a_page_may_read_every_answer(shop, path, body, headers, status):
    answer = shop.post(path, body, headers=ORIGIN | headers)

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert answer.headers["vary"] == "Origin"


def test_a_full_disk_is_a_503_with_the_time_to_wait(shop, monkeypatch):
    def full(_payloads):
        raise Busy("the disk is nearly full", retry_after=29.2)

    shop.append = full

    answer = shop.post("/v1/track", EVENT)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert (answer.json()["code"], answer.json()["message"]) == ("busy", "the disk is nearly full")


def test_a_disk_that_fails_is_a_503_too(shop):
    def broken(_payloads):
        raise OSError(5, "Input/output error")

    shop.append = broken

    answer = shop.post("/v1/track", EVENT)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def limit(shop, events_per_second):
    web = shop.sources["web"]
    shop.sources["web"] = msgspec.structs.replace(web, events_per_second=events_per_second)


def send(path, body=EVENT):
    return ("POST", path, {"content": body, "headers": {"x-write-key": "web:s3cret"}})


def test_a_source_over_its_limit_is_told_when_to_come_back(shop):
    limit(shop, 2)

    answers = shop.calls([send("/v1/track")] * 3)

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "1"
    assert answers[2].json()["code"] == "rate_limited"
    assert len(shop.log) == 2


def test_a_batch_counts_with_all_its_events(shop):
    limit(shop, 10)
    batch = b'{"batch":[' + b",".join([EVENT] * 50) + b"]}"

    answers = shop.calls([send("/v1/batch", batch), send("/v1/track")])

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "4"


def test_clients_that_never_retry_are_not_refused_for_sending_much(shop):
    limit(shop, 1)

    answers = shop.calls([send("/api/s/track")] * 5)

    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    ("settings", "peer", "forwarded", "address"),
    [
        ({}, "203.0.113.9", None, "203.0.113.9"),
        ({"ip_mode": "none"}, "203.0.113.9", None, None),
        ({"ip_mode": "direct"}, "203.0.113.9", None, "203.0.113.9"),
        ({"ip_mode": "direct"}, "10.0.0.2", "198.51.100.7", None),
        ({"ip_mode": "proxy"}, "10.0.0.2", "198.51.100.7", None),
        ({"ip_mode": "proxy", "trusted_proxies": ("10.0.0.0/8",)}, "10.0.0.2",
         "6.6.6.6, 198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ({"ip_mode": "proxy", "trusted_proxies": ("10.0.0.0/8",)}, "10.0.0.2",
         "2001:db8::1", "2001:db8::1"),
        ({"ip_mode": "proxy", "trusted_proxies": ("10.0.0.0/8",)}, "10.0.0.2", "nonsense", None),
        ({"ip_mode": "proxy", "trusted_proxies": ("10.0.0.0/8",)}, "203.0.113.9", None,
         "203.0.113.9"),
    ],
)  # fmt: skip
def test_the_address_of_the_caller(shop, settings, peer, forwarded, address):
    shop.settings = Settings(**settings)
    headers = {"x-write-key": "web:s3cret"} | ({"x-forwarded-for": forwarded} if forwarded else {})

    shop.calls([("POST", "/v1/track", {"content": EVENT, "headers": headers})], client=peer)

    assert [one.ip for one in shop.log] == [address]


def test_a_source_may_keep_addresses_out(shop):
    shop.settings = Settings(ip_mode="direct")
    shop.sources["web"] = msgspec.structs.replace(shop.sources["web"], ip="none")

    shop.post("/v1/track", EVENT)

    assert [one.ip for one in shop.log] == [None]


def test_a_source_over_its_limit_waits_for_its_turn(shop):
    shop.settings = msgspec.structs.replace(shop.settings, limit_wait=3.0)
    limit(shop, 500)
    batch = b'{"batch":[' + b",".join([EVENT] * 550) + b"]}"

    answers = shop.calls([send("/v1/batch", batch), send("/v1/track")])

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(shop.log) == 2
