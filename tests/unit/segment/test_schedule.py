"""When what needs everybody is due, in the workspace's time zone."""

from datetime import UTC, datetime

import pytest

from onefold.model.errors import InvalidInput
from onefold.segment.schedule import parse_duration, parse_schedule
from onefold.segment.zone import load_zone

HOUR = 3_600_000_000


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "last", "due"),
    [
        ("every 6 hours", at(2026, 1, 1, 5), at(2026, 1, 1, 11)),
        ("every day", at(2026, 1, 1, 5), at(2026, 1, 2, 5)),
        # Shanghai is eight hours ahead: three o'clock there is 19:00 UTC of the day before.
        ("daily at 03:00", at(2026, 1, 1, 5), at(2026, 1, 1, 19)),
        ("daily at 03:00", at(2026, 1, 1, 19), at(2026, 1, 2, 19)),
        ("Weekly on Monday at 03:00", at(2026, 1, 1, 5), at(2026, 1, 4, 19)),
        ("monthly on 2 at 3:00", at(2026, 1, 1, 20), at(2026, 2, 1, 19)),
    ],
)
def test_the_next_time_after_the_last(text: str, last: int, due: int) -> None:
    assert parse_schedule(text).after(last, load_zone("Asia/Shanghai")) == due


def test_at_a_turn_of_the_clock_it_is_due_once_a_day() -> None:
    zone = load_zone("Europe/Berlin")
    last, found = at(2026, 3, 27, 12), []
    for _ in range(4):
        last = parse_schedule("daily at 02:30").after(last, zone)
        found.append(zone.day(last))
    assert found == list(range(found[0], found[0] + 4))


@pytest.mark.parametrize(
    "text",
    ["", "sometimes", "every 5 minutes", "every 0 hours", "daily at 24:00", "daily at 3",
     "weekly on someday at 03:00", "monthly on 31 at 03:00", "every 99999 days"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_schedule(text)


def test_durations() -> None:
    assert parse_duration("12 hours") == 12 * HOUR
    assert parse_duration("1 week") == 7 * 24 * HOUR
    for text in ("", "0 days", "month", "-1 days"):
        with pytest.raises(InvalidInput):
            parse_duration(text)
