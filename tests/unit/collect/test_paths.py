"""Every path that a published client calls, and what is logged for it."""

from __future__ import annotations

import pytest

PATHS = {
    **{
        f"/v1/{kind}": kind
        for kind in ("track", "identify", "page", "screen", "group", "alias", "batch")
    },
    "/v1/import": "batch",
    "/v1/t": "track",
    "/v1/i": "identify",
    "/v1/p": "page",
    "/v1/s": "screen",
    "/v1/g": "group",
    "/v1/a": "alias",
    "/v1/b": "batch",
    "/beacon/v1/batch": "batch",
    "/api/s/page": "page",
    "/api/s/track": "track",
    "/api/s/identify": "identify",
    "/api/s/group": "group",
    "/api/s/s2s/page": "page",
    "/api/s/s2s/track": "track",
}


@pytest.mark.parametrize(("path", "kind"), PATHS.items())
def test_a_call_is_logged_as_what_its_path_says(shop, path, kind):
    body = b'{"batch":[]}' if kind == "batch" else b'{"userId":"u1"}'

    answer = shop.post(path, body)

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [(one.source, one.kind, one.body, one.received_at) for one in shop.log] == [
        ("web", kind, body, shop.now)
    ]


def test_metrics_of_clients_are_accepted_and_dropped(shop):
    answer = shop.call("POST", "/v1/m", content=b'{"series":[]}')

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert shop.log == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/unknown"), ("HEAD", "/")],
)
def test_anything_else_is_not_found(shop, method, path):
    answer = shop.call(method, path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_segment_settings_name_this_server(shop):
    answer = shop.call("GET", "/v1/projects/web%3As3cret/settings")

    segment = answer.json()["integrations"]["Segment.io"]
    assert segment["apiKey"] == "web:s3cret"
    assert (segment["protocol"], segment["apiHost"]) == ("http", "cdp.test/v1")


def test_settings_behind_a_trusted_proxy_name_the_proxy(shop):
    shop.settings = type(shop.settings)(trusted_proxies=("203.0.113.0/24",))
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-host": "events.example"}

    answer = shop.call("GET", "/v1/projects/web%3As3cret/settings", headers=forwarded)

    segment = answer.json()["integrations"]["Segment.io"]
    assert (segment["protocol"], segment["apiHost"]) == ("https", "events.example/v1")


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_rudder_settings_have_no_destinations(shop, path):
    answer = shop.call("GET", path, params={"writeKey": "web:s3cret", "p": "web"})

    source = answer.json()["source"]
    assert (source["id"], source["name"], source["writeKey"]) == ("web", "Web shop", "web:s3cret")
    assert (source["enabled"], source["destinations"], source["connections"]) == (True, [], [])


def test_settings_of_a_disabled_source_say_so(shop):
    answer = shop.call("GET", "/sourceConfig", params={"writeKey": "off:s3cret"})

    assert answer.json()["source"]["enabled"] is False


@pytest.mark.parametrize("path", ["/v1/projects/web:guess/settings", "/sourceConfig/"])
def test_settings_need_a_key(shop, path):
    assert shop.call("GET", path).status_code == 401
