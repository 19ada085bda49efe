"""What the engine reads of everybody's traits is what is read of one profile's."""

import json

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.segment.fields import field_sql
from onefold.segment.metric import Type, clock_column, trait_column
from onefold.segment.reading import trait_value
from onefold.segment.trait_sql import traits_query
from onefold.segment.zone import DAY, UTC, load_zone

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "UTC")
TYPES: tuple[Type, ...] = (
    "text", "number", "boolean", "date", "time", "list", "numbers", "object",
)  # fmt: skip

pieces = [
    st.sampled_from(["1970", "2024", "2026", "1999", "0000", "0001", "9999"]),
    st.sampled_from(["-01", "-02", "-03", "-10", "-13", "-00", "-3"]),
    st.sampled_from(["-01", "-28", "-29", "-31", "-08", "-25", ""]),
    st.sampled_from(["T", " ", "", "t"]),
    st.sampled_from(["00:00", "02:30", "23:59", "24:00", "07:60", ""]),
    st.sampled_from(["", "", ":00", ":59", ":60", ":00.5", ":01,123456789", ":00."]),
    st.sampled_from(["", "Z", "+02:00", "-0530", "+00:00", " Z", "+8", "z", "\n"]),
]
moments = st.tuples(*pieces).map("".join)
scalars = st.none() | st.booleans() | st.integers(-5, 150) | st.sampled_from(["7 ", "1_0", "x", ""])
values = moments | scalars | st.lists(scalars | moments, max_size=4) | st.just({"a": 1})


def both(found: list[object], timezone: str) -> list[tuple[object, object]]:
    """Each value as each type: read by the engine, and by the reader of one profile."""
    zone = load_zone(timezone)
    columns = [trait_column(("x",), each) for each in TYPES]
    rows = [(number, json.dumps({"x": value})) for number, value in enumerate(found)]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE people (profile BIGINT, traits JSON)")
    connection.executemany("INSERT INTO people VALUES (?, ?)", rows)
    query = traits_query(columns, 0, zone, "people", field_sql)
    answers = connection.execute(f"{query} ORDER BY profile").fetchall()
    return [
        (answer, trait_value({"x": value}, ["x"], column.type, zone))
        for row, value in zip(answers, found, strict=True)
        for column, answer in zip(columns, row[1:], strict=True)
        if column.type != "text" or isinstance(value, str)
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(values, min_size=1, max_size=60), st.sampled_from(ZONES))
def test_the_engine_reads_as_the_reader_does(found: list[object], timezone: str) -> None:
    for answer, expected in both(found, timezone):
        assert answer == expected


@pytest.mark.parametrize(
    ("text", "timezone", "day", "micros"),
    [
        ("1990-05-17", "Europe/Berlin", 7441, (7441 * 24 - 2) * 3_600_000_000),
        ("1990-05-17T00:00:00.000Z", "America/New_York", 7441, 7441 * DAY),
        ("1990-05-17T02:00:00Z", "America/New_York", 7440, 7441 * DAY + 2 * 3_600_000_000),
        ("1990-05-17 23:00", "Asia/Shanghai", 7441, 7441 * DAY + 14 * 3_600_000_000),  # summer time
        ("2026-03-29 02:30:00", "Europe/Berlin", 20541, 20541 * DAY + 90 * 60_000_000),  # skipped
        ("2026-10-25 02:30:00", "Europe/Berlin", 20751, 20751 * DAY + 30 * 60_000_000),  # twice
        ("1990-02-30", "UTC", None, None),
        ("17.05.1990", "UTC", None, None),
        ("1990-05-17T25:00", "UTC", None, None),
    ],
)
def test_dates_and_times_of_texts(text: str, timezone: str, day: int, micros: int) -> None:
    zone = load_zone(timezone)
    assert trait_value({"x": text}, ["x"], "date", zone) == day
    assert trait_value({"x": text}, ["x"], "time", zone) == micros


def test_columns_keep_their_order_and_the_clock_is_the_same_for_all() -> None:
    columns = [
        trait_column(("b",), "date"),
        clock_column(("today",), "date"),
        trait_column(("a",), "text"),
    ]
    connection = duckdb.connect()
    connection.execute(
        'CREATE TABLE people AS SELECT 7 AS profile, \'{"a":"x","b":"1970-01-03"}\' AS traits'
    )
    query = traits_query(columns, 5 * DAY, UTC, "people", field_sql)
    assert connection.execute(query).fetchall() == [(7, 2, 5, "x")]


def test_a_day_begins_at_its_local_midnight_or_where_that_is_skipped_at_its_first_moment() -> None:
    for name in ("America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Europe/Berlin"):
        zone = load_zone(name)
        for day in range(10_000, 21_000, 7):
            assert zone.moment(day * DAY) == zone.day_start(day)
