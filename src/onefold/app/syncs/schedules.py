"""When a source runs next: by its schedule, and sooner or later after it failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from onefold.model.conversion import converted
from onefold.model.errors import Fault, InvalidInput
from onefold.model.moments import micros_of
from onefold.model.quantities import parse_duration
from onefold.model.schedules import Schedule

SECOND = 1_000_000
FIRST_WAIT = 30 * SECOND
LONGEST_WAIT = 3600 * SECOND
_LATE = 60 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = 1.0
_MOST_ALARM = 1000


def read_schedule(given: Any, *, endless: bool = False) -> Schedule:
    """The schedule that a definition gives; raises `InvalidInput` with every fault.

    Without one a source runs when it is asked to, and what is `endless` always.

    >>> read_schedule({"every": "15m"}).interval // SECOND
    900
    """
    if given is None:
        return Schedule(always=endless)
    schedule = converted(given, Schedule, "the schedule", "schedule")
    faults = _faults(schedule)
    if faults:
        raise InvalidInput("the schedule cannot be used", faults)
    return schedule


def next_run(schedule: Schedule, after: int, last: int = 0) -> int:
    """The first time behind `after` at which it runs; 0 where it only runs when asked to.

    Runs that come `every` so long keep to the beat that began with `last`. `cron` follows the clocks
    of its time zone: what lies in an hour that is left out comes right after it, and
    what lies in one that comes twice comes once.

    >>> daily = Schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    >>> when = next_run(daily, micros_of(datetime(2026, 3, 28, 12, tzinfo=UTC)))
    >>> (_EPOCH + timedelta(microseconds=when)).astimezone(ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T03:00:00+02:00'
    """
    if schedule.always:
        return after
    if schedule.every:
        beats = (after - last) // schedule.interval + 1 if 0 < last <= after else 0
        return last + beats * schedule.interval if beats else after + schedule.interval
    if schedule.cron:
        return _next_cron(schedule, after)
    return 0


def due(schedule: Schedule, planned: int, now: int, awake_since: int) -> int:
    """When to run, given what was planned before: then, now, or (`skip`) at the next time.

    `awake_since` is when this process began to look: what was due before it was missed.

    >>> due(Schedule(every="1h", catch_up="skip"), planned=0, now=7_200_000_000, awake_since=7_200_000_000)
    7200000000
    """
    if schedule.by_hand:
        return 0
    if not planned:
        return now if not schedule.cron else next_run(schedule, now)
    missed = planned < awake_since - _LATE
    if missed and schedule.catch_up == "skip" and not schedule.always:
        return next_run(schedule, now, planned)
    if planned > now:  # a schedule that was changed may come sooner than was planned
        return min(planned, next_run(schedule, now, planned) or planned)
    return planned


def wait_after(failures: int, jitter: float) -> int:
    """How long to wait after so many failures in a row: tripled each time, up to an hour.

    >>> [wait_after(n, 1.0) // SECOND for n in (1, 2, 3, 9)]
    [30, 90, 270, 3600]
    >>> wait_after(1, 0.0) // SECOND
    15
    """
    longest = min(FIRST_WAIT * 3 ** min(failures - 1, 12), LONGEST_WAIT)
    return int(longest * (0.5 + jitter / 2))


def _next_cron(schedule: Schedule, after: int) -> int:
    # Loaded only where a source has such a schedule.
    from cronsim import CronSim  # noqa: PLC0415

    zone = ZoneInfo(schedule.time_zone)
    start = (_EPOCH + timedelta(microseconds=after)).astimezone(zone)
    return micros_of(next(CronSim(schedule.cron, start)))


def _faults(schedule: Schedule) -> list[Fault]:
    faults: list[Fault] = []
    if sum(map(bool, (schedule.every, schedule.cron, schedule.always))) > 1:
        hint = "keep one of them"
        faults.append(Fault("`every`, `cron` and `always` exclude each other", "schedule", hint))
    for name in ("every", "silent"):
        text = getattr(schedule, name)
        if text and (fault := _duration_fault(text)):
            faults.append(Fault(fault, f"schedule.{name}"))
    zone = _zone(schedule.time_zone)
    if zone is None:
        hint = "use a name such as 'Asia/Shanghai' or 'UTC'"
        message = f"there is no time zone {schedule.time_zone!r}"
        faults.append(Fault(message, "schedule.time_zone", hint))
    if schedule.cron and (fault := _cron_fault(schedule.cron)):
        hint = "five fields: minute, hour, day, month, day of the week; such as '30 2 * * *'"
        faults.append(Fault(fault, "schedule.cron", hint))
    if not 1 <= schedule.alarm_after <= _MOST_ALARM:
        faults.append(Fault(f"must be from 1 to {_MOST_ALARM}", "schedule.alarm_after"))
    return faults


def _duration_fault(text: str) -> str:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        return str(error)
    return "" if seconds >= _LEAST else "must be a second or more"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def _cron_fault(text: str) -> str:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    if len(text.split()) != 5:
        return f"{text!r} has not five fields"
    try:
        next(CronSim(text, _EPOCH))
    except CronSimError as error:
        return f"{text!r} is no schedule: {error}"
    except StopIteration:
        return f"{text!r} never comes"
    return ""
