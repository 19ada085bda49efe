"""Records that share no identifier are one person, as events come in: the same as a rebuild finds."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.app import match_training, matching
from onefold.app.identity import identity_decide, reviews
from onefold.app.identity_why import identity_why
from onefold.app.match_models import match_add, match_compare, match_off, match_use
from onefold.app.people import standardize_table
from onefold.app.profiles import profile
from onefold.app.rebuild import check_rebuild
from onefold.engine.duck import DuckEngine
from onefold.model.matching import MatchModel, encode_model
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.roles import Layout
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
    people = standardize_table(engine, "file", layout)
    engine.keep("people", "SELECT * FROM given", {"given": people})
    plan = matching.prepare(engine)
    matching.block(engine, plan)
    matching.compare(engine, plan)
    return match_training.learn(engine, plan)


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
