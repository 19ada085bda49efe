"""A rule as of the past is what live membership was then."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.definitions.applying import put
from onefold.app.definitions.files import read_text
from onefold.app.lake.writer import drain
from onefold.app.questions.audiences import BacktestQuestion
from onefold.app.questions.backtest import backtest, moments_of
from onefold.app.questions.query import sql
from onefold.app.questions.segments import segment_members
from onefold.app.worker.loop import Worker
from onefold.app.workspace import open_lake, open_log, open_store
from onefold.config import Settings
from onefold.model.errors import InvalidInput
from onefold.model.records import Accepted, encode_accepted
from onefold.segment.zone import DAY, load_zone

HOUR = 3_600_000_000
ZONE = "Europe/Berlin"
# The last Sunday of March 2026, when clocks in Berlin go forward, lies inside the days that follow.
START = load_zone(ZONE).day_start(20_537)


class Story:
    """A workspace whose clock the test holds."""

    def __init__(self, data: Path) -> None:
        self.settings = Settings(data=data, min_free_disk=0, timezone=ZONE)
        make_workspace(self.settings)
        self.now = START

    def run(self, definitions: str, days: list[list[dict[str, Any]]]) -> list[dict[str, set[str]]]:
        """Live day by day: each day's events at their times; who is in which segment at its end."""
        found = []
        with open_store(self.settings) as store:
            log = open_log(self.settings, store, "test")
            lake = open_lake(self.settings)
            put(store, read_text(definitions), "test")
            names = [one.name for one in store.registry.definitions()]
            worker = Worker(self.settings, store, lake, log, lambda: self.now)
            zone = load_zone(ZONE)
            first = zone.day(START)
            for number, events in enumerate(days):
                start, end = (zone.day_start(first + number + more) for more in (0, 1))
                hours: list[dict[str, Any]] = [{"at": at} for at in range(0, end - start, HOUR)]
                for event in sorted(hours + events, key=lambda one: one["at"]):
                    self.now = start + event["at"]
                    body = {key: value for key, value in event.items() if key != "at"}
                    text = msgspec.json.encode(body)
                    if body:
                        log.append([encode_accepted(Accepted("default", self.now, "event", text))])
                    self._settle(worker)
                self.now = end - 1
                self._settle(worker)
                drain(store, lake)
                found.append(
                    {
                        name: {one.profile for one in segment_members(self.settings, name)}
                        for name in names
                    }
                )
            worker.close()
            log.close()
        return found

    def turned(self, segment: str) -> dict[tuple[str, bool], list[int]]:
        """When who entered or left a segment."""
        found: dict[tuple[str, bool], list[int]] = {}
        rows = sql(
            self.settings,
            "select profile, member, epoch_us(changed_at) from membership_changes"
            f" where segment = '{segment}'",
        ).rows
        for profile, entered, at in rows:
            found.setdefault((profile, entered), []).append(at)
        return found

    def _settle(self, worker: Worker) -> None:
        worker._next_sweep = 0.0
        while worker.step():
            worker._next_sweep = 0.0


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    return Story(tmp_path / "data")


def seen_at(story: Story, name: str, days: int) -> list[set[str]]:
    """Who was in a segment at the end of each day, as the backtest says."""
    zone = load_zone(ZONE)
    end = zone.day_start(zone.day(START) + days) - 1
    found = backtest(story.settings, BacktestQuestion(f"segment:{name}", START, end, "day", 10_000))
    assert found.points[0].members == 0
    inside: set[str] = set()
    result = []
    moments = [point.at for point in found.points]
    for before, point in zip(moments, found.points[1:], strict=False):
        for change in found.changes:
            if before < change.at <= point.at:
                (inside.add if change.entered else inside.remove)(change.profile)
        assert len(inside) == point.members
        result.append(set(inside))
    return result


def assert_dated_as(story: Story, name: str, days: int) -> None:
    """Each who came or went in a step did so when they came or went live."""
    zone = load_zone(ZONE)
    end = zone.day_start(zone.day(START) + days) - 1
    found = backtest(story.settings, BacktestQuestion(f"segment:{name}", START, end, "day", 10_000))
    live = story.turned(name)
    for change in found.changes:
        assert change.at in live[change.profile, change.entered], (name, change, live)


