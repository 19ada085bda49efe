"""What live matching does with bad input: bounded time, clear messages, and never a merge by default."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from onefold.app.folding.rebuild import check_rebuild
from onefold.app.identity.decisions import identity_decide, reviews
from onefold.app.identity.review_queue import calibrate
from onefold.app.matching.asking import match_candidates, match_score
from onefold.app.matching.models import match_add, match_train, match_use
from onefold.app.matching.training import recalibrate
from onefold.model.errors import InvalidInput, NotFound
from onefold.model.matching import LearnedComparison, MatchModel, decode_model, encode_model
from tests.acceptance.conftest import Stepped
from tests.acceptance.test_live_matching import ANNA, model, person, put_in_force, who

__all__ = ["model"]


def test_very_many_alike_are_nobody_and_take_no_time(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    began = time.process_time()
    onefold.take(*[person(f"n{number}", **ANNA) for number in range(1, 30)])
    assert len(who(onefold, "crm_id:n1")) == 29
    for first in range(30, 3_030, 1_000):
        onefold.take(*[person(f"n{number}", **ANNA) for number in range(first, first + 1_000)])
    assert who(onefold, "crm_id:n1") == ["crm_id:n1"]
    assert who(onefold, "crm_id:n3000") == ["crm_id:n3000"]
    assert reviews(onefold.settings).waiting == 0
    assert time.process_time() - began < 120


@pytest.mark.parametrize(
    "traits",
    [
        {},
        {"first_name": "", "last_name": None, "birth_date": "", "city": "  "},
        {"first_name": "Anna"},
        {"city": "Springfield"},
        {"birth_date": "1900-01-01"},
        {"first_name": ["a"], "last_name": {"x": {"y": 1}}, "birth_date": 17},
        {"first_name": "1987-03-14", "birth_date": "Annabelle", "city": "62704"},
        {"first_name": "Анна", "last_name": "", "gender": "ж"},
    ],
)
def test_what_says_too_little_is_merged_with_nobody(
    onefold: Stepped, model: MatchModel, traits: dict[str, object]
) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA), *[person(one, **traits) for one in ("2", "3")])
    assert [who(onefold, f"crm_id:{one}") for one in "23"] == [["crm_id:2"], ["crm_id:3"]]
    assert check_rebuild(onefold.settings).differences == ()


def test_contradicting_words_merge_nobody(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(*[person(one, **ANNA) for one in "123"])
    for left, right, verdict in (("1", "2", "same"), ("2", "3", "same"), ("1", "3", "apart")):
        identity_decide(onefold.settings, f"crm_id:{left}", f"crm_id:{right}", verdict)  # type: ignore[arg-type]
    onefold.settle()
    assert not {"crm_id:1", "crm_id:3"} <= set(who(onefold, "crm_id:2"))
    assert [one.reason for one in reviews(onefold.settings).items] == ["contradiction"]
    assert check_rebuild(onefold.settings).differences == ()


def test_a_model_that_does_not_fit_is_refused(onefold: Stepped, model: MatchModel) -> None:
    with pytest.raises(InvalidInput, match="no match model"):
        match_add(onefold.settings, b"{}")
    strange = msgspec.structs.replace(
        model, comparisons=(*model.comparisons, LearnedComparison("shoe_size", ()))
    )
    with pytest.raises(InvalidInput, match="does not know"):
        match_add(onefold.settings, encode_model(strange))
    with pytest.raises(NotFound, match="onefold match models"):
        match_use(onefold.settings, "nothing")
    with pytest.raises(InvalidInput, match="nothing to learn"):
        match_train(onefold.settings)
    with pytest.raises(NotFound, match="no match model is in force"):
        match_candidates(onefold.settings, ANNA)


def test_a_question_changes_nothing(onefold: Stepped, model: MatchModel) -> None:
    put_in_force(onefold, model)
    onefold.take(person("1", **ANNA))
    found = match_candidates(onefold.settings, ANNA | {"first_name": "Anabelle"})
    assert [one.identifier for one in found.items] == ["crm_id:1"]
    score = match_score(onefold.settings, ANNA, ANNA | {"first_name": "Anabelle"})
    assert (score.weight, score.decision) == (found.items[0].match.weight, "merge")
    assert decode_model(encode_model(model)).version == score.model
    with pytest.raises(InvalidInput, match="cannot be matched"):
        match_score(onefold.settings, {"plan": "gold"}, ANNA)


def test_decisions_count_with_the_weights_of_the_model_that_is_calibrated(
    onefold: Stepped, model: MatchModel, tmp_path: Path
) -> None:
    in_force = msgspec.structs.replace(model, shift=model.shift - 8.0, merge=60.0, review=-60.0)
    put_in_force(onefold, in_force)
    onefold.take(*[person(str(number), **ANNA) for number in range(1, 7)])
    assert reviews(onefold.settings).waiting == 15
    for left, right in ((1, 2), (3, 4), (5, 6)):
        identity_decide(onefold.settings, f"crm_id:{left}", f"crm_id:{right}", "apart")
    file = tmp_path / "model.json"
    file.write_bytes(encode_model(model))
    made = calibrate(onefold.settings, file, tmp_path / "new.json")
    weight = match_score(onefold.settings, ANNA, ANNA).weight + 8.0
    raw = (weight - model.shift) / model.scale
    expected = recalibrate(model, [(raw, False)] * 3)
    assert (made.decisions, made.version) == (3, expected.version)
    assert made.precision < model.quality.precision
    assert expected.quality.calibration_error < model.quality.calibration_error
