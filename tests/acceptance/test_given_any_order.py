"""Values by hand, lists and refreshed values stay with their people through merges and splits."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.engine import DuckEngine
from onefold.model.given import EVENT, INTERNAL, list_trait, tag_trait
from onefold.model.profile import NodeId, Profile, ProfileId, decode_profile, encode_profile
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore
from onefold.store.given import RefreshRow
from onefold.testing.reference import evidence_of, partition
from tests.acceptance.test_any_order import NOW, OTHERS, USERS, event_lists

HAND, LISTED, RANK = tag_trait("hand"), list_trait("vip"), tag_trait("rank")
People = dict[frozenset[Identifier], dict[str, Any]]


@st.composite
def claims(draw: st.DrawFn) -> list[Event]:
    """What people and lists say of some identifiers, known or not."""
    return [_claim(draw, number) for number in range(draw(st.integers(1, 6)))]


def _claim(draw: st.DrawFn, number: int) -> Event:
    whom = draw(st.sampled_from(USERS + OTHERS))
    time = NOW + draw(st.integers(0, 3)) * 1_000_000
    said = draw(
        st.sampled_from(
            [{HAND: {"value": "a", "at": time}}, {HAND: None}, {LISTED: {"version": 2}}]
        )
    )
    return Event(
        INTERNAL, "identify", EVENT, time, NOW, f"c{number}", (whom,), (),
        said, True, "{}", "{}", time // 60_000_000,
    )  # fmt: skip


class Refreshing:
    """The pipeline, and beside it the newest refreshed value of each node, as it should be."""

    def __init__(self, folder: Path) -> None:
        numbers = count(1)
        self.store = SQLiteStore(folder / "store.db", cache_mb=4)
        self.store.db.connection.execute("pragma synchronous = off")
        self.pipeline = Pipeline(self.store, DuckEngine(), b"k", lambda: next(numbers), "UTC")
        self.newest: dict[NodeId, tuple[int, bytes, Any]] = {}
        self.known: list[ProfileId] = []

    def fold(self, events: list[Event]) -> None:
        self.pipeline.fold(events, [], {}, NOW)
        self.known += [one.id for one in self.profiles() if one.id not in self.known]

    def refresh(self, profile: ProfileId, value: str | None, as_of: int) -> None:
        """A value found for a profile, which others may have taken over since."""
        current = self.store.current_ids([profile]).get(profile)
        for one in self.profiles():
            if one.id == current:
                node = one.nodes[0].id
                if node not in self.newest or self.newest[node][0] < as_of:
                    self.newest[node] = as_of, encode_profile(value), value
        self.pipeline.refresh([RefreshRow(0, RANK, profile, value, as_of)], NOW)

    def profiles(self) -> list[Profile]:
        numbers = self.store.profile_ids(0, 1_000)
        return [decode_profile(one) for one in self.store.documents(numbers).values()]

    def rank(self, one: Profile) -> Any:
        found = [self.newest[node.id] for node in one.nodes if node.id in self.newest]
        return max(found, key=lambda each: each[:2])[2] if found else None


def given_by_reference(events: list[Event], said: list[Event]) -> People:
    """For each group of the reference, the last of what was said of any of its identifiers."""
    found: People = {}
    for group in partition(evidence_of(events)):
        mine = [event for event in said if event.identifiers[0] in group]
        mine.sort(key=lambda event: (event.time, event.message_id))
        values = {name: value for event in mine for name, value in event.traits.items()}
        found[group] = {name: value for name, value in values.items() if value is not None}
    return found


# What is drawn depends on what was folded, so that folding counts as slow drawing.
def check(events: list[Event], said: list[Event], data: st.DataObject) -> None:
    arriving = data.draw(st.permutations(events + said))
    with TemporaryDirectory() as folder:
        refreshing = Refreshing(Path(folder))
        try:
            for number, event in enumerate(arriving):
                refreshing.fold([event])
                if refreshing.known and data.draw(st.integers(0, 2)) == 0:
                    profile = data.draw(st.sampled_from(refreshing.known))
                    value = data.draw(st.sampled_from(["top", "rest", None]))
                    refreshing.refresh(profile, value, NOW + data.draw(st.integers(0, number)))
            found: People = {}
            for one in refreshing.profiles():
                assert one.traits.get(RANK) == refreshing.rank(one)
                group = frozenset(Identifier(node.kind, node.value) for node in one.nodes)
                found[group] = {
                    name: one.traits[name] for name in (HAND, LISTED) if name in one.traits
                }
        finally:
            refreshing.store.close()
    assert found == given_by_reference(events, said)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event_lists(), claims(), st.data())
def test_what_was_given_and_refreshed_stays_with_its_people(
    events: list[Event], said: list[Event], data: st.DataObject
) -> None:
    check(events, said, data)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event_lists(), claims(), st.data())
def test_what_was_given_and_refreshed_stays_with_its_people_many_times(
    events: list[Event], said: list[Event], data: st.DataObject
) -> None:
    check(events, said, data)
