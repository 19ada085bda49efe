from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from onefold.app.syncs.schedules import next_run, read_schedule
from onefold.model.errors import InvalidInput
from onefold.model.schedules import Schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def runs(schedule: Schedule, start: datetime, count: int) -> list[str]:
    """The next times, as the clocks of its time zone show them."""
    zone, at, found = ZoneInfo(schedule.time_zone), micros(start), []
    for _ in range(count):
        at = next_run(schedule, at, at)
        found.append((EPOCH + timedelta(microseconds=at)).astimezone(zone).isoformat())
    return found


def test_in_the_hour_that_comes_twice_it_runs_once() -> None:
    daily = Schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    assert runs(daily, datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_in_the_hour_that_is_left_out_it_runs_right_after() -> None:
    daily = Schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    assert runs(daily, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_every_hour_by_cron_is_every_hour_whatever_the_clocks_do() -> None:
    hourly = Schedule(cron="0 * * * *", time_zone="Europe/Berlin")
    assert runs(hourly, datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 4) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
        "2026-10-25T04:00:00+01:00",
    ]


def test_every_so_long_keeps_to_its_beat() -> None:
    every = Schedule(every="15m")
    minute = 60_000_000
    assert next_run(every, after=100 * minute, last=7 * minute) == 112 * minute
    assert next_run(every, after=112 * minute, last=112 * minute) == 127 * minute


def test_every_fault_of_a_schedule_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_schedule(
            {"every": "0s", "cron": "61 * * * *", "time_zone": "Mars/Base", "alarm_after": 0}
        )
    assert [fault.where for fault in caught.value.faults] == [
        "schedule",
        "schedule.every",
        "schedule.time_zone",
        "schedule.cron",
        "schedule.alarm_after",
    ]


def test_a_field_that_is_no_field_of_a_schedule_is_refused() -> None:
    with pytest.raises(InvalidInput, match="evry"):
        read_schedule({"evry": "1h"})
