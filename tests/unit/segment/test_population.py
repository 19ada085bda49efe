"""Asking a rule of everybody gives what live evaluation gives of buckets."""

import json

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.segment import bucket_query, compile_membership, parse_rule, read_rows
from onefold.segment.asked import asked_rules
from onefold.segment.population import (
    UNKNOWN,
    Ahead,
    Relations,
    ahead_query,
    features_query,
    members_query,
    population_query,
)
from onefold.testing.rules import Happened, Moment, holds
from tests.unit.segment.test_reference import histories, micros, rules

TABLES = Relations("events", "people")


def connect(people: dict[int, tuple[dict, list[Happened]]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE events (profile BIGINT, owner BLOB, name VARCHAR, time BIGINT,"
        " message_id VARCHAR, properties VARCHAR, context VARCHAR)"
    )
    connection.execute("CREATE TABLE people (profile BIGINT, traits VARCHAR)")
    for number, (traits, events) in people.items():
        connection.execute("INSERT INTO people VALUES (?, ?)", [number, json.dumps(traits)])
        if events:
            connection.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        number,
                        bytes([number]),
                        *event[:3],
                        json.dumps(event.properties),
                        json.dumps(event.context),
                    )
                    for event in events
                ],
            )
    return connection


def check(histories, texts: list[str]) -> None:
    now, timezone = histories[0][:2]
    people = {
        number: (traits, events) for number, (_, _, traits, events) in enumerate(histories, 1)
    }
    membership = compile_membership({text: parse_rule(text) for text in texts})
    connection = connect(people)
    buckets = read_rows(connection.execute(bucket_query(membership.metrics, timezone)).fetchall())
    live = membership.features(now, timezone)
    columns = features_query(membership.columns, membership.metrics, now, timezone, TABLES)
    found = {row[0]: row[1:] for row in connection.execute(columns).fetchall()}
    answers = {
        row[0]: row[1:]
        for row in connection.execute(
            population_query(membership, now, timezone, TABLES)
        ).fetchall()
    }
    for number, (traits, events) in people.items():
        row, _ = live.row(traits, [buckets.get(bytes([number]), {})])
        assert found[number] == row
        moment = Moment(traits, events, now, timezone)
        assert list(answers[number]) == [holds(text, moment) for text in texts]
    for index, text in enumerate(texts):
        asked = asked_rules({"": text})
        without: tuple[bool, ...] = ()
        if ahead := ahead_query(asked, now, timezone, TABLES):
            share, *without = connection.execute(ahead).fetchone()
            assert share is None or 0.0 <= share <= 1.0
        for known in {UNKNOWN, Ahead(0.0), Ahead(None, tuple(without))}:
            query = members_query(asked, now, timezone, TABLES, known)
            assert {row[0] for row in connection.execute(query).fetchall()} == {
                number for number, row in answers.items() if row[index]
            }


cases = (
    st.lists(histories(), min_size=1, max_size=4),
    st.lists(rules(), min_size=1, max_size=4, unique=True),
)
relaxed = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=40, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_everybody_at_once_is_as_one_by_one(histories, texts) -> None:
    check(histories, texts)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=relaxed)
@given(*cases)
def test_everybody_at_once_is_as_one_by_one_many_times(histories, texts) -> None:
    check(histories, texts)


def test_a_member_is_found_by_traits_and_events() -> None:
    day = 86_400_000_000
    now = 20_000 * day + day // 2
    orders = [
        Happened("Order", now - age * day, f"m{age}", {"price": 60}) for age in (0, 1, 29, 30)
    ]
    connection = connect(
        {
            1: ({"country": "CN"}, orders),
            2: ({"country": "DE"}, orders),
            3: ({"country": "CN"}, orders[2:]),
            4: ({"country": "CN"}, []),
        }
    )
    rule = (
        "country = 'CN' and sum_of('Order', properties.price, last => interval 30 day) > 100"
        " and not did('Email Opened', last => interval 14 day)"
    )
    query = members_query(asked_rules({"": rule}), now, "UTC", TABLES)
    assert connection.execute(query).fetchall() == [(1,)]


HOUR, MINUTE, NOON = 3_600_000_000, 60_000_000, micros(2026, 3, 10, 12)


def happened(*minutes_ago: int, name: str = "page", **properties: object) -> list[Happened]:
    return [Happened(name, NOON - ago * MINUTE, f"{name}{ago}", properties) for ago in minutes_ago]


@pytest.mark.parametrize(
    ("events", "answers"),
    [
        ([], [True, False, False]),
        (happened(0, 29, 58, 100), [False, True, False]),  # 42 minutes before those in between
        (happened(30, 31), [True, False, False]),  # over for half an hour
        (happened(0, 25) + happened(3, name="Order", price=7), [False, False, True]),
        (happened(0) + happened(2, 40, name="Order", price=7), [False, False, True]),
        (happened(-40, -20, 0), [False, False, False]),  # what is dated ahead comes in later
        (happened(*range(0, 2_000, 25)), [False, False, False]),  # a day of it counts
    ],
)
def test_the_session_somebody_is_in_is_the_same_live_and_over_everybody(events, answers) -> None:
    texts = [
        "count_of('page', during => this_session) = 0",
        "count_of('page', during => this_session) = 3",
        "sum_of('Order', properties.price, during => this_session) = 7",
    ]
    check([(NOON, "Europe/Berlin", {}, events)], texts)
    moment = Moment({}, events, NOON, "Europe/Berlin")
    assert [holds(text, moment) for text in texts] == answers


def test_the_longest_session_counts_a_day_back() -> None:
    events = happened(*range(0, 2_000, 25))
    check(
        [(NOON, "UTC", {}, events)],
        [f"count_of('page', during => this_session) = {n}" for n in (57, 58, 59)],
    )


@pytest.mark.parametrize("text", ["+-7", " +-7.5e3 ", "+-0"])
def test_a_text_is_a_number_everywhere_or_nowhere(text) -> None:
    events = happened(1, name="A", n=text, items=[{"n": text}])
    rules = [
        "n is null or n + 1 is null",
        "sum_of('A', properties.n) is null",
        "did('A', where => properties.n < 1)",
        "sum_of('A', properties.items[].n) is null",
    ]
    check([(NOON, "UTC", {"n": text}, events)], rules)
    assert holds(rules[1], Moment({}, events, NOON, "UTC"))


def test_the_value_of_an_event_is_read_as_a_date_where_it_is_compared_with_one() -> None:
    events = happened(1, name="A", day="2026-02-03") + happened(
        2, name="A", day="2026-03-08T23:30:00Z"
    )
    check(
        [(NOON, "Asia/Shanghai", {}, events), (NOON, "Asia/Shanghai", {}, events[1:])],
        [
            "last_of('A', properties.day) > date '2026-03-08'",
            "first_of('A', of => properties.day) < now() - interval 2 day",
            "most_frequent_of('A', properties.day) = today() - interval 1 day",
            "last_of('A', properties.day, during => this_session) is null",
            "date_diff('day', last_of('A', properties.day), today()) = 1",
        ],
    )
