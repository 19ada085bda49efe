"""Who is new is the same person, with the same history: made ready, taken at once, or by the general way."""

from __future__ import annotations

import json
from itertools import chain, count
from typing import Any, Literal, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.engine import DuckEngine
from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.profile import OBSERVED, Node, Profile, Statement, decode_profile, profile_name
from onefold.model.records import Event, Identifier
from onefold.pipeline import GoldenInputs, prepare_events
from onefold.pipeline.admitting import write_arrived
from onefold.pipeline.arrivals import Arriving
from onefold.pipeline.documents import write_documents
from onefold.pipeline.facts import fold_facts
from onefold.pipeline.first_rows import First, Newcomer
from onefold.pipeline.golden import Deciding
from onefold.pipeline.increments import Increments
from onefold.pipeline.rows import Rows
from onefold.pipeline.stopwatch import Stopwatch
from onefold.pipeline.working import Working
from onefold.store import BatchWrite, SQLiteStore

NOW = 1_760_000_000_000_000
KEY = b"k" * 32
ENGINE = DuckEngine(threads=1)
Way = Literal["general", "at once", "made ready"]
VALUES = {
    "user_id": ["ann", "bob", "cid"],
    "email": ["ann@shop.example", "test@test.com", "info@shop.example"],
    "phone": ["+4930123456", "+4930123457", "+8613800138000"],
    "anonymous_id": ["a1", "a2", "a3"],
    "badge": ["1", "2", "3"],
}
IDENTIFIERS = [Identifier(kind, value) for kind, values in VALUES.items() for value in values]
TRAITS = st.sampled_from(
    [
        {},
        {"name": "Ann", "level": 3, "left": None},
        {"birth_date": "1980-01-02", "tags": ["a", "ü"], "$list.gold": {"version": 1}},
        {"consent.ads": True, "name": "Bob"},
        {"legal_hold": True},
    ]
)
RULES = st.builds(
    lambda badge, email, phone, most: IdentityRules(
        {"badge": badge, "email": email, "phone": phone}, Protection(max_identifiers=most)
    ),
    st.builds(
        IdentifierRule,
        st.just("badge"),
        st.sampled_from(["shareable", "ephemeral", "immutable"]),
        max_profiles=st.integers(0, 2),
        lifetime_days=st.sampled_from([0, 3]),
    ),
    st.builds(IdentifierRule, st.just("email"), blocked=st.sampled_from([(), ("INFO@*",)])),
    st.builds(IdentifierRule, st.just("phone"), max_profiles=st.integers(0, 3)),
    st.sampled_from([2, 1_000]),
)
GOLDEN = st.sampled_from(
    [
        GoldenInputs(),
        msgspec.convert({"golden": [{"name": "all", "survivorship": "longest"}]}, GoldenInputs),
    ]
)


def event(
    number: int, places: list[int], time: int, traits: dict[str, Any], strong: bool, alias: bool
) -> Event:
    """Its owner comes first: a user if it names one."""
    named = sorted((IDENTIFIERS[place] for place in places), key=lambda one: one.kind != "user_id")
    asserted = ((named[0], IDENTIFIERS[number % len(IDENTIFIERS)]),) if alias else ()
    told = ("identify", "identify", time, time, f"m{number}", tuple(named), asserted)
    return Event("crm", *told, traits, strong, "{}", "{}")


