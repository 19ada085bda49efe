"""Records that share no identifier are one person, as events come in: the same as a rebuild finds."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onefold.app.access import make_workspace
from onefold.app.folding.rebuild import check_rebuild
from onefold.app.identity.decisions import identity_decide, reviews
from onefold.app.identity.why import identity_why
from onefold.app.job_kinds import MATCH
from onefold.app.matching import steps, training
from onefold.app.matching.models import match_add, match_compare, match_off, match_use
from onefold.app.matching.pairwise import people_table
from onefold.app.people.tables import standardize_table
from onefold.app.profiles.finding import profile
from onefold.config import Settings
from onefold.engine.duck import DuckEngine
from onefold.model.matching import MatchModel, decode_model, encode_model
from onefold.model.person import Person
from onefold.model.profile import decode_profile
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.roles import Layout
from onefold.standardize.people.traits import person_of_traits
from onefold.testing.people import make_people
from tests.acceptance.conftest import Stepped


@pytest.fixture(scope="module")
def model() -> MatchModel:
    """Learned from made-up people."""
    table = make_people(2_500, seed=3)
    engine = DuckEngine(threads=1, memory_mb=1000)
    engine.keep("file", "SELECT * FROM given", {"given": table})
    guesses = recognize(table.slice(0, 500).to_pydict())
    layout = Layout({name: one.role for name, one in guesses.items()} | {"entity_id": "ignore"})
    standardize_table(engine, "file", layout)
    plan = steps.prepare(engine)
    steps.block(engine, plan)
    steps.compare(engine, plan)
    return training.learn(engine, plan)


def person(crm: str, **traits: Any) -> dict[str, Any]:
    external = [{"type": "crm_id", "id": crm, "collection": "users"}]
    return {"type": "identify", "traits": traits, "context": {"externalIds": external}}


ANNA = {
    "first_name": "Annabelle", "last_name": "Fitzwilliam", "birth_date": "1987-03-14",
    "street": "12 Maple Street", "city": "Springfield", "postcode": "62704",
}  # fmt: skip


def who(onefold: Stepped, reference: str) -> list[str]:
    found = profile(onefold.settings, reference).identifiers
    return sorted(f"{one.kind}:{one.value}" for one in found)


def put_in_force(onefold: Stepped, model: MatchModel) -> None:
    added = match_add(onefold.settings, encode_model(model))
    match_use(onefold.settings, added.version)
    onefold.settle()


def test_who_is_alike_becomes_one_person(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA))
    onefold.take(person("2", **(ANNA | {"first_name": "Anabelle"})))
    assert who(onefold, "crm_id:2") == ["crm_id:1", "crm_id:2"]
    assert check_rebuild(onefold.settings).differences == ()


def test_a_match_is_explained_undone_and_outranked(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA), person("2", **(ANNA | {"first_name": "Anabelle"})))
    found = identity_why(onefold.settings, "crm_id:1", "crm_id:2")
    (link,) = found.chain
    assert (link.evidence, found.same) == ("matched", True)
    assert link.match is not None
    assert link.match.model == model.version
    assert sum(one.weight for one in link.match.parts) == pytest.approx(link.match.weight)
    assert {"given_name", "birth_date"} <= {one.what for one in link.match.parts}
    identity_decide(onefold.settings, "crm_id:1", "crm_id:2", "apart", actor="eve")
    onefold.settle()
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    onefold.take(person("2", **ANNA))
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    assert check_rebuild(onefold.settings).differences == ()
    identity_decide(onefold.settings, "crm_id:1", "crm_id:2", "open", actor="eve")
    onefold.settle()
    assert who(onefold, "crm_id:2") == ["crm_id:1", "crm_id:2"]


def test_a_changed_record_is_matched_anew(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA), person("2", **ANNA))
    assert who(onefold, "crm_id:2") == ["crm_id:1", "crm_id:2"]
    other = {"first_name": "Zacharias", "last_name": "Quentin", "birth_date": "1950-11-02"}
    onefold.take(person("2", **other, street="9 Oak Road", city="Dover", postcode="19901"))
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    assert check_rebuild(onefold.settings).differences == ()


def test_two_users_that_are_alike_wait_for_a_word(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(*[{"type": "identify", "userId": one, "traits": ANNA} for one in ("a", "b")])
    assert who(onefold, "user_id:a") == ["user_id:a"]
    (item,) = reviews(onefold.settings).items
    assert (item.reason, item.evidence) == ("unique", "matched")
    assert item.match is not None
    assert item.match.decision == "merge"


def test_a_model_that_comes_into_force_matches_everybody(
    onefold: Stepped, model: MatchModel
) -> None:
    onefold.take(person("1", **ANNA), person("2", **ANNA), person("3", **(ANNA | {"city": "Rome"})))
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    added = match_add(onefold.settings, encode_model(model))
    compared = match_compare(onefold.settings, added.version)
    assert (compared.records, compared.merges, compared.splits) == (3, 3, 0)
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    match_use(onefold.settings, added.version)
    onefold.settle()
    assert who(onefold, "crm_id:2") == ["crm_id:1", "crm_id:2", "crm_id:3"]
    assert check_rebuild(onefold.settings).differences == ()
    match_off(onefold.settings)
    onefold.settle()
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    assert reviews(onefold.settings).waiting == 0
    assert check_rebuild(onefold.settings).differences == ()


@pytest.mark.slow
def test_whoever_cancels_the_matching_of_everybody_has_no_model_in_force(
    onefold: Stepped, model: MatchModel
) -> None:
    onefold.take(
        *[person(f"c{number}", **(ANNA | {"city": f"C{number}"})) for number in range(2_500)]
    )
    added = match_add(onefold.settings, encode_model(model))
    match_use(onefold.settings, added.version)
    while not (jobs := onefold.store.jobs.open([MATCH])):
        assert onefold.worker.step()
    onefold.store.jobs.cancel(jobs[0].id, 0, "eve")
    onefold.settle()
    assert onefold.store.jobs.get(jobs[0].id).state == "canceled"
    assert onefold.store.registry.match_model_in_force() is None
    assert onefold.store.matches.count() == 0
    assert who(onefold, "crm_id:c2") == ["crm_id:c2"]


@pytest.mark.slow
def test_who_is_merged_while_everybody_is_matched_is_matched_too(
    onefold: Stepped, model: MatchModel
) -> None:
    people, columns = records(2_200, seed=5)
    onefold.take(*[person(f"r{number}", **one) for number, one in enumerate(people)])
    match_use(onefold.settings, match_add(onefold.settings, encode_model(model)).version, columns)
    onefold.settle()
    assert check_rebuild(onefold.settings).differences == ()


def test_matches_follow_identifiers_that_are_written_anew(
    onefold: Stepped, model: MatchModel
) -> None:
    put_in_force(onefold, model)
    onefold.take(person("01", **ANNA), person("2", **(ANNA | {"first_name": "Anabelle"})))
    onefold.take(person("03", first_name="Zacharias", last_name="Quentin", birth_date="1950-11-02"))
    onefold.define("kind: identifier\nname: crm_id\nnormalize: [no_leading_zeros]\n")
    onefold.settle()
    assert who(onefold, "crm_id:2") == ["crm_id:1", "crm_id:2"]
    assert who(onefold, "crm_id:3") == ["crm_id:3"]
    kept = [onefold.store.matches.records([number]) for number in range(1, 9)]
    assert sum(map(len, kept)) == onefold.store.matches.count() == 3
    assert {tuple(ends) for ends in matches(onefold)} == {("1", "2"), ("2", "1")}
    # What was one node is one record: nothing of its past matches is left behind.
    onefold.take(person("001", first_name="Xenia", last_name="Other", birth_date="1960-01-02"))
    assert who(onefold, "crm_id:2") == ["crm_id:2"]
    assert matches(onefold) == {}
    assert check_rebuild(onefold.settings).differences == ()


def records(count: int, seed: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Made-up people as traits whose names say nothing, and what they hold; no two are alike in everything.

    Such ones are one record in a file, and as many as their identifiers in events.
    """
    table = make_people(count * 5 // 4, seed=seed, duplicates=0.5)
    guesses = recognize(table.to_pydict())
    kept = {
        name: one.role
        for name, one in guesses.items()
        if one.role not in ("ignore", "source") and not one.role.startswith("identifier")
        and name not in ("entity_id", "household_id", "record_id")
    }  # fmt: skip
    rows = [
        {f"x_{name}": row[name] for name in kept if row[name] is not None}
        for row in table.to_pylist()
    ]
    columns = {f"x_{name}": role for name, role in kept.items()}
    different = {person_of_traits(row, columns): row for row in rows}
    return list(different.values())[:count], columns


def groups(onefold: Stepped, count: int) -> set[tuple[str, ...]]:
    return {tuple(who(onefold, f"crm_id:r{number}")) for number in range(count)}


def matches(onefold: Stepped) -> dict[tuple[str, str], tuple[float, bool]]:
    """All matches of everybody, by the identifiers at their ends."""
    store = onefold.store
    found = [decode_profile(one) for one in store.documents(store.profile_ids(0, 9_999)).values()]
    nodes = {node.id: node for one in found for node in one.nodes}
    return {
        (node.value, nodes[other].value): (match.weight, match.taken)
        for node in nodes.values()
        for other, match in node.more.matched.items()
    }


@pytest.mark.slow
def test_in_any_order_the_same_people_come_out_as_of_a_batch(
    tmp_path: Path, model: MatchModel
) -> None:
    count = 150
    people, columns = records(count, seed=8)
    # A small cap: blocks fill, overflow and empty again on the way.
    capped = decode_model(encode_model(msgspec.structs.replace(model, cap=4)))
    found = []
    for order in (1, 2, 3):
        chance = random.Random(order)
        settings = Settings(data=tmp_path / f"data{order}", min_free_disk=0)
        make_workspace(settings)
        with closing(Stepped(settings)) as onefold:
            match_use(settings, match_add(settings, encode_model(capped)).version, columns)
            onefold.settle()
            events = [person(f"r{number}", **one) for number, one in enumerate(people)]
            # Some say something else first, and so leave blocks again.
            first = [
                person(f"r{number}", **(people[number - 1] | people[number]))
                for number in range(1, count, 9)
            ]
            first = [one | {"timestamp": "2020-01-01T00:00:00Z"} for one in first]
            events = [one | {"timestamp": "2021-01-01T00:00:00Z"} for one in events]
            events += first
            chance.shuffle(events)
            while events:
                size = chance.randint(1, 40)
                onefold.take(*events[:size])
                events = events[size:]
            found.append((groups(onefold, count), matches(onefold)))
            if order == 1:
                assert check_rebuild(settings).differences == ()
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) < count


