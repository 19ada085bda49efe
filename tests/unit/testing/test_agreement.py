"""The stages find out what the shop and the reference know."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.app.definitions.files import read_text
from onefold.model.profile import ASSERTED, Node
from onefold.model.records import Accepted, Event, Identifier
from onefold.resolve import add_link, node_id, pairs_of, partition, rank_of
from onefold.segment import parse_rule
from onefold.standardize import standardize
from onefold.testing import reference
from onefold.testing.shop import DEFAULT_COUNTRY, SEGMENTS, Message, Shop, as_history, definitions


class China:
    """The settings of the shop's sources."""

    default_country = DEFAULT_COUNTRY


SHOP = Shop(customers=120)


def read(message: Message) -> Event:
    call = Accepted(message.source, message.at, "event", msgspec.json.encode(message.body))
    events, rejects = standardize([call], {message.source: China()})
    assert not rejects
    return events[0]


@pytest.mark.parametrize("history", [False, True])
def test_standardize_finds_who_and_when(history: bool) -> None:
    for message in SHOP.messages():
        event = read(as_history(message) if history else message)
        assert event.identifiers == message.identifiers
        assert event.asserted == message.asserted
        assert event.time == message.time
        assert event.message_id == message.body["messageId"]


def groups_of(events: Iterable[Event]) -> reference.Partition:
    """The partition that the resolve stage makes."""
    nodes: dict[bytes, Node] = {}

    def node(identifier: Identifier, time: int) -> Node:
        key = node_id(b"key", identifier)
        return nodes.setdefault(key, Node(key, *identifier, time, time, 0, {}))

    for event in events:
        for identifier in event.identifiers:
            node(identifier, event.time)
        rank = rank_of(event.identifiers)
        found = [(pair, rank) for pair in pairs_of(event.identifiers, rank)]
        found += [(pair, ASSERTED) for pair in event.asserted]
        for (left, right), rank in found:
            add_link(node(left, event.time), node(right, event.time), rank, event.time)
    return frozenset(
        frozenset(Identifier(one.kind, one.value) for one in cluster)
        for cluster in partition(nodes).clusters
    )


def test_resolve_finds_the_partition_of_the_shop() -> None:
    truth = SHOP.truth()
    assert groups_of(read(message) for message in SHOP.messages()) == truth.partition


def an_event(
    identifiers: set[Identifier], time: int, asserted: set[tuple[Identifier, Identifier]]
) -> Event:
    ordered = sorted(identifiers, key=lambda one: (one.kind != "user_id", one))
    users = [one for one in ordered if one.kind == "user_id"]
    ordered = [one for one in ordered if one not in users[1:]]
    pairs = tuple(pair for pair in sorted(asserted) if pair[0] != pair[1])
    return Event("s", "track", "x", time, time, "m", tuple(ordered), pairs, {}, False, "{}", "{}")


IDENTIFIERS = st.sampled_from(
    [Identifier("user_id", value) for value in "ABCDEF"]
    + [Identifier(kind, value) for kind in ("anonymous_id", "email", "phone") for value in "xyz"]
)
EVENTS = st.builds(
    an_event,
    st.sets(IDENTIFIERS, min_size=1, max_size=3),
    st.integers(0, 5),
    st.sets(st.tuples(IDENTIFIERS, IDENTIFIERS), max_size=1)
    | st.just(set())
    | st.just(set())
    | st.just(set()),
)


@given(st.lists(EVENTS, max_size=14))
def test_resolve_agrees_with_the_reference(events: list[Event]) -> None:
    assert groups_of(events) == reference.partition(reference.evidence_of(events))


def test_sign_ups_on_a_kiosk_do_not_merge_its_users() -> None:
    kiosk = Identifier("anonymous_id", "kiosk")
    users = [Identifier("user_id", value) for value in "ABCD"]
    events = [an_event({user}, 1, {(user, kiosk)}) for user in users]
    assert groups_of(events) == {frozenset({one}) for one in [*users, kiosk]}


def test_every_rule_of_the_demo_is_understood() -> None:
    for segment in SEGMENTS:
        assert parse_rule(segment.rule).text == segment.rule


def test_the_definitions_can_be_applied() -> None:
    written = read_text(definitions())
    assert written.faults == []
    assert [one.name for one in written.written] == [segment.name for segment in SEGMENTS]
