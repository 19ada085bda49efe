"""The made-up shop: always the same, shaped as SDKs send, and true to itself."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
import phonenumbers
import pytest

from onefold.model.records import EVENT_TYPES, Identifier
from onefold.testing.shop import SEGMENTS, SOURCES, Message, Shop, Truth, examples
from onefold.testing.shop.countries import COUNTRIES, Country
from onefold.testing.shop.people import national_phone
from onefold.testing.shop.scenes import email_typed, phone_typed

DAY = 86_400_000_000
SHOP = Shop(seed=7, customers=160, days=20)


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return list(SHOP.messages())


@pytest.fixture(scope="module")
def truth(messages: list[Message]) -> Truth:
    return Truth(messages, SHOP.timezone)


def test_the_same_seed_gives_the_same_bytes(messages: list[Message]) -> None:
    again = msgspec.json.encode(list(Shop(seed=7, customers=160, days=20).messages()))
    assert again == msgspec.json.encode(messages)
    other = msgspec.json.encode(list(Shop(seed=8, customers=160, days=20).messages()))
    assert other != again


def test_messages_come_in_order_of_arrival(messages: list[Message]) -> None:
    assert [m.at for m in messages] == sorted(m.at for m in messages)


def test_a_small_shop_is_the_beginning_of_a_large_one(messages: list[Message]) -> None:
    few = [m for m in messages if m.person < 10]
    assert sorted(SHOP.messages(range(10)), key=_order) == sorted(few, key=_order)


def _order(message: Message) -> tuple[int, str, str]:
    return message.at, message.body["messageId"], message.body.get("sentAt", "")


def test_messages_have_the_shape_of_segments_specification(messages: list[Message]) -> None:
    for message in messages:
        body = message.body
        assert body["type"] in EVENT_TYPES
        assert message.source in SOURCES
        assert {"userId", "anonymousId", "messageId", "context"} <= body.keys()
        assert len(body["messageId"]) == 36
        assert "timestamp" in body or "originalTimestamp" in body
        assert ("event" in body) == (body["type"] == "track")
        assert "library" in body["context"]
        assert len(msgspec.json.encode(body)) < 32_768


def test_orders_add_up(messages: list[Message]) -> None:
    orders = [m.body["properties"] for m in messages if m.body.get("event") == "Order Completed"]
    assert len(orders) > 100
    for order in orders:
        worth = sum(product["price"] * product["quantity"] for product in order["products"])
        assert order["revenue"] == pytest.approx(worth)
        assert order["total"] == pytest.approx(worth + order["shipping"])
        assert order["currency"]
        assert order["order_id"]


def test_what_is_refunded_was_ordered_before(messages: list[Message]) -> None:
    ordered: set[str] = set()
    refunds = 0
    for message in sorted(messages, key=lambda m: m.time):
        if message.body.get("event") == "Order Completed":
            ordered.add(message.body["properties"]["order_id"])
        if message.body.get("event") == "Order Refunded":
            refunds += 1
            assert message.body["properties"]["order_id"] in ordered
    assert refunds


def test_the_time_can_be_found_out_from_the_message(messages: list[Message]) -> None:
    for message in messages:
        body = message.body
        said = _micros(body.get("originalTimestamp") or body["timestamp"])
        sent_at = body.get("sentAt")
        assert message.time == (message.at - _micros(sent_at) + said if sent_at else said)


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def test_the_difficult_cases_are_there(messages: list[Message]) -> None:
    bodies = [message.body for message in messages]
    ids = Counter((m.source, m.body["messageId"]) for m in messages)
    assert max(ids.values()) == 2, "retries"
    assert any(m.at - m.time > DAY // 24 for m in messages if "sentAt" in m.body), "late"
    assert any("sentAt" not in body and body["type"] == "identify" for body in bodies), "import"
    assert any(abs(_skew(m)) > 3_600_000_000 for m in messages), "wrong clocks"
    assert any(body["type"] == "alias" for body in bodies)
    assert any(body["userId"] in ("undefined", "null", "0", "anonymous") for body in bodies)
    assert any("externalIds" in body["context"] for body in bodies)
    events = {body.get("event") for body in bodies}
    assert {"Order Refunded", "Email Opened", "Support Call", "Signed Out"} <= events


def _skew(message: Message) -> int:
    sent_at = message.body.get("sentAt")
    return _micros(sent_at) - message.at if sent_at else 0


def test_the_truth_knows_everybody_once(messages: list[Message], truth: Truth) -> None:
    assert set(truth.people) == {message.person for message in messages}
    inside = Counter(identifier for group in truth.partition for identifier in group)
    assert set(inside.values()) == {1}
    carried = {each for message in messages for each in message.identifiers}
    declared = {each for m in messages for pair in m.asserted for each in pair}
    assert set(inside) == carried | declared


def test_users_are_one_profile_each_except_where_an_alias_says_so(
    messages: list[Message], truth: Truth
) -> None:
    aliased = {each for m in messages for pair in m.asserted for each in pair}
    for group in truth.partition:
        users = {each for each in group if each.kind == "user_id"}
        assert len(users) <= 1 or users <= aliased


def test_the_kiosk_is_shared_and_stays_alone(truth: Truth) -> None:
    kiosk = SHOP.person(7).kiosk
    assert kiosk is not None
    node = Identifier("anonymous_id", kiosk.anonymous_id)
    users = {p for p, used in truth.people.items() if node in used}
    assert len(users) > 3
    assert truth.shared == {node}
    assert truth.profile_of(node) == {node}


def test_a_family_tablet_belongs_to_one_of_the_two(truth: Truth) -> None:
    used_by_both = 0
    for owner in range(5, 160, 16):
        tablet = SHOP.person(owner).tablet
        assert tablet is not None
        assert tablet == SHOP.person(owner + 1).tablet
        node = Identifier("anonymous_id", tablet.anonymous_id)
        users = [n for n in (owner, owner + 1) if node in truth.people.get(n, ())]
        if len(users) == 2:
            used_by_both += 1
            profiles = {truth.profile_of(Identifier("user_id", f"u{n}")) for n in users}
            assert len(profiles) == 2
            assert truth.profile_of(node) in profiles
    assert used_by_both


def test_segments_fill_and_empty_again(truth: Truth) -> None:
    for segment in SEGMENTS:
        assert truth.members(segment.name, SHOP.end), segment.name
    assert not truth.members("loyal_in_china", SHOP.start)
    assert not truth.members("loyal_in_china", SHOP.end + 40 * DAY)


def test_members_are_those_who_satisfy_the_rule(messages: list[Message], truth: Truth) -> None:
    group = min(truth.members("loyal_in_china", SHOP.end), key=sorted)
    users = {each.value for each in group if each.kind == "user_id"}
    orders = {
        m.body["messageId"]
        for m in messages
        if m.body.get("event") == "Order Completed"
        and (m.body["userId"] in users or m.identifiers[0] in group)
        and m.at <= SHOP.end
    }
    assert len(orders) >= 3


def test_phones_and_emails_are_typed_in_many_ways_but_are_the_same() -> None:
    for number in range(300):
        somebody = SHOP.person(number)
        for dice in range(0, 100, 4):
            phone = phone_typed(somebody, lambda dice=dice: dice / 100)
            parsed = phonenumbers.parse(phone, "CN")
            written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
            assert written == somebody.phone
            email = email_typed(somebody, lambda dice=dice: dice / 100)
            assert email.strip().lower() == somebody.email


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.code)
def test_telephone_numbers_are_valid_and_nobody_elses(country: Country) -> None:
    numbers = [national_phone(country, number) for number in range(0, 40_000, 37)]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{country.dial}{number}"))


@pytest.mark.parametrize("day", [5, None])
def test_examples_are_profiles_of_the_shop(day: int | None) -> None:
    shop = Shop(customers=320)
    shown = examples(shop, None if day is None else shop.start + day * DAY)
    assert len(shown) == 3
    known = shop.truth().known(shown[0].at)
    for example in shown:
        group = frozenset(example.identifiers)
        assert example.lookup in {f"{one.kind}:{one.value}" for one in group}
        holding = [segment.name for segment in SEGMENTS if segment.holds(known[group])]
        assert example.segments == tuple(holding)
