"""Any order, batch split and repetition of events gives the same profiles, as the reference says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from onefold.engine import DuckEngine
from onefold.model.definitions import GoldenDefinition, TraitDefinition
from onefold.model.golden import WAYS, Survivorship, Way
from onefold.model.profile import decode_profile
from onefold.model.records import Event, Identifier
from onefold.pipeline import GoldenInputs, Pipeline
from onefold.store import SQLiteStore
from onefold.testing.reference import evidence_of, partition

NOW = 1_767_225_600_000_000
Golden = dict[frozenset[Identifier], dict[str, str]]

USERS = [Identifier("user_id", value) for value in "ABCDEF"]
OTHERS = [Identifier(kind, value) for kind in ("anonymous_id", "email") for value in "xyz"]


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Events that get in each other's way: few identifiers, few moments, few traits."""
    return [_event(draw, number) for number in range(draw(st.integers(1, 14)))]


def _event(draw: st.DrawFn, number: int) -> Event:
    user = draw(st.sampled_from([None, *USERS]))
    others = draw(st.lists(st.sampled_from(OTHERS), min_size=user is None, max_size=2, unique=True))
    found = ([user] if user else []) + sorted(others)
    asserted = ()
    if user and draw(st.integers(0, 5)) == 0:
        other = draw(st.sampled_from([one for one in USERS + OTHERS if one != user]))
        asserted = ((user, other),)
    time = NOW + draw(st.integers(0, 4)) * 1_000_000
    traits = draw(st.dictionaries(st.sampled_from("pq"), st.sampled_from("12"), max_size=2))
    return Event(
        "s", "identify", "identify", time, NOW, f"m{number:02d}", tuple(found), asserted,
        traits, draw(st.booleans()), "{}", "{}", time // 60_000_000,
    )  # fmt: skip


def golden_by_reference(events: list[Event]) -> Golden:
    """For each group of the reference, the last claim of each trait."""
    golden: Golden = {}
    for group in partition(evidence_of(events)):
        mine = [event for event in events if event.identifiers[0] in group]
        mine.sort(key=lambda event: (event.strong, event.time, event.message_id))
        golden[group] = {name: value for event in mine for name, value in event.traits.items()}
    return golden


def golden_by_pipeline(batches: list[list[Event]], rules: GoldenInputs | None = None) -> Golden:
    """What the pipeline makes of the same events, by these rules for golden records."""
    numbers = count(1)
    with TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "store.db", cache_mb=4)
        pipeline = Pipeline(store, DuckEngine(), b"k", lambda: next(numbers), "UTC")
        if rules:
            pipeline.decide_by(rules)
        for batch in batches:
            pipeline.fold(batch, [], {}, NOW)
        documents = store.documents(store.profile_ids(0, 1000)).values()
        store.close()
    profiles = map(decode_profile, documents)
    return {
        frozenset(Identifier(node.kind, node.value) for node in profile.nodes): profile.traits
        for profile in profiles
    }


@st.composite
def golden_rules(draw: st.DrawFn) -> GoldenInputs:
    """Random rules: for all traits, for one with a schema, for two that stay together."""

    def way(ways: Sequence[Way]) -> Survivorship:
        by = draw(st.sampled_from(ways))
        prefer = "case when value = '1' then 1 else 0 end" if by == "expression" else ""
        sources = ("t", "s") if by == "source_priority" else ()
        return Survivorship(by, sources, prefer=prefer, of=draw(st.sampled_from(["all", "last"])))

    if draw(st.booleans()):
        together = GoldenDefinition("both", way(["latest", "most_complete"]), ("p", "q"), True)
        return GoldenInputs((together,))
    trait = TraitDefinition("p", type="text", survivorship=way(WAYS), allowed=("1",))
    return GoldenInputs((GoldenDefinition("", way(WAYS)),), (trait,))


@settings(max_examples=40, deadline=None)
@given(golden_rules(), event_lists(), st.data())
def test_golden_records_by_any_rules_are_the_same_in_any_order(
    rules: GoldenInputs, events: list[Event], data: st.DataObject
) -> None:
    told = [replace(one, source=data.draw(st.sampled_from("st"))) for one in events]
    arriving = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told)))))
    cut = data.draw(st.integers(0, len(arriving)))
    in_order = golden_by_pipeline([told], rules)
    assert golden_by_pipeline([arriving[:cut], arriving[cut:]], rules) == in_order
    assert golden_by_pipeline([[one] for one in arriving], rules) == in_order


@settings(max_examples=60, deadline=None)
@given(event_lists(), st.data())
def test_profiles_are_those_of_the_reference(events: list[Event], data: st.DataObject) -> None:
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=3))
    arriving = data.draw(st.permutations(repeated))
    batches: list[list[Event]] = [[]]
    for event in arriving:
        batches[-1].append(event)
        if data.draw(st.booleans()):
            batches.append([])
    assert golden_by_pipeline(batches) == golden_by_reference(events)
