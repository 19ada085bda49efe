"""Asking a rule of everybody gives what live evaluation gives of buckets."""

import json

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.segment import bucket_query, compile_membership, parse_rule, read_rows
from onefold.segment.asked import asked_rules
from onefold.segment.population import (
    Relations,
    features_query,
    members_query,
    population_query,
    share_query,
)
from onefold.testing.rules import Happened, Moment, holds
from tests.unit.segment.test_reference import histories, rules

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
        for narrow in (False, True):
            query = members_query(asked, now, timezone, TABLES, narrow=narrow)
            assert {row[0] for row in connection.execute(query).fetchall()} == {
                number for number, row in answers.items() if row[index]
            }
        if share := share_query(asked, now, timezone, TABLES):
            assert 0.0 <= connection.execute(share).fetchone()[0] <= 1.0


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
