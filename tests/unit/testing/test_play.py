"""Playing the shop: the right message at the right moment, with times that fit."""

from __future__ import annotations

import msgspec
import pytest
import yaml

from onefold.testing.shop import (
    SEGMENTS,
    SOURCES,
    Shop,
    as_history,
    batches,
    definitions,
    fast_time,
    real_time,
    sources,
)
from onefold.testing.shop.messages import parse_iso

SECOND = 1_000_000
SHOP = Shop(customers=20, days=10)


class Time:
    """A clock that only goes on while somebody sleeps."""

    def __init__(self, now: int) -> None:
        self.now = now

    def clock(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(1, round(seconds * SECOND))


def test_real_time_keeps_the_distances() -> None:
    time = Time(5_000_000_000_000_000)
    original = list(SHOP.messages())[:50]
    for before, played in zip(
        original, real_time(iter(original), time.clock, time.sleep), strict=True
    ):
        assert time.now - 5_000_000_000_000_000 == pytest.approx(before.at - original[0].at, abs=60)
        assert played.at == pytest.approx(time.now, abs=1000)
        assert played.at - played.time == before.at - before.time
        assert played.body["messageId"] == before.body["messageId"]


def test_real_time_at_a_rate() -> None:
    time = Time(1_800_000_000_000_000)
    begin = time.now
    for played in real_time(SHOP.messages(), time.clock, time.sleep, rate=100):
        assert abs(played.at - time.now) < 2000
        if "sentAt" in played.body:
            said = played.body.get("originalTimestamp") or played.body["timestamp"]
            assert played.at - parse_iso(played.body["sentAt"]) + parse_iso(said) == played.time
    assert time.now - begin == pytest.approx(
        sum(1 for _ in SHOP.messages()) * SECOND / 100, rel=0.01
    )


def test_fast_time_presses_days_into_minutes_and_keeps_history() -> None:
    time = Time(1_800_000_000_000_000)
    begin = time.now
    played = list(
        fast_time(SHOP.messages(), time.clock, time.sleep, start=SHOP.start, days=10, minutes=1)
    )
    assert 55 * SECOND < time.now - begin < 70 * SECOND
    for message in played:
        assert "sentAt" not in message.body
        assert parse_iso(message.body["timestamp"]) == message.time


def test_a_message_as_history_says_the_same_at_the_true_time() -> None:
    message = next(m for m in SHOP.messages() if m.source == "app")
    body = as_history(message).body
    assert parse_iso(body["timestamp"]) == message.time
    assert "originalTimestamp" not in body
    same = message.body.keys() - {"timestamp", "originalTimestamp", "sentAt"}
    assert {name: body[name] for name in same} == {name: message.body[name] for name in same}


def test_batches_hold_every_message_of_each_source_in_order() -> None:
    sent: dict[str, list[str]] = {source: [] for source in SOURCES}
    for source, bodies in batches(SHOP.messages(), size=30):
        assert 0 < len(bodies) <= 30
        sent[source] += [body["messageId"] for body in bodies]
    for source, ids in sent.items():
        assert ids == [m.body["messageId"] for m in SHOP.messages() if m.source == source]


def test_messages_survive_json() -> None:
    for message in SHOP.messages(range(3)):
        assert msgspec.json.decode(msgspec.json.encode(message.body)) == message.body


def test_definitions_are_yaml_of_the_segments() -> None:
    documents = list(yaml.safe_load_all(definitions()))
    assert [d["name"] for d in documents] == [segment.name for segment in SEGMENTS]
    assert all(d.keys() == {"kind", "name", "description", "rule"} for d in documents)
    assert [d["name"] for d in yaml.safe_load_all(sources())] == list(SOURCES)
