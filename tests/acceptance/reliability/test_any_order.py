"""From accepted calls to the rebuild from the lake: order, batches and repetition change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.app import access
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.lake.writer import drain
from onefold.app.workspace import node_key, open_lake, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.eventlog import LogRecord
from onefold.model.definitions import Definitions, SegmentDefinition
from onefold.model.profile import Profile, decode_profile
from onefold.model.records import Accepted, Identifier, encode_accepted
from onefold.model.sources import Source
from onefold.pipeline import Pipeline
from onefold.pipeline.members import buckets_of
from onefold.resolve import node_id
from onefold.segment.buckets import Buckets
from onefold.store import SQLiteStore

NOW = 1_767_225_600_000_000
DAY = 86_400_000_000
SOURCES = {name: Source(id=name, name=name, default_country="CN") for name in ("web", "crm")}
SEGMENTS = (
    SegmentDefinition("often", "count_of('Order', last => interval 3 day) >= 2"),
    SegmentDefinition("ever", "did('Order') and city = 'Bonn'"),
    SegmentDefinition("rich", "sum_of('Order', properties.revenue) > 10"),
)
Body = dict[str, Any]


@st.composite
def calls(draw: st.DrawFn) -> list[tuple[str, Body]]:
    """Calls that get in each other's way: shared devices, aliases, late events, junk."""
    return [_call(draw, number) for number in range(draw(st.integers(1, 16)))]


def _call(draw: st.DrawFn, number: int) -> tuple[str, Body]:
    kind = draw(st.sampled_from(["track", "track", "identify", "identify", "page", "alias"]))
    ago = draw(st.sampled_from([0, 1, 2, 3, 4, 30, 400]))
    body: Body = {
        "type": kind,
        "messageId": f"m{number:02d}",
        "timestamp": _iso(NOW - ago * DAY - draw(st.integers(0, 2)) * 1_000_000),
        "userId": draw(st.sampled_from([None, None, "A", "B", "C", "D", "E", "null", " A "])),
        "anonymousId": draw(st.sampled_from(["x", "y", "z", "tablet", "tablet", "0", None])),
    }
    if kind == "track":
        body["event"] = draw(st.sampled_from(["Order", "Viewed"]))
        body["properties"] = {"revenue": draw(st.sampled_from([1, 7, 7.5, "8", None, "NaN"]))}
    if kind == "alias":
        body["previousId"] = draw(st.sampled_from(["A", "B", "x", "y", "tablet", None]))
    traits = draw(st.dictionaries(st.sampled_from(["city", "plan"]), _VALUES, max_size=2))
    if kind == "identify":
        body["traits"] = traits
        email = draw(st.sampled_from([None, None, "Ann@x.com", "ann@x.com ", "bob@x.com"]))
        if email:
            body["traits"]["email"] = email
    elif draw(st.booleans()):
        body["context"] = {"traits": traits}
    return draw(st.sampled_from(["web", "web", "crm"])), body


_VALUES = st.sampled_from(["Bonn", "Berlin", None, 3, True, "", {"a": 1}, [1]])


def _iso(at: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Outcome(NamedTuple):
    """What became of the calls, without the names that depend on the order."""

    profiles: dict[frozenset[tuple[str, str]], tuple[Any, ...]]
    counters: tuple[int, int]


@contextmanager
def workspace() -> Iterator[tuple[Settings, SQLiteStore]]:
    with TemporaryDirectory() as folder:
        chosen = Settings(data=Path(folder) / "data", store_cache=1 << 20)
        access.make_workspace(chosen)
        with open_store(chosen, cache_mb=1) as store:
            store.db.connection.execute("pragma synchronous = off")
            store.set_setting("node_key", b"k" * 32)
            yield chosen, store


def feed(store: SQLiteStore, batches: Sequence[Sequence[tuple[str, Body]]]) -> None:
    """Run batches of calls through a pipeline; each batch begins a new one, as after a restart."""
    numbers, offsets = count(1), count()
    engine = DuckEngine()
    try:
        for batch in batches:
            pipeline = Pipeline(store, engine, node_key(store), lambda: next(numbers), "UTC")
            pipeline.use(Definitions(1, SEGMENTS), SOURCES)
            records = [_record(source, body, next(offsets)) for source, body in batch]
            if records:
                pipeline.process(records, NOW)
    finally:
        engine.close()


def _record(source: str, body: Body, offset: int) -> LogRecord:
    accepted = Accepted(source, NOW, "event", json.dumps(body).encode())
    return LogRecord("p", offset, offset + 1, encode_accepted(accepted))


def outcome(store: SQLiteStore) -> Outcome:
    documents = store.documents(store.profile_ids(0, 10_000)).values()
    profiles = [decode_profile(document) for document in documents]
    counters = store.counters()
    found = {
        frozenset((node.kind, node.value) for node in one.nodes): _facts(one) for one in profiles
    }
    assert len(found) == len(profiles) == counters["profiles"]
    return Outcome(found, (counters["events"], counters["identifiers"]))


def _facts(profile: Profile) -> tuple[Any, ...]:
    nodes = sorted(profile.nodes, key=lambda node: (node.kind, node.value))
    seen = [(node.value, node.events, node.first_seen, node.last_seen) for node in nodes]
    buckets: list[Buckets] = [buckets_of(node) for node in nodes]
    return profile.traits, sorted(profile.members), profile.due, seen, buckets


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(calls(), st.data())
def test_any_arrival_gives_the_same_and_equals_the_rebuild(
    given_calls: list[tuple[str, Body]], data: st.DataObject
) -> None:
    with workspace() as (_, store):
        feed(store, [given_calls])
        expected = outcome(store)
    repeated = given_calls + data.draw(st.lists(st.sampled_from(given_calls), max_size=4))
    arriving = data.draw(st.permutations(repeated))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(arriving)), max_size=6)))
    edges = [0, *cuts, len(arriving)]
    batches = [arriving[a:b] for a, b in pairwise(edges)]
    with workspace() as (chosen, store):
        feed(store, batches)
        assert outcome(store) == expected
        if data.draw(st.booleans()):
            drain(store, open_lake(chosen))
        report = check_rebuild(chosen)
        assert report.differences == ()
        assert report.events == expected.counters[0]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(calls())
