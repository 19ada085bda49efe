"""The family tablet of the concepts page, told to a real pipeline: after each row, who has what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest

from onefold.engine import DuckEngine
from onefold.eventlog import LogRecord
from onefold.model.profile import Profile, decode_profile
from onefold.model.records import Accepted, encode_accepted
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore

PAGE = (Path(__file__).parents[2] / "docs" / "concepts.md").read_text(encoding="utf-8")
MIDNIGHT = 1_769_817_600_000_000
ROW = re.compile(r"^\| (\d\d):(\d\d) \| ([^|]+) \| (\w+) \| [^|]+ \|$", re.MULTILINE)

# Row by row: who shares a profile with the tablet, and how many anonymous views that profile has.
AFTER = [(set(), 1), ({"Mum"}, 1), ({"Mum"}, 1), ({"Mum"}, 2), ({"Mum"}, 2), (set(), 2)]


class Story:
    """A pipeline that is told rows of the page."""

    def __init__(self, path: Path) -> None:
        self.store = SQLiteStore(path)
        self.engine = DuckEngine()
        ids = count(1)
        self.pipeline = Pipeline(self.store, self.engine, b"k" * 32, lambda: next(ids), "UTC")
        self._offsets = count()

    def tell(self, hour: str, minute: str, what: str, who: str) -> None:
        now = MIDNIGHT + (int(hour) * 60 + int(minute)) * 60_000_000
        event = {"type": "identify", "anonymousId": "tablet", "userId": who}
        if who == "nobody":
            name, _, product = what.partition(": ")
            event = {"type": "track", "anonymousId": "tablet", "event": name}
            event["properties"] = {"product": product}
        call = Accepted("web", now, "event", msgspec.json.encode(event))
        at = next(self._offsets)
        self.pipeline.process([LogRecord("log", at, at + 1, encode_accepted(call))], now)

    def profiles(self) -> dict[str, Profile]:
        """Every profile by the value of each of its identifiers."""
        found = self.store.documents(self.store.profile_ids(0, 100)).values()
        return {node.value: one for one in map(decode_profile, found) for node in one.nodes}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    told = Story(tmp_path / "store.db")
    yield told
    told.engine.close()
    told.store.close()


def known(profile: Profile) -> set[str]:
    return {node.value for node in profile.nodes} - {"tablet"}


def test_each_row_of_the_family_tablet_holds(story: Story) -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) == len(AFTER)
    for row, (users, views) in zip(rows, AFTER, strict=True):
        story.tell(*row)
        tablet = story.profiles()["tablet"]
        assert known(tablet) == users
        assert {node.value: node.events for node in tablet.nodes}["tablet"] == views


def test_what_mum_did_last_may_come_in_last(story: Story) -> None:
    rows = ROW.findall(PAGE)[:4]
    for row in [*rows[:1], *rows[2:], rows[1]]:
        story.tell(*row)
    assert known(story.profiles()["tablet"]) == {"Mum"}


def test_ids_go_with_the_person(story: Story) -> None:
    rows = ROW.findall(PAGE)
    for row in rows[:-1]:
        story.tell(*row)
    before = story.profiles()
    story.tell(*rows[-1])
    after = story.profiles()
    assert before["tablet"].id == before["Mum"].id == after["Mum"].id != after["tablet"].id
    assert after["Dad"].id == before["Dad"].id