@pytest.mark.slow
@pytest.mark.parametrize("cap", [60, 5])
def test_events_give_the_people_and_weights_that_a_file_gives(
    onefold: Stepped, model: MatchModel, cap: int
) -> None:
    count = 300
    people, columns = records(count, seed=9)
    # By a small cap most blocks are too large, and are divided by further parts.
    model = decode_model(encode_model(msgspec.structs.replace(model, cap=cap)))
    match_use(onefold.settings, match_add(onefold.settings, encode_model(model)).version, columns)
    for first in range(0, count, 70):
        events = [person(f"r{number}", **one) for number, one in enumerate(people)]
        onefold.take(*events[first : first + 70])
    engine = DuckEngine(threads=1, memory_mb=1000)
    persons = [person_of_traits(one, columns) or Person() for one in people]
    engine.keep("people", "SELECT * FROM given", {"given": people_table(persons)})
    plan = steps.prepare(engine, model=model)
    steps.block(engine, plan)
    steps.compare(engine, plan)
    steps.score(engine, plan, model)
    steps.cluster(engine, plan, model)
    rows = engine.rows(
        "pairs",
        "SELECT a.record_id, b.record_id, weight FROM scored JOIN rows AS a ON l = a.rid"
        " JOIN rows AS b ON r = b.rid WHERE a.record_id <> b.record_id",
        {},
    )
    batch = {
        (f"r{a}", f"r{b}"): weight for one, two, weight in rows for a, b in ((one, two), (two, one))
    }
    live = {ends: weight for ends, (weight, _) in matches(onefold).items()}
    assert live == batch
    clusters: dict[int, list[str]] = {}
    for number, label in engine.rows("c", "SELECT record_id, profile FROM clusters", {}):
        clusters.setdefault(label, []).append(f"crm_id:r{number}")
    assert groups(onefold, count) == {tuple(sorted(one)) for one in clusters.values()}
