"""When time alone changes a window, told for everybody at once: never later than buckets say."""

import pytest
from hypothesis import given, settings

from onefold.segment import bucket_query, compile_membership, parse_rule, read_rows
from onefold.segment.turning import Turning, earliest_turning
from onefold.testing.rules import Happened
from tests.unit.segment.test_population import TABLES, cases, connect, relaxed

DAY = 86_400_000_000
NOON = 20_000 * DAY + DAY // 2


def turns(now: int, timezone: str, people, texts: list[str]) -> dict[int, tuple]:
    """Of each profile: when it turns as everybody is asked, and as its buckets say."""
    plan = compile_membership({text: parse_rule(text) for text in texts})
    connection = connect(people)
    turning = Turning(plan.columns, plan.metrics, now, timezone)
    found = {}
    if turning.names:
        for number, *row in connection.execute(turning.query(TABLES)).fetchall():
            named = dict(zip(turning.names, row, strict=True))
            found[number] = earliest_turning(named, turning)
    buckets = read_rows(connection.execute(bucket_query(plan.metrics, timezone)).fetchall())
    live = plan.features(now, timezone)
    return {
        number: (found.get(number), live.row(traits, [buckets.get(bytes([number]), {})])[1])
        for number, (traits, _) in people.items()
    }


@settings(max_examples=60, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_nobody_turns_before_everybody_is_asked(histories, texts) -> None:
    now, timezone = histories[0][:2]
    people = {
        number: (traits, events) for number, (_, _, traits, events) in enumerate(histories, 1)
    }
    for asked, live in turns(now, timezone, people, texts).values():
        assert live is None or (asked is not None and asked <= live)


def orders(*days: int) -> list[Happened]:
    return [Happened("Order", NOON - day * DAY, f"m{day}", {"price": 60}) for day in days]


def test_it_is_the_moment_that_buckets_say() -> None:
    people = {
        1: ({}, orders(0, 5)),
        2: ({}, orders(29, 31)),
        3: ({}, orders(-3)),
        4: ({}, orders(40)),
        5: ({}, []),
    }
    rule = "count_of('Order', last => interval 30 day) >= 2"
    found = turns(NOON, "UTC", people, [rule])
    midnight = NOON - DAY // 2
    assert [found[number] for number in people] == [
        (midnight + 25 * DAY,) * 2,
        (midnight + DAY,) * 2,
        (midnight + 3 * DAY,) * 2,
        (None, None),
        (None, None),
    ]


def test_what_happens_before_a_window_of_dates_never_comes_into_it() -> None:
    people = {
        1: ({}, orders(-2)),
        2: ({}, orders(-2, -7)),
        3: ({}, orders(-7)),
        4: ({}, orders(-12)),
    }
    rule = "did('Order', since => date '2024-10-09', until => date '2024-10-13')"
    found = turns(NOON, "UTC", people, [rule])
    on_the_11th = NOON - DAY // 2 + 7 * DAY
    assert [found[number] for number in people] == [
        (None, None),
        (on_the_11th,) * 2,
        (on_the_11th,) * 2,
        (None, None),
    ]


def test_a_session_ends_half_an_hour_after_its_last_event() -> None:
    just_now = [
        Happened("Order", NOON - minutes * 60_000_000, f"m{minutes}", {}) for minutes in (5, 20)
    ]
    rule = "count_of('Order', during => this_session) >= 1"
    ((asked, live),) = turns(NOON, "UTC", {1: ({}, just_now)}, [rule]).values()
    assert live == NOON + 25 * 60_000_000
    assert asked == NOON + 10 * 60_000_000


def test_a_session_that_nothing_counts_in_ends_unnoticed() -> None:
    """Whether buckets that are too old to matter are still kept or not."""
    rule = "sum_of('Order', properties.price, during => this_session) is null"
    old = Happened("Order", NOON - 40 * DAY, "m1", {"price": 2.5})
    text = Happened("Order", NOON - 60_000_000, "m2", {"price": "a lot"})
    number = Happened("Order", NOON - 60_000_000, "m3", {"price": "60"})
    people = {1: ({}, [old, text]), 2: ({}, [text]), 3: ({}, [old, text, number])}
    found = turns(NOON, "UTC", people, [rule])
    end = NOON + 29 * 60_000_000
    assert [found[each][1] for each in people] == [None, None, end]


def test_nobody_waits_for_a_step_after_one_that_no_longer_counts() -> None:
    """Whether buckets that are too old to matter are still kept or not."""
    rule = "in_sequence('A', 'B', last => interval 7 hour)"
    coming = Happened("B", NOON + 7_200_000_000, "m1", {})
    old, recent = (Happened("A", NOON - hours * 3_600_000_000, "m2", {}) for hours in (40, 1))
    people = {1: ({}, [old, coming]), 2: ({}, [coming]), 3: ({}, [recent, coming])}
    found = turns(NOON, "UTC", people, [rule])
    assert [found[each][1] for each in people] == [None, None, coming.time]


def test_a_session_begins_with_an_event_of_the_same_minute_or_another_day() -> None:
    rule = "count_of('Order', during => this_session) >= 1"
    for ahead in (20_000_000, DAY):
        people = {1: ({}, [Happened("Order", NOON + ahead, "m", {})])}
        ((asked, live),) = turns(NOON, "UTC", people, [rule]).values()
        assert asked == live == min(NOON + ahead, NOON + DAY // 2)


def test_two_counts_of_days_turn_when_each_does() -> None:
    rules = ["days_since('Order') > 10", "days_since('Order') > 3"]
    found = turns(NOON, "UTC", {1: ({}, orders(5)), 2: ({}, orders(2))}, rules)
    assert all(asked == live for asked, live in found.values())


@pytest.mark.parametrize("unless", ["A", "B", "C"])
def test_what_must_not_follow_may_be_a_step_itself(unless: str) -> None:
    rule = (
        "in_sequence('A', 'B', within => interval 3 day, "
        f"between => (interval 9 day, interval 2 day), not_followed_by => '{unless}')"
    )
    days = [(a, b) for a in range(12) for b in range(12)]
    people = {
        number: (
            {},
            [
                Happened("A", NOON - a * DAY - 1, "a", {}),
                Happened("B", NOON - b * DAY, "b", {}),
            ],
        )
        for number, (a, b) in enumerate(days, 1)
    }
    found = turns(NOON, "UTC", people, [rule]).values()
    assert all(live is None or (asked is not None and asked <= live) for asked, live in found)