EVENTS = st.lists(
    st.builds(
        event,
        st.integers(0, 50),
        st.lists(st.integers(0, len(IDENTIFIERS) - 1), min_size=1, max_size=4, unique=True),
        st.integers(1, 5),
        TRAITS,
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=6,
    unique_by=lambda one: one.message_id,
)


class World:
    """A store into which batches are folded."""

    def __init__(self, engine: DuckEngine, rules: IdentityRules, golden: GoldenInputs) -> None:
        self.store = SQLiteStore(":memory:")
        self._rules = rules
        self._deciding = Deciding(engine)
        self._deciding.use(golden, golden, "UTC")
        self._ids = count(1)

    def fold(self, events: list[Event], way: Way) -> tuple[list[Any], int]:
        """What comes of a batch, in no order and with people named by their identifiers; how many were
        taken this way.
        """
        rows = Rows(NOW)
        working = Working(self.store, lambda: next(self._ids), rows, self._rules, KEY)
        by = Arriving(self._rules, frozenset()) if way == "made ready" else None
        facts = prepare_events(events, [], {}, KEY, arriving=by)
        facts.counted = Increments()
        concerned = None if way == "general" else lambda nodes: ()
        watch, deciding = Stopwatch(), self._deciding
        facts = fold_facts(facts, working, rows, deciding, self._rules, watch, concerned)
        self._deciding.decide(working, rows, NOW)
        write = BatchWrite(1)
        write_documents(working, rows, write, NOW)
        write_arrived(facts, working, rows, write)
        homes = facts.homes(working.home, working.arrived)
        rows.tables["homes"] = list(
            zip(facts.rows.column("message_id").to_pylist(), homes, strict=True)
        )
        self.store.write(write)
        taken = working.arrived if way == "made ready" else working.newcomers
        return told(self.store, write, rows), len(taken)


def told(store: SQLiteStore, write: BatchWrite, rows: Rows) -> list[Any]:
    """All that a batch wrote."""
    people = {
        number: decode_profile(document)
        for number, document in store.documents(store.profile_ids(0, 100)).items()
    }
    named = {number: _named(person) for number, person in people.items()}
    names = {**named, **{profile_name(number): name for number, name in named.items()}}
    homes = sorted((message, named[home]) for message, home in rows.tables.pop("homes"))
    tables: list[Any] = [homes]
    for name, table in sorted(rows.as_tables()):
        found = table.to_pylist()
        if name == "changes":
            found = list(chain.from_iterable(map(each, found)))
            assert [row.pop("number") for row in found] == list(range(len(found)))
        for row in found:
            for column in ("profile", "name", "profile_id", "left_id"):
                row[column] = names.get(row.get(column), row.get(column))
        tables.append((name, sorted(found, key=str)))
    documents = [
        (
            named[number],
            [(named.get(name), root) for name, root in one.names],
            one.nodes,
            one.traits,
        )
        for number, one in people.items()
    ]
    identifiers = sorted((node, named[number]) for node, number in write.identifiers)
    return [sorted(documents, key=str), identifiers, tables, write.counters]


def each(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row of the history for each value."""
    if row["name"] is not None:
        return [row]
    return [
        {
            **row,
            "number": row["number"] + place,
            "name": name,
            "new": msgspec.json.encode(value).decode(),
        }
        for place, (name, value) in enumerate(json.loads(row["new"]).items())
    ]


def _named(person: Profile) -> str:
    return " ".join(f"{node.kind}:{node.value}" for node in person.nodes)


@settings(max_examples=150, deadline=None)
@given(EVENTS, EVENTS, RULES, GOLDEN)
def test_newcomers_are_who_they_would_be(
    before: list[Event], events: list[Event], rules: IdentityRules, golden: GoldenInputs
) -> None:
    outcomes = []
    for way in get_args(Way):
        world = World(ENGINE, rules, golden)
        world.fold(before, "general")
        outcomes.append(world.fold(events, way)[0])
    assert outcomes[1:] == outcomes[:1] * 2


@pytest.mark.parametrize("way", ["made ready", "at once"])
def test_somebody_new_needs_no_decision(way: Way) -> None:
    world = World(ENGINE, IdentityRules(), GoldenInputs())
    some = [event(1, [0, 3, 6], 1, {"name": "Ann"}, True, False), event(2, [9], 1, {}, True, False)]
    assert world.fold(some, way)[1] == 2
    assert world.fold(some, way)[1] == 0


def test_so_is_who_comes_with_what_very_many_carry() -> None:
    few = {kind: IdentifierRule(kind, max_profiles=1) for kind in ("email", "anonymous_id")}
    ann, bob, cid, mail, cookie, new = 0, 1, 2, 3, 9, 10
    for owner in (None, cid):
        world = World(ENGINE, IdentityRules(few), GoldenInputs())
        known = [event(1, [ann, mail, cookie], 1, {}, True, False)]
        known.append(event(2, [bob, mail, cookie], 1, {}, True, False))
        world.fold(known, "general")
        beside = [mail] if owner is None else [owner, mail, cookie]
        told = {"name": "Cid"}
        assert world.fold([event(3, [new, *beside], 2, told, True, False)], "at once")[1] == 1
        profiles = [
            {f"{node.kind}:{node.value}" for node in decode_profile(document).nodes}
            for document in world.store.documents(world.store.profile_ids(0, 9)).values()
        ]
        person = {"user_id:cid"} if owner else set()
        assert {*person, "anonymous_id:a2"} in profiles


def test_their_history_begins_with_their_identifiers() -> None:
    rows = Rows(NOW)
    person = Profile(
        7, [], [Node(b"n", "email", "ann@shop.example", 1, 1, 1, {})], {"level": 3}, {}
    )
    rows.tell_people([person])
    said = Statement("crm", 1, "m1", True, person.traits)
    rows.tell_newcomers([First(Newcomer(person, 0, OBSERVED, (1, "m1", "crm"), [said]), said)])
    rows.change(7, "segment", "gold", None, True)
    (found,) = [table.to_pylist() for name, table in rows.as_tables() if name == "changes"]
    assert [(one["number"], one["what"], one["name"], one["new"]) for one in found] == [
        (0, "identifier", "email:ann@shop.example", "true"),
        (1, "trait", "level", "3"),
        (2, "segment", "gold", "true"),
    ]
    assert {one["profile"] for one in found} == {profile_name(7)}
