"""Why somebody is in a segment, or not: clause by clause, with the values and the events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from onefold.app.profiles.finding import profile
from onefold.app.questions.audiences import EventRow, PreviewQuestion, WhyClause, WhyQuestion
from onefold.app.questions.preview import preview
from onefold.app.questions.why import why
from onefold.model.errors import NotFound
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_preview import RULE, order, people, person


def ask(onefold: Stepped, rule: str, user: str = "a") -> WhyClause:
    return why(onefold.settings, WhyQuestion(rule, f"user_id:{user}")).clause


def test_each_clause_says_what_made_it_so(onefold: Stepped) -> None:
    people(onefold)
    country, orders, opened = ask(onefold, RULE, "b").parts
    assert (country.holds, country.inputs[0].value) == (True, "CN")
    (count,) = orders.inputs
    assert (orders.holds, count.value, count.count) == (True, 2, 2)
    assert count.name == "count_of('Order Completed', last => interval 30 day)"
    assert [event.message_id for event in count.events] == ["b-1", "b-0"]
    assert opened.holds is False
    (did,) = opened.parts
    assert (did.holds, did.inputs[0].events[0].message_id) == (True, "opened")


def test_it_agrees_with_live_membership(onefold: Stepped) -> None:
    people(onefold)
    onefold.define(f"kind: segment\nname: quiet\nrule: {RULE}\n")
    onefold.settle()
    for user in "abcd":
        found = why(onefold.settings, WhyQuestion("segment:quiet", f"user_id:{user}"))
        assert found.holds == found.member == (user == "a")
        live = profile(onefold.settings, f"user_id:{user}").segments
        assert found.since == (live[0].since if live else None)


def test_what_is_absent_is_neither_true_nor_false(onefold: Stepped) -> None:
    onefold.take(person("a", city="X"))
    clause = ask(onefold, "city = 'X' and not age > 30 or min_of('Order', properties.n) < 1")
    assert clause.holds is None
    both, least = clause.parts
    assert [part.holds for part in both.parts] == [True, None]
    assert (least.holds, least.inputs[0].value, least.inputs[0].events) == (None, None, ())


def test_values_of_events_are_shown(onefold: Stepped) -> None:
    onefold.take(*(order("a", n, properties={"revenue": n * 10}) for n in range(1, 4)))
    rule = "sum_of('Order Completed', properties.revenue, where => properties.revenue > 10) > 40"
    (total,) = ask(onefold, rule).inputs
    assert total.value == 50
    assert {event.message_id: event.value for event in total.events} == {"a-2": 20, "a-3": 30}


def test_other_definitions_are_explained_in_turn(onefold: Stepped) -> None:
    people(onefold)
    onefold.define(
        "kind: trait\nname: orders\nexpression: count_of('Order Completed')\n---\n"
        "kind: tag\nname: level\ncases: [{value: gold, when: orders >= 2}, {value: basic}]\n"
    )
    onefold.settle()
    (level,) = ask(onefold, "level = 'gold'").inputs
    assert (level.name, level.value) == ("level", "gold")
    (orders,) = level.inputs
    assert (orders.name, orders.value, orders.inputs[0].count) == ("orders", 2, 2)


def test_nobody_is_not_explained(onefold: Stepped) -> None:
    with pytest.raises(NotFound):
        ask(onefold, "vip", "nobody")


def test_other_segments_and_lists_are_asked_and_explained(onefold: Stepped) -> None:
    people(onefold)
    onefold.define("kind: segment\nname: buyers\nrule: count_of('Order Completed') >= 2\n")
    onefold.settle()
    rule = "in_segment('buyers') and country = 'CN'"
    assert preview(onefold.settings, PreviewQuestion(rule)).count == 2
    inside, _ = ask(onefold, rule).parts
    (buyers,) = inside.inputs
    assert (buyers.name, buyers.value) == ("in_segment('buyers')", True)
    assert buyers.inputs[0].count == 2
    assert ask(onefold, rule, "c").parts[0].holds is False


def test_dates_are_shown_as_dates(onefold: Stepped) -> None:
    onefold.take(person("a", birthday="1999-12-31"))
    (birthday,) = ask(onefold, "birthday < date '2000-01-01'").inputs
    assert birthday.value == "1999-12-31"


LEFT_BEHIND = (
    "in_sequence('Product Added', 'Checkout Started', {}not_followed_by => 'Order Completed')"
)


def steps(onefold: Stepped, *hours_ago: tuple[float, str]) -> None:
    """Events of somebody, each so many hours ago; its message id is its number."""
    now = datetime.now(UTC)
    onefold.take(
        *(
            {
                "type": "track",
                "event": name,
                "userId": "a",
                "messageId": str(number),
                "timestamp": (now - timedelta(hours=hours)).isoformat(),
            }
            for number, (hours, name) in enumerate(hours_ago)
        )
    )


def deciding(onefold: Stepped, rule: str) -> tuple[bool | None, EventRow]:
    clause = ask(onefold, rule)
    row = clause.inputs[0].row
    assert row is not None
    return clause.holds, row


def test_what_broke_a_sequence_is_told_apart_from_what_makes_it(onefold: Stepped) -> None:
    steps(
        onefold,
        (9, "Product Added"),
        (8, "Product Added"),
        (7, "Checkout Started"),
        (6, "Order Completed"),
        (5, "Order Completed"),
    )
    holds, row = deciding(onefold, LEFT_BEHIND.format(""))
    assert (holds, row.state) == (False, "broken")
    made = [(event.message_id, event.value) for event in row.events]
    assert made == [("1", "Product Added"), ("2", "Checkout Started")]
    assert row.broken_by is not None
    assert (row.broken_by.message_id, row.broken_by.value) == ("3", "Order Completed")
    holds, row = deciding(onefold, LEFT_BEHIND.format("within => interval 1 hour, "))
    assert (holds, row.state, row.broken_by) == (True, "holds", None)


def test_a_sequence_that_is_not_there_says_how_far_it_came(onefold: Stepped) -> None:
    steps(onefold, (9, "Checkout Started"), (8, "Product Added"))
    holds, row = deciding(onefold, LEFT_BEHIND.format(""))
    assert (holds, row.state, row.expected) == (False, "incomplete", "Checkout Started")
    assert [event.message_id for event in row.events] == ["1"]
    steps(onefold, (1, "Checkout Started"))
    rule = LEFT_BEHIND.format("within => interval 3 hour, ")
    assert deciding(onefold, rule)[1].state == "too_long"
    holds, row = deciding(onefold, LEFT_BEHIND.format("within => interval 2 day, "))
    assert (holds, row.state) == (False, "waits")
    assert row.holds_from is not None
    assert row.holds_from - row.events[1].time == 172_800_000_000
