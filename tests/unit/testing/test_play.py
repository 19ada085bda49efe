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
    demo,
    fast_time,
    real_time,
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


def test_the_demo_plays_the_past_fast_and_then_goes_on_from_now() -> None:
    begin = SHOP.start + 6 * 86_400 * SECOND
    time = Time(begin)
    played = [
        (time.now, message)
        for message in demo(SHOP.messages(), time.clock, time.sleep, minutes=0.5, rate=50)
    ]
    assert [m.body["messageId"] for _, m in played] == [
        m.body["messageId"] for m in SHOP.messages()
    ]
    past = played[: sum(message.at <= begin for message in SHOP.messages())]
    assert 25 * SECOND < past[-1][0] - begin <= 30 * SECOND
    assert all(message.at <= begin and "sentAt" not in message.body for _, message in past)
    assert all(abs(message.at - now) < 2000 for now, message in played[len(past) :])


def test_a_shop_around_now_has_so_many_days_on_both_sides() -> None:
    now = 1_800_000_000 * SECOND  # 2027-01-15 16:00 in Shanghai
    shop = Shop.around(now, customers=5, before=3, after=2)
    today = now - 16 * 3600 * SECOND
    assert shop.start == today - 3 * 86_400 * SECOND
    assert shop.end == today + 2 * 86_400 * SECOND


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
