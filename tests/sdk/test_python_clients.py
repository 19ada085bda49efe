"""`segment-analytics-python` and `rudder-sdk-python`, as they are published."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import Any

import msgspec
import pytest
from rudderstack import analytics as rudder
from segment import analytics as segment

from onefold.config import Settings
from onefold.model.sources import Source, hash_secret
from onefold.testing.patience import PATIENCE
from tests.sdk.conftest import KEY, Collector, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PRODUCTS = [{"sku": "tea", "price": 12.5, "quantity": 2}]


class Outcome:
    """A client, and what it reports."""

    def __init__(self, module: ModuleType, collector: Collector, **options: Any) -> None:
        self.errors: list[Exception] = []
        self.client = module.Client(
            options.pop("key", KEY),
            host=collector.url,
            on_error=lambda error, _batch: self.errors.append(error),
            upload_interval=0.05,
            timeout=PATIENCE,
            **options,
        )

    def finish(self) -> None:
        self.client.shutdown()


CLIENTS = pytest.mark.parametrize("module", [segment, rudder], ids=["segment", "rudder"])


@CLIENTS
@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_every_call_arrives_once(collector, module, gzip):
    outcome = Outcome(module, collector, gzip=gzip)
    client = outcome.client

    client.identify("u1", {"email": "Li.Lei@Example.com", "plan": "gold"})
    client.track("u1", "Order Completed", {"revenue": 99.5, "products": PRODUCTS})
    client.page("u1", "Shop", "Home", {"language": "zh"})
    client.screen("u1", "Shop", "Cart", {})
    client.group("u1", "g1", {"name": "Acme"})
    client.alias("anon-7", "u1")
    outcome.finish()

    assert outcome.errors == []
    events = {event.type: event for event in collector.events()}
    user = {"user_id": "u1"}
    assert events.keys() == {"identify", "track", "page", "screen", "group", "alias"}
    identify, order, page = (told(events[kind]) for kind in ("identify", "track", "page"))
    assert identify["ids"] == user | {"email": "li.lei@example.com"}
    assert identify["traits"] == {"email": "Li.Lei@Example.com", "plan": "gold"}
    assert (order["event"], order["ids"]) == ("Order Completed", user)
    assert order["properties"] == {"revenue": 99.5, "products": PRODUCTS}
    assert page["properties"]["language"] == "zh"
    assert {tuple(one) for pair in events["alias"].asserted for one in pair} >= {("user_id", "u1")}
    assert len({event.message_id for event in collector.events()}) == 6


@CLIENTS
def test_a_thousand_events_arrive_exactly_once(collector, module):
    outcome = Outcome(module, collector, gzip=True)

    for number in range(1_000):
        outcome.client.track(f"u{number}", "Product Viewed", {"n": number})
    outcome.finish()

    assert outcome.errors == []
    seen = sorted(msgspec.json.decode(event.properties)["n"] for event in collector.events())
    assert seen == list(range(1_000))
    assert len(collector.log) >= 10


@CLIENTS
def test_one_odd_event_does_not_cost_its_batch(collector, module):
    outcome = Outcome(module, collector, gzip=True, upload_size=3)

    outcome.client.track("u1", "First", {})
    outcome.client.track("u1", "Odd", {"price": float("nan")})
    outcome.client.track("u1", "Last", {})
    outcome.finish()

    events, rejects = collector.standardized()
    assert outcome.errors == []
    assert {"First", "Last"} <= {event.name for event in events}
    assert len(events) + len(rejects) == 3


@CLIENTS
def test_an_unknown_key_is_reported(collector, module):
    outcome = Outcome(module, collector, key="shop:guess")

    outcome.client.track("u1", "E", {})
    outcome.finish()

    assert [(error.status, error.code) for error in outcome.errors] == [(401, "unauthorized")]
    assert outcome.errors[0].message.startswith("this write key is not known")
    assert [call.status for call in collector.calls] == [401]


@CLIENTS
def test_too_much_at_once_is_reported(make_collector, module):
    collector = make_collector(settings=Settings(max_body_size=8 << 10))
    outcome = Outcome(module, collector, upload_size=2, gzip=False)

    outcome.client.track("u1", "Big", {"text": "x" * 20_000})
    outcome.finish()

    assert [(error.status, error.code) for error in outcome.errors] == [(413, "too_large")]
    assert collector.log == []


@CLIENTS
def test_a_busy_server_gets_it_later(make_collector, module):
    collector = make_collector(busy_times=1)
    outcome = Outcome(module, collector)

    outcome.client.track("u1", "Patient", {})
    outcome.client.flush()
    events = collector.wait_for(1)
    outcome.finish()

    assert outcome.errors == []
    assert [event.name for event in events] == ["Patient"]
    assert [call.status for call in collector.calls] == [503, 200]


@CLIENTS
def test_a_limited_source_gets_all_through_in_time(make_collector, module):
    source = Source(id="shop", name="Shop", key_hash=hash_secret("s3cret"), events_per_second=1)
    collector = make_collector(source=source)
    outcome = Outcome(module, collector, upload_size=2)

    for number in range(4):
        outcome.client.track("u1", f"E{number}", {})
    outcome.client.flush()
    events = collector.wait_for(4)
    outcome.finish()

    assert outcome.errors == []
    assert sorted(event.name for event in events) == ["E0", "E1", "E2", "E3"]
    assert 429 in {call.status for call in collector.calls}


def test_segment_waits_as_long_as_it_is_told(make_collector):
    collector = make_collector(busy_times=2)
    outcome = Outcome(segment, collector)

    outcome.client.track("u1", "Patient", {})
    collector.wait_for(1)
    outcome.finish()

    waits = [later.at - earlier.at for earlier, later in pairwise(collector.calls)]
    assert len(waits) == 2
    assert min(waits) > 0.95
