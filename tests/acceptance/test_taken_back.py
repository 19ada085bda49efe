"""Decisions and claims, given and taken back: any order gives the same people, and what is gone leaves nothing."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from onefold.engine import DuckEngine
from onefold.model.given import EVENT, INTERNAL, SAME
from onefold.model.profile import decode_profile
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.store import SQLiteStore
from onefold.testing.reference import evidence_of, partition
from tests.acceptance.test_any_order import NOW, OTHERS, USERS, event_lists

Pair = frozenset[Identifier]
Found = tuple[frozenset[Pair], frozenset[tuple[Pair, str]]]
LATER = NOW + 3_600_000_000
PROTECTING = {
    "first_name": ["Ann", "Bob", None],
    "birth_date": ["1987-03-14", "1990-11-02", None],
    "legal_hold": [True, False],
    "consent.mail": [True, False, None],
}


@st.composite
def decisions(draw: st.DrawFn) -> list[Event]:
    """What people say of two identifiers, known or not: the same, apart, or nothing any more."""
    pairs = st.lists(st.sampled_from(USERS + OTHERS), min_size=2, max_size=2, unique=True)
    return [
        decision(f"d{number}", draw(pairs), draw(st.sampled_from([True, False, None])),
                 NOW + draw(st.integers(0, 4)) * 1_000_000)
        for number in range(draw(st.integers(0, 6)))
    ]  # fmt: skip


def decision(name: str, ends: list[Identifier], same: bool | None, time: int) -> Event:
    one, two = ends
    return Event(
        INTERNAL, "identify", EVENT, time, NOW, name, (one,), ((one, two),), {SAME: same}, True,
        "{}", "{}", time // 60_000_000,
    )  # fmt: skip


@st.composite
def protected_events(draw: st.DrawFn) -> list[Event]:
    """Events that also say what protects people, and take it back."""
    found = []
    for event in draw(event_lists()):
        traits: dict[str, Any] = {
            name: draw(st.sampled_from(values))
            for name, values in PROTECTING.items()
            if draw(st.integers(0, 3)) == 0
        }
        found.append(replace(event, traits=event.traits | traits))
    return found


def fold(batches: list[list[Event]]) -> Found:
    """Who is one person, and what waits for a word."""
    numbers = count(1)
    with TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "store.db", cache_mb=4)
        store.db.connection.execute("pragma synchronous = off")
        engine = DuckEngine(threads=1)
        pipeline = Pipeline(store, engine, b"k", lambda: next(numbers), "UTC")
        for batch in batches:
            pipeline.fold(batch, [], {}, NOW)
        documents = store.documents(store.profile_ids(0, 1_000)).values()
        profiles = [decode_profile(one) for one in documents]
        named = {
            node.id: Identifier(node.kind, node.value) for one in profiles for node in one.nodes
        }
        waiting = store.db.rows("select left, right, reason from reviews")
        store.close()
        engine.close()
    groups = frozenset(frozenset(named[node.id] for node in one.nodes) for one in profiles)
    held = frozenset((frozenset((named[one], named[two])), reason) for one, two, reason in waiting)
    return groups, held


def split(events: list[Event], data: st.DataObject) -> list[list[Event]]:
    batches: list[list[Event]] = [[]]
    for event in data.draw(st.permutations(events)):
        batches[-1].append(event)
        if data.draw(st.booleans()):
            batches.append([])
    return batches


def check_order(events: list[Event], said: list[Event], data: st.DataObject) -> None:
    repeated = events + said + data.draw(st.lists(st.sampled_from(events), max_size=2))
    assert fold(split(repeated, data)) == fold([events + said])


def check_nothing_left(events: list[Event], said: list[Event], data: st.DataObject) -> None:
    pairs = {frozenset(one.asserted[0]) for one in said}
    back = [
        decision(f"z{at}", sorted(ends), None, LATER)
        for at, ends in enumerate(sorted(map(sorted, pairs)))
    ]
    groups, held = fold(split(events + said + back, data))
    assert groups == partition(evidence_of(events))
    assert (groups, held) == fold([events])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(protected_events(), decisions(), st.data())
def test_any_order_of_evidence_and_words_gives_the_same_people(
    events: list[Event], said: list[Event], data: st.DataObject
) -> None:
    check_order(events, said, data)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event_lists(), decisions(), st.data())
def test_what_was_said_and_taken_back_leaves_nothing(
    events: list[Event], said: list[Event], data: st.DataObject
) -> None:
    check_nothing_left(events, said, data)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(protected_events(), decisions(), st.data())
def test_any_order_of_evidence_and_words_many_times(
    events: list[Event], said: list[Event], data: st.DataObject
) -> None:
    check_order(events, said, data)
    check_nothing_left([replace(one, traits={}) for one in events], said, data)
