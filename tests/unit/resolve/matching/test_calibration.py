"""What decisions of people change."""

import numpy as np

from onefold.app.matching.training import recalibrate
from onefold.model.matching import MatchModel, Quality
from onefold.resolve.matching.calibration import blocking_recall, calibrated, expected
from onefold.resolve.matching.scoring import Scorer

MODEL = MatchModel((), (), 1e-3, 1e-4, (), (), 60, 3.17, -3.17, Quality(0, 0, 1.0, 1.0, 1.0, 0.0))


def test_no_decision_changes_nothing() -> None:
    assert recalibrate(MODEL, []) is MODEL


def test_few_decisions_change_little_and_many_change_much() -> None:
    few = recalibrate(MODEL, [(4.0, False)] * 2)
    many = recalibrate(MODEL, [(4.0, False), (4.0, True)] * 200)
    assert -3.0 < few.shift < 0.0
    assert abs(many.scale * 4.0 + many.shift) < 0.5
    assert few.version != many.version


def test_decisions_on_a_calibrated_model_start_from_its_own_weights() -> None:
    once = recalibrate(MODEL, [(4.0, False), (4.0, True)] * 50)
    told = once.scale * 4.0 + once.shift
    again = recalibrate(once, [(told, False), (told, True)] * 50)
    assert abs(again.scale - once.scale) < 1e-6
    assert abs(again.shift - once.shift) < 1e-6


def test_a_prior_alone_is_the_weight_of_nothing() -> None:
    score = Scorer(MODEL).explain(0, None, None)
    assert score.weight == np.float64(score.prior + score.household)
    assert score.probability < 0.002


def test_the_error_of_the_shift_falls_with_more_decisions() -> None:
    weights, same = np.array([1.0, 3.0, 5.0]), np.array([False, True, True])
    assert calibrated(np.tile(weights, 40), np.tile(same, 40))[2] < calibrated(weights, same)[2]


def test_expected_precision_and_recall_are_those_of_the_probabilities() -> None:
    found = expected(np.array([20.0, 3.2, -20.0]), np.array([8.0, 2.0, 100.0]), 3.17, 1.0)
    assert 0.97 < found.precision < 1.0
    assert found.recall > 0.99
    assert expected(np.array([20.0]), np.array([8.0]), 3.17, 0.8).recall == 0.8


def test_what_only_one_kind_of_key_found_says_what_all_missed() -> None:
    kinds = np.array([0b01, 0b10])
    both = blocking_recall(np.array([0b11] * 10), np.ones(10), kinds)
    some = blocking_recall(np.array([0b11] * 6 + [0b01] * 4), np.ones(10), kinds)
    assert both == (1.0, 0.0)
    assert some[0] < 0.9
    assert 0.0 < some[1] < 0.2


def test_errors_of_what_is_expected_fall_as_weights_are_known_better() -> None:
    weights, times = np.array([20.0, 4.0, 2.0, -20.0]), np.array([90.0, 10.0, 10.0, 1000.0])
    unknown = expected(weights, times, 3.17, 0.98, 0.01)
    known = expected(weights, times, 3.17, 0.98, 0.01, error=0.1)
    assert known.precision_error < unknown.precision_error < 0.05
    assert 0.01 < known.recall_error < unknown.recall_error
    assert known.uncertainty == unknown.uncertainty
