"""`@segment/analytics-node` and `@rudderstack/rudder-sdk-node`, as they are published."""

from __future__ import annotations

import msgspec
import pytest

from onefold.model.records import Identifier
from onefold.model.sources import Source, hash_secret
from tests.sdk.conftest import KEY, told

CLIENTS = pytest.mark.parametrize("script", ["segment.mjs", "rudder.mjs"])


@CLIENTS
def test_every_call_arrives_once(collector, node, script):
    report = node(script, collector.url, KEY)

    assert report == {"delivered": 6, "failures": []}
    by_type = {event.type: event for event in collector.events()}
    assert len(collector.events()) == 6
    identify, order = told(by_type["identify"]), told(by_type["track"])
    assert identify["ids"] == {"user_id": "u1", "email": "li.lei@example.com"}
    assert identify["traits"] == {"email": "Li.Lei@Example.com", "plan": "gold"}
    assert order["event"] == "Order Completed"
    assert order["ids"] == {"user_id": "u1", "anonymous_id": "a1"}
    assert order["properties"] == {
        "revenue": 99.5,
        "products": [{"sku": "tea", "price": 12.5, "quantity": 2}],
    }
    assert told(by_type["page"])["properties"]["language"] == "zh"
    assert told(by_type["group"])["ids"] == {"user_id": "u1"}
    assert (Identifier("anonymous_id", "anon-7"), Identifier("user_id", "u1")) in {
        tuple(sorted(pair)) for pair in by_type["alias"].asserted
    }


@CLIENTS
def test_many_events_arrive_exactly_once(collector, node, script):
    report = node(script, collector.url, KEY, "300")

    assert report == {"delivered": 300, "failures": []}
    seen = sorted(msgspec.json.decode(event.properties)["n"] for event in collector.events())
    assert seen == list(range(300))


@CLIENTS
def test_an_unknown_key_is_reported(collector, node, script):
    report = node(script, collector.url, "shop:guess", "1")

    assert report["delivered"] == 0
    assert any("401" in failure or "error" in failure for failure in report["failures"])
    assert {call.status for call in collector.calls} == {401}


@CLIENTS
def test_a_busy_server_gets_it_later(make_collector, node, script):
    collector = make_collector(busy_times=1)

    report = node(script, collector.url, KEY, "1")

    assert report == {"delivered": 1, "failures": []}
    assert [call.status for call in collector.calls] == [503, 200]
    assert len(collector.events()) == 1


@CLIENTS
def test_a_limited_source_gets_all_through_in_time(make_collector, node, script):
    source = Source(id="shop", name="Shop", key_hash=hash_secret("s3cret"), events_per_second=20)
    collector = make_collector(source=source)

    report = node(script, collector.url, KEY, "60")

    assert report == {"delivered": 60, "failures": []}
    assert 429 in {call.status for call in collector.calls}
    assert len(collector.events()) == 60
