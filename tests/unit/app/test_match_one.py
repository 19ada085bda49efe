"""A pair's score: symmetric, pure, the same alone and in a batch."""

from __future__ import annotations

import random

import pytest

from onefold.app.matching import steps, training
from onefold.app.matching.pairwise import candidates, people_table, score_pair
from onefold.engine.duck import DuckEngine
from onefold.model.matching import MatchModel
from onefold.model.person import Person

GIVEN = ["anna", "bernd", "carla", "dieter", "elsa", "frank", "greta", "hans", "ines", "jonas"]
FAMILY = ["albers", "brandt", "cordes", "dahl", "ebert", "fuchs", "gruber", "holm", "issler"]


def crowd(count: int) -> list[Person]:
    chance = random.Random(11)
    found = []
    for number in range(count):
        given, family = chance.choice(GIVEN), chance.choice(FAMILY) + chance.choice("abcdefgh")
        digits = f"{chance.randint(1940, 2005)}{chance.randint(1, 12):02}{chance.randint(2, 28):02}"
        email = f"{given}.{family}{number}@example.org"
        person = Person(
            given_name=given, family_name=family, birth_digits=digits, birth_year=int(digits[:4]),
            email=email, email_local=email.split("@", maxsplit=1)[0], name_sorted=" ".join(sorted((given, family))),
            postcode=str(chance.randint(10000, 10100)),
        )  # fmt: skip
        found.append(person)
        if number % 3 == 0:
            found.append(
                Person(
                    given_name=given, family_name=family[:-1], birth_digits=digits,
                    birth_year=int(digits[:4]), postcode=person.postcode if number % 2 else None,
                    name_sorted=" ".join(sorted((given, family[:-1]))),
                )
            )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def learned() -> tuple[MatchModel, list[Person], dict[tuple[int, int], float]]:
    people = crowd(400)
    engine = DuckEngine(threads=1, memory_mb=1000)
    engine.keep("people", "SELECT * FROM given", {"given": people_table(people)})
    plan = steps.prepare(engine)
    steps.block(engine, plan)
    steps.compare(engine, plan)
    model = training.learn(engine, plan)
    steps.score(engine, plan, model)
    rows = engine.rows(
        "scored",
        "SELECT a.record_id, b.record_id, weight FROM scored JOIN rows AS a ON l = a.rid"
        " JOIN rows AS b ON r = b.rid",
        {},
    )
    return model, people, {(min(one, two), max(one, two)): weight for one, two, weight in rows}


def test_a_weight_is_the_same_alone_in_a_batch_and_either_way_round(
    learned: tuple[MatchModel, list[Person], dict[tuple[int, int], float]],
) -> None:
    model, people, weights = learned
    for (one, two), weight in list(weights.items())[::40]:
        assert score_pair(model, people[one], people[two]).weight == weight
        assert score_pair(model, people[two], people[one]).weight == weight


def test_parts_add_up_to_the_weight(
    learned: tuple[MatchModel, list[Person], dict[tuple[int, int], float]],
) -> None:
    model, people, _ = learned
    score = score_pair(model, people[0], people[1])
    parts = sum(part.weight for part in score.parts)
    assert score.weight == pytest.approx(score.prior + parts + score.household)
    assert score.household <= 0.01
    assert score.probability > 0.9
    # Numbers of numpy would be written into JSON as texts.
    numbers = (score.weight, score.prior, score.household, *(part.weight for part in score.parts))
    assert {type(number) for number in numbers} == {float}


def test_candidates_are_those_of_a_batch(
    learned: tuple[MatchModel, list[Person], dict[tuple[int, int], float]],
) -> None:
    model, people, weights = learned
    last = len(people) - 1
    mine = {one: w for (one, two), w in weights.items() if two == last and one != last}
    found = candidates(model, people[last], people[:last])
    assert {each.place: each.weight for each in found} == mine
    assert candidates(model, Person(given_name="zoe"), people) == []


def test_nothing_in_common_is_no_evidence(
    learned: tuple[MatchModel, list[Person], dict[tuple[int, int], float]],
) -> None:
    model, people, _ = learned
    score = score_pair(model, Person(), people[0])
    assert score.parts == ()
    assert score.weight < model.review