RULES = {
    "buyers": "count_of('Order', last => interval 3 day) >= 2",
    "germans": "country = 'DE' and not did('Order', last => interval 2 day)",
    "spenders": "sum_of('Order', properties.price) > 100 and tier = 'gold'",
    "unknown": "country is null",
    "nearby": "address.city = 'Bonn' or birthday < date '2000-01-01' and tier = 'gold'",
    "recent": "last_of('View', properties.page, last => interval 30 hour) = 'sale'",
}
DEFINITIONS = "---\n".join(
    f'kind: segment\nname: {name}\nrule: "{rule}"\n' for name, rule in RULES.items()
)


def happenings(days: int, seed: int) -> list[list[dict[str, Any]]]:
    draw = random.Random(seed)
    found = []
    for day in range(days):
        events = []
        for number in range(draw.randint(0, 12)):
            user = f"u{draw.randint(1, 5)}"
            event: dict[str, Any] = {
                "at": draw.randint(0, 22 * 3600) * 1_000_000 + number,
                "messageId": f"{day}-{number}",
                "userId": user,
            }
            match draw.randint(0, 3):
                case 0:
                    traits = draw.choice(
                        [
                            {"country": "DE"},
                            {"country": "FR", "address": {"city": "Bonn"}},
                            {"tier": "gold", "birthday": "1999-12-31"},
                            {"country": None, "address": {"city": "Ulm"}},
                        ]
                    )
                    event |= {"type": "identify", "traits": traits}
                case 1:
                    event |= {"type": "track", "event": "View"}
                    event["properties"] = {"page": draw.choice(["sale", "home"])}
                    event["context"] = {"traits": {"country": draw.choice(["DE", "IT"])}}
                case _:
                    event |= {"type": "track", "event": "Order"}
                    event["properties"] = {"price": draw.choice([0.1, 30, 60.25])}
            events.append(event)
        found.append(events)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_live_membership_was(story: Story, seed: int) -> None:
    days = happenings(9, seed)
    live = story.run(DEFINITIONS, days)
    for name in RULES:
        assert seen_at(story, name, len(days)) == [each[name] for each in live], name
        assert_dated_as(story, name, len(days))


def test_one_moment_of_the_past(story: Story) -> None:
    order = {"type": "track", "event": "Order", "userId": "ann", "at": HOUR}
    live = story.run(
        DEFINITIONS, [[order | {"messageId": "1"}, order | {"messageId": "2"}], [], [], []]
    )
    (ann,) = live[0]["buyers"]
    rule = RULES["buyers"]
    for moment, members in ((START, 0), (START + HOUR - 1, 0), (START + HOUR, 1)):
        found = backtest(story.settings, BacktestQuestion(rule, moment, moment))
        assert [point.members for point in found.points] == [members]
    hours = backtest(story.settings, BacktestQuestion(rule, START, START + 5 * HOUR, "hour"))
    assert [(change.profile, change.entered) for change in hours.changes] == [(ann, True)]
    assert hours.changes[0].at == START + HOUR


def test_a_period_has_its_limits() -> None:
    zone = load_zone(ZONE)
    days = moments_of(BacktestQuestion("vip", START, START + 10 * DAY), zone, START + 3 * DAY)
    assert days[0] == START - 1
    assert days[-1] == START + 3 * DAY
    with pytest.raises(InvalidInput, match="too long"):
        moments_of(BacktestQuestion("vip", 0, 401 * DAY), zone, START)
    with pytest.raises(InvalidInput, match="no such period"):
        moments_of(BacktestQuestion("vip", START + 2, START + 9), zone, START)


def test_clauses_without_a_past_are_named(tmp_path: Path) -> None:
    story = Story(tmp_path)
    ranked = "{by: count_of('Order'), top: {gold: 10}}"
    definitions = (
        f"kind: tag\nname: spender\nrank: {ranked}\n---\n"
        "kind: tag\nname: rfm\nrfm: {}\n---\n"
        "kind: tag\nname: care\nvalues: [gold]\n---\n"
        "kind: segment\nname: best\nrule: spender = 'gold' or rfm.recency > 4\n"
    )
    with open_store(story.settings) as store:
        put(store, read_text(definitions), "test")
    asked = "not in_segment('best') and (care = 'gold' or did('Order') or rfm = 'Lost')"
    found = backtest(story.settings, BacktestQuestion(asked, START, START))
    assert [(one.clause, one.message.split(" compares")[0]) for one in found.notes] == [
        ("in_segment('best')", "has no past: rfm, spender"),
        ("rfm = 'Lost'", "has no past: rfm"),
    ]
    assert backtest(story.settings, BacktestQuestion("care = 'gold'", START, START)).notes == ()
