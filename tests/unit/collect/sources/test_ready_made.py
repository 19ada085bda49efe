"""Each ready-made API against what its maker specifies: paged whole, only what changed, mapped."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from onefold.app.in_force import source_from
from onefold.collect.addresses import Reach
from onefold.collect.sources.rest import ready_names
from onefold.collect.sources.rest.ready_made import ready_made, settings_of
from onefold.collect.sources.rest.settings import RestSettings
from onefold.collect.sources.rest.source import RestSource
from onefold.model.errors import InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position
from tests.unit.collect.sources import apis as vendors
from tests.unit.collect.sources.api_server import Api, Apis

NOW = 1_773_000_000.0  # 2026-03-08
DELETED = {"salesforce": 1, "stripe": 1, "zendesk": 1}
"""How many of the records say that they are deleted."""
Case = tuple[Api, dict[str, str], int, int]
# What each takes, how many records it gives, and how many of them again at the next run.
CASES: dict[str, Case] = {
    "shopify": (vendors.shopify, {"shop": "s", "client_id": "c", "client_secret": "good"}, 6, 2),
    "stripe": (vendors.stripe, {"key": "good"}, 8, 4),
    "hubspot": (vendors.hubspot, {"token": "good"}, 5, 1),
    "salesforce": (
        vendors.salesforce, {"domain": "d", "client_id": "c", "client_secret": "good"}, 5, 1,
    ),
    "zendesk": (
        vendors.zendesk, {"subdomain": "s", "email": "me@example.com", "token": "good"}, 6, 2,
    ),
    "mailchimp": (vendors.mailchimp, {"center": "us6", "key": "good"}, 5, 1),
    "woocommerce": (vendors.woocommerce, {"shop": "s", "key": "ck", "secret": "good"}, 305, 305),
    "intercom": (vendors.intercom, {"token": "good"}, 5, 1),
    "klaviyo": (vendors.klaviyo, {"key": "good"}, 5, 1),
    "youzan": (
        vendors.youzan, {"client_id": "c", "client_secret": "good", "shop": "42", "start": "2026-02-01T00:00:00Z"}, 5, 2,
    ),
    "wechat-official-account": (
        vendors.wechat, {"app_id": "a", "app_secret": "good"}, 250, 250,
    ),
    "wecom": (vendors.wecom, {"corp_id": "corp", "secret": "good"}, 5, 5),
}  # fmt: skip


def source(name: str, given: dict[str, Any], url: str) -> RestSource:
    settings = msgspec.convert(settings_of(name, {**given, "base_url": url}), RestSettings)
    fast = msgspec.structs.replace(settings, rate=10_000.0)
    return RestSource(fast, Reach(["127.0.0.1"]), clock=lambda: NOW, sleep=lambda seconds: None)


def pull(
    name: str, given: dict[str, Any], url: str, position: Position | None = None
) -> list[Batch]:
    made = source(name, given, url)
    try:
        return [batch for batch in made.batches(position) if batch.records or batch.position]
    finally:
        made.close()


def rows(batches: list[Batch]) -> list[tuple[str, str]]:
    return [(record.stream, record.place) for batch in batches for record in batch.records]


def test_all_that_are_shipped_are_tried() -> None:
    assert set(CASES) == ready_names()


@pytest.mark.parametrize("name", CASES)
def test_all_pages_come_and_then_only_what_changed(name: str, apis: Apis) -> None:
    apis.api, given, count, again = CASES[name]

    first = pull(name, given, apis.url)
    assert len(rows(first)) == len(set(rows(first))) == count
    assert not any(batch.unreadable for batch in first)

    assert len(rows(pull(name, given, apis.url, first[-1].position))) == again


@pytest.mark.parametrize("name", CASES)
def test_from_every_page_on_nothing_is_missing(name: str, apis: Apis) -> None:
    apis.api, given, _, _ = CASES[name]
    whole = pull(name, given, apis.url)
    for number, batch in enumerate(whole[:-1]):
        done = rows(whole[: number + 1])
        assert set(done) | set(rows(pull(name, given, apis.url, batch.position))) >= set(
            rows(whole)
        )


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_key_is_told_without_any_key(name: str, apis: Apis) -> None:
    apis.api, given, _, _ = CASES[name]
    wrong = {key: "wrong-key-9" if value == "good" else value for key, value in given.items()}
    with pytest.raises(Unreachable) as caught:
        pull(name, wrong, apis.url)
    assert "wrong-key-9" not in str(caught.value)
    assert "access_token=" not in str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        settings_of(name, {"nonsense": "x"})
    one = ready_made()[name]
    ways = ("", next(iter(one.ways), ""))
    needed = {key for key, it in one.parameters.items() if it.default is None and it.way in ways}
    missing = {fault.where.removeprefix("settings.") for fault in caught.value.faults}
    assert missing >= needed | {"nonsense"}


@pytest.mark.parametrize("name", CASES)
def test_its_records_become_events_by_the_mapping_that_comes_along(name: str, apis: Apis) -> None:
    from onefold.app.syncs.appending import payloads_of
    from onefold.engine import DuckEngine
    from onefold.model.records import decode_accepted
    from onefold.pipeline.record_expressions import RecordExpressions
    from onefold.standardize import Mappings, standardize

    apis.api, given, count, _ = CASES[name]
    batches = pull(name, given, apis.url)
    one = source_from("it", {"type": name, "settings": given})
    accepted = [
        decode_accepted(payload)
        for batch in batches
        for payload in payloads_of("it", batch, at=int(NOW * 1e6))
    ]
    expressions = RecordExpressions(DuckEngine(threads=1), "UTC")
    mappings = Mappings((), (one,), expressions.ask)
    events, rejects = standardize(accepted, {}, None, mappings)
    assert [reject.reasons for reject in rejects] == []
    assert len(events) == count
    assert sum(event.name == "Record Deleted" for event in events) == DELETED.get(name, 0)
    assert all(event.identifiers for event in events)


@pytest.mark.parametrize("name", CASES)
def test_its_definition_is_checked_with_secrets_in_place(name: str) -> None:
    from onefold.app.syncs.opening import pulling_faults

    _, given, _, _ = CASES[name]
    hidden = {key: {"secret": "s"} if value == "good" else value for key, value in given.items()}
    assert pulling_faults(name, {"settings": hidden, "schedule": {"every": "1h"}}) == []
    (fault,) = pulling_faults(name, {"settings": {**hidden, "odd": "x"}})
    assert fault.where == "settings.odd"


def test_a_shop_s_older_app_has_a_token_that_stays(apis: Apis) -> None:
    apis.api = vendors.shopify
    assert len(rows(pull("shopify", {"shop": "s", "token": "good"}, apis.url))) == 6
    assert not any(asked.path == "/oauth/access_token" for asked in apis.asked)


def test_of_two_ways_to_prove_who_we_are_one_is_told_whole() -> None:
    with pytest.raises(InvalidInput) as caught:
        settings_of("shopify", {"shop": "s", "client_id": "c"})
    assert [fault.where for fault in caught.value.faults] == ["settings.client_secret"]
