"""Days of a time zone, and windows over them, through skipped and repeated hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.model.errors import InvalidInput
from onefold.segment.window import Window, bucket_at, bucket_start
from onefold.segment.zone import load_zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000
ZONES = (
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # its clock was set forward at midnight: days that begin at one
    "America/St_Johns",  # its clock was set back a minute after midnight
    "Africa/Casablanca",
    "Pacific/Apia",  # skipped a whole day
    "UTC",
)
times = st.integers(0, 4_000_000_000_000_000)
zones = st.sampled_from(ZONES)


def micros(*moment: int, zone: str = "UTC") -> int:
    local = datetime(*moment, tzinfo=ZoneInfo(zone))
    return (local - EPOCH) // timedelta(microseconds=1)


@given(times, zones)
def test_days_are_those_of_the_calendar(time: int, zone: str) -> None:
    local = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(zone))
    assert load_zone(zone).day(time) == (local.date() - EPOCH.date()).days


@given(times, zones)
def test_a_day_starts_where_the_day_before_ends(time: int, zone: str) -> None:
    calendar = load_zone(zone)
    day = calendar.day(time)
    start = calendar.day_start(day)
    assert calendar.day(start) >= day
    assert calendar.day(start - 1) < day


@pytest.mark.parametrize("zone", ZONES)
def test_sql_numbers_days_alike(zone: str) -> None:
    calendar = load_zone(zone)
    marks = [calendar.day_start(day) for day in range(-400, 47_000, 17)]
    moments = [mark + shift for mark in marks for shift in (-1, 0, 1, 9 * HOUR)]
    since, until = micros(2024, 2, 1), micros(2026, 11, 1)
    short = [moment for moment in moments if since <= moment <= until]
    for sql, wanted in ((calendar.day_sql(), moments), (calendar.day_sql(since, until), short)):
        query = f"SELECT {sql} FROM (SELECT unnest(?) AS time)"
        rows = duckdb.connect().execute(query, [wanted]).fetchall()
        assert [row[0] for row in rows] == [calendar.day(moment) for moment in wanted]


def test_a_day_begins_at_one_where_midnight_is_skipped() -> None:
    day = bucket_at("day", micros(2018, 11, 4, 12), "America/Sao_Paulo")
    assert load_zone("America/Sao_Paulo").day_start(day) == micros(2018, 11, 4, 3)


def test_a_window_counts_in_its_own_unit() -> None:
    now = micros(2026, 3, 29, 0, 30, zone="Europe/Berlin")
    berlin = load_zone("Europe/Berlin")
    today = (datetime(2026, 3, 29, tzinfo=UTC) - EPOCH).days
    assert Window("day", "day", 0).span(now, berlin) == (today, today)
    assert Window("day", "day", 29).span(now, berlin) == (today - 29, today)
    assert Window("hour", "hour", 0).span(now, berlin) == (now // HOUR, now // HOUR)
    minute = now // 60_000_000
    assert Window("minute", "minute", 4).span(now, berlin) == (minute - 4, minute)
    assert Window().span(now, berlin) == (0, 0)


def days(*pairs: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple((date(*each) - EPOCH.date()).days for each in pairs)


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (Window("day", "week", 0), (2026, 3, 23), (2026, 3, 29)),
        (Window("day", "week", 1, 1), (2026, 3, 16), (2026, 3, 22)),
        (Window("day", "month", 0), (2026, 3, 1), (2026, 3, 29)),
        (Window("day", "month", 1, 1), (2026, 2, 1), (2026, 2, 28)),
        (Window("day", "quarter", 0), (2026, 1, 1), (2026, 3, 29)),
        (Window("day", "quarter", 1, 1), (2025, 10, 1), (2025, 12, 31)),
        (Window("day", "year", 0), (2026, 1, 1), (2026, 3, 29)),
        (Window("day", "year", 1, 1), (2025, 1, 1), (2025, 12, 31)),
        (Window("day", "day", 59, 30), (2026, 1, 29), (2026, 2, 27)),
        (Window("day", since=20_000), (2024, 10, 4), (2026, 3, 29)),
        (Window("day", since=20_000, until=20_001), (2024, 10, 4), (2024, 10, 5)),
    ],
)
def test_windows_of_the_calendar(window: Window, first: tuple, last: tuple) -> None:
    now = micros(2026, 3, 29, 0, 30, zone="Europe/Berlin")
    berlin = load_zone("Europe/Berlin")
    assert window.span(now, berlin) == days(first, last)
    since, until = window.bounds(now, berlin)
    assert since == micros(*first, zone="Europe/Berlin")
    following = date(*last) + timedelta(days=1)
    assert until == micros(following.year, following.month, following.day, zone="Europe/Berlin")


@given(
    st.integers(-400_000, 400_000),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_a_day_enters_and_leaves_once(day: int, period: str, newest: int, more: int) -> None:
    window = Window("day", period, newest + more, newest)
    enters, leaves = window.enters(day), window.leaves(day)
    utc = load_zone("UTC")

    def inside(current: int) -> bool:
        low, high = window.span(current * 86_400_000_000, utc)
        return low <= day <= high

    assert day <= enters < leaves <= day + (newest + more + 1) * 366
    assert leaves - day <= window.retention
    assert [inside(enters - 1), inside(enters)] == [False, True]
    assert [inside(leaves - 1), inside(leaves)] == [True, False]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Asia/Shanghai", (2026, 3, 29), 24),
    ],
)
def test_a_day_leaves_at_the_next_local_midnight(zone: str, day: tuple[int], hours: int) -> None:
    midnight = micros(*day, zone=zone)
    bucket = bucket_at("day", midnight, zone)
    leaves = Window("day", "day", 0).leaves(bucket)
    assert bucket_start("day", leaves, load_zone(zone)) == midnight + hours * HOUR


def test_hours_minutes_and_seconds_leave_when_they_turn() -> None:
    assert Window("hour", "hour", 1).leaves(10) == 12
    assert bucket_start("hour", 12, load_zone("UTC")) == 12 * HOUR
    assert bucket_start("minute", 12, load_zone("UTC")) == 12 * 60_000_000
    assert bucket_start("second", 12, load_zone("UTC")) == 12 * 1_000_000


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "../etc/passwd", "/etc/passwd", "a\x00b"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        load_zone(name)
