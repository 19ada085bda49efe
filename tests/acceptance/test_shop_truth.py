"""The whole pipeline finds out what is true of the shop: who is who, and who is in which segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from random import Random

import msgspec
import pytest

from onefold.engine import DuckEngine
from onefold.eventlog import LogRecord
from onefold.model.definitions import Definitions, SegmentDefinition
from onefold.model.profile import Profile, decode_profile
from onefold.model.records import Accepted, Identifier, encode_accepted
from onefold.model.sources import Source
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore
from onefold.testing.shop import SEGMENTS, SOURCES, Message, Shop, Truth

DAY = 86_400_000_000
SHOP = Shop(seed=3, customers=100)
Group = frozenset[Identifier]


class Workspace:
    """A pipeline with the demo's definitions, which is fed messages directly."""

    def __init__(self, path: Path) -> None:
        numbers = count(1)
        self.store = SQLiteStore(path)
        self.pipeline = Pipeline(
            self.store, DuckEngine(), b"k" * 32, lambda: next(numbers), SHOP.timezone
        )
        segments = tuple(SegmentDefinition(one.name, one.rule) for one in SEGMENTS)
        sources = {name: Source(id=name, name=name, default_country="CN") for name in SOURCES}
        self.pipeline.use(Definitions(1, segments), sources)
        self._offsets = count()

    def take(self, messages: Iterable[Message], now: int) -> None:
        records = [self._record(message) for message in messages]
        if records:
            assert self.pipeline.process(records, now).rejects == 0

    def _record(self, message: Message) -> LogRecord:
        offset = next(self._offsets)
        body = msgspec.json.encode(message.body)
        call = Accepted(message.source, message.at, "event", body)
        return LogRecord("log", offset, offset + 1, encode_accepted(call))

    def profiles(self, now: int) -> dict[Group, Profile]:
        """All profiles by their identifiers, after time has had its effect on the segments."""
        while due := self.store.due(now, 1000):
            self.pipeline.reevaluate(due, now)
        documents = self.store.documents(self.store.profile_ids(0, 1_000_000))
        profiles = [decode_profile(document) for document in documents.values()]
        return {
            frozenset(Identifier(node.kind, node.value) for node in profile.nodes): profile
            for profile in profiles
        }


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / "store.db")
    yield opened
    opened.store.close()


def members(profiles: dict[Group, Profile], segment: str) -> set[Group]:
    return {group for group, profile in profiles.items() if segment in profile.members}


def assert_true(profiles: dict[Group, Profile], truth: Truth, at: int) -> None:
    known = truth.known(at)
    assert profiles.keys() == known.keys()
    for group, profile in profiles.items():
        assert profile.traits == known[group].traits
    for segment in SEGMENTS:
        assert members(profiles, segment.name) == truth.members(segment.name, at), segment.name


def test_as_messages_arrive_everything_is_as_the_truth_says(workspace: Workspace) -> None:
    messages = list(SHOP.messages())
    truth = Truth(messages, SHOP.timezone)
    since = 0
    for day in (2, 11, 29, 45, 80):
        at = SHOP.start + day * DAY + DAY // 3
        arriving = [message for message in messages if since < message.at <= at]
        for first in range(0, len(arriving), 700):
            workspace.take(arriving[first : first + 700], at)
        assert_true(workspace.profiles(at), truth, at)
        since = at


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_repetition_of_messages_gives_the_same(
    workspace: Workspace, seed: int
) -> None:
    messages = list(SHOP.messages())
    truth = Truth(messages, SHOP.timezone)
    now = max(message.at for message in messages)
    rng = Random(seed)
    mixed = messages + rng.sample(messages, len(messages) // 10)
    rng.shuffle(mixed)
    while mixed:
        size = rng.choice((1, 20, 500, 900))
        workspace.take(mixed[:size], now)
        del mixed[:size]
    assert_true(workspace.profiles(now), truth, now)