def test_an_id_stays_with_its_root_through_merges_and_splits(
    given_calls: list[tuple[str, Body]],
) -> None:
    """Whatever came, each id ever given still answers, with the profile that holds its root."""
    store = SQLiteStore(":memory:", cache_mb=1)
    store.set_setting("node_key", b"k" * 32)
    engine = DuckEngine()
    numbers, roots, settled = count(1), {}, set()
    try:
        pipeline = Pipeline(store, engine, node_key(store), lambda: next(numbers), "UTC")
        pipeline.use(Definitions(1, ()), SOURCES)
        for offset, (source, body) in enumerate(given_calls):
            pipeline.process([_record(source, body, offset)], NOW)
            live = store.documents(store.profile_ids(0, 1000))
            for profile in map(decode_profile, live.values()):
                kinds = {node.id: node.kind for node in profile.nodes}
                for name, root in profile.names:
                    # From a device to the person who uses it, and never back.
                    if roots.get(name, root) != root:
                        assert kinds[root] == "user_id"
                        assert name not in settled
                    if kinds[root] == "user_id":
                        settled.add(name)
                    roots[name] = root
                assert profile.id == min(name for name, _ in profile.names)
            home = store.profiles_of(list(roots.values()))
            assert {name: store.current_id(name) for name in roots} == {
                name: home[root] for name, root in roots.items()
            }
            assert sum(len(decode_profile(one).names) for one in live.values()) == len(roots)
    finally:
        engine.close()
        store.close()


def test_an_earlier_sign_in_that_arrives_late_undoes_a_merge_and_gives_the_old_id_back() -> None:
    def page(user: str | None, device: str, ago: int, number: int) -> tuple[str, Body]:
        at = _iso(NOW - ago * DAY)
        body = {"type": "page", "messageId": f"{number}", "timestamp": at, "anonymousId": device}
        return "web", body | ({"userId": user} if user else {})

    steps = [
        page(None, "device-1", 9, 1),
        page("ann", "device-2", 9, 2),
        page("bob", "device-3", 9, 3),
        page("ann", "device-1", 3, 4),
        page("bob", "device-1", 5, 5),
    ]
    with workspace() as (_, store):
        engine = DuckEngine()
        numbers, ids = count(1), []
        pipeline = Pipeline(store, engine, node_key(store), lambda: next(numbers), "UTC")
        pipeline.use(Definitions(1, ()), SOURCES)
        for offset, (source, body) in enumerate(steps):
            pipeline.process([_record(source, body, offset)], NOW)
            phone, ann, bob = (
                store.profiles_of([node_id(b"k" * 32, Identifier(kind, value))]).values()
                for kind, value in (
                    ("anonymous_id", "device-1"),
                    ("user_id", "ann"),
                    ("user_id", "bob"),
                )
            )
            ids.append((*phone, *ann, *bob))
        engine.close()
        # The phone's profile is the oldest: ann answers to its id, then it is bob's, and ann's own
        # id is hers again.
        assert ids == [(1,), (1, 2), (1, 2, 3), (1, 1, 3), (1, 2, 1)]
        assert [store.current_id(one) for one in (1, 2, 3)] == [1, 2, 1]
