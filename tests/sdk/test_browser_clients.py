"""`@segment/analytics-next`, `@rudderstack/analytics-js` and `@jitsu/js` in a real browser."""

from __future__ import annotations

import msgspec
import pytest

from onefold.model.records import Event
from onefold.model.sources import Source, hash_secret
from tests.sdk.conftest import told

pytestmark = pytest.mark.slow

PRODUCTS = [{"sku": "tea", "price": 12.5, "quantity": 2}]


def assert_story(events: list[Event]) -> None:
    """The visit that each page plays: looking, signing in, buying."""
    by_name = {event.name: event for event in events}
    home, viewed, identify, order, group = (
        by_name[name] for name in ("page", "Product Viewed", "identify", "Order Completed", "group")
    )
    anonymous = {kind: value for kind, value in home.identifiers if kind == "anonymous_id"}
    known = anonymous | {"user_id": "u1"}
    assert len(anonymous) == 1
    assert told(home)["ids"] == told(viewed)["ids"] == anonymous
    assert told(home)["properties"]["language"] == "zh"
    assert told(identify)["ids"] == known | {"email": "li.lei@example.com"}
    assert told(identify)["traits"] == {"email": "Li.Lei@Example.com", "plan": "gold"}
    assert told(order)["ids"].items() >= known.items()
    assert told(order)["properties"] == {"revenue": 99.5, "products": PRODUCTS}
    assert told(group)["ids"].items() >= known.items()
    assert len({event.message_id for event in events}) == len(events)


def test_segment(collector, browse, pages):
    report = browse("segment.html", collector, until_events=5)

    assert_story(collector.events())
    assert len(collector.events()) == 5
    assert (report["delivered"], report["foreign"], report["complaints"]) == (5, [], [])
    sent = [call for call in collector.calls if call.path != "/v1/m"]
    assert {call.path for call in sent} == {
        "/v1/projects/shop:s3cret/settings", "/v1/p", "/v1/t", "/v1/i", "/v1/g",
    }  # fmt: skip
    assert {call.origin for call in sent} == {pages}
    assert {call.status for call in sent} == {200, 204}


def test_segment_in_batches_and_the_rest_when_the_page_is_left(collector, browse):
    report = browse("segment_batch.html", collector, in_all=23)

    events = collector.events()
    numbers = [msgspec.json.decode(event.properties)["n"] for event in events]
    assert sorted(numbers) == list(range(23))
    assert report["complaints"] == []
    assert "/v1/b" in {call.path for call in collector.calls}


def test_rudder(collector, browse, pages):
    # It counts as delivered what is in its queue; a page left at once would cut off the last request.
    report = browse("rudder.html", collector, until_events=6)

    events = collector.events()
    assert_story(events)
    assert len(events) == 6
    assert (report["delivered"], report["foreign"], report["complaints"]) == (6, [], [])
    assert {"/v1/page", "/v1/track", "/v1/identify", "/v1/group", "/v1/alias"} <= {
        call.path for call in collector.calls
    }
    assert {call.origin for call in collector.calls} == {pages}
    assert {call.status for call in collector.calls} == {200, 204}


def test_rudder_in_beacons(collector, browse):
    report = browse("rudder.html?beacon", collector, in_all=6)

    events = collector.events()
    assert_story(events)
    assert len(events) == 6
    assert report["complaints"] == []
    sending = {call.path for call in collector.calls if call.method == "POST"}
    assert sending == {"/beacon/v1/batch"}


def test_jitsu(collector, browse):
    report = browse("jitsu.html", collector, until_events=5)

    assert_story(collector.events())
    assert len(collector.events()) == 5
    assert report["answers"] == [{"status": 200, "body": {"success": True}}] * 5
    assert (report["foreign"], report["complaints"]) == ([], [])
    assert {call.path for call in collector.calls} == {
        "/api/s/page", "/api/s/track", "/api/s/identify", "/api/s/group",
    }  # fmt: skip


def test_segment_comes_back_to_a_busy_server(make_collector, browse):
    collector = make_collector(busy_times=2)

    report = browse("segment.html", collector, until_events=5)

    # It fills in who has signed in since then when it tries again, so only the names are compared.
    assert sorted(event.name for event in collector.events()) == [
        "Order Completed", "Product Viewed", "group", "identify", "page",
    ]  # fmt: skip
    assert len([call for call in collector.calls if call.status == 503]) >= 2
    assert all("503" in complaint for complaint in report["complaints"])


def test_rudder_comes_back_to_a_busy_server(make_collector, browse):
    collector = make_collector(busy_times=2)

    browse("rudder.html", collector, until_events=6)

    events = collector.events()
    assert_story(events)
    assert len(events) == 6
    assert len([call for call in collector.calls if call.status == 503]) >= 2


def test_a_page_with_an_unknown_key_can_read_why(make_collector, browse):
    source = Source(id="shop", name="Shop", key_hash=hash_secret("another"))
    collector = make_collector(source=source)

    report = browse("jitsu.html", collector)

    assert {answer["status"] for answer in report["answers"]} == {401}
    assert {answer["body"]["code"] for answer in report["answers"]} == {"unauthorized"}
    assert collector.log == []


def test_segment_keeps_to_the_limit_of_its_source(make_collector, browse):
    source = Source(id="shop", name="Shop", key_hash=hash_secret("s3cret"), events_per_second=2)
    collector = make_collector(source=source)

    browse("segment.html", collector, until_events=5)

    assert len(collector.events()) == 5
    assert 429 in {call.status for call in collector.calls}
