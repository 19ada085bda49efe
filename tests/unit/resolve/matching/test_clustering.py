"""Clusters from weights."""

import numpy as np

from onefold.resolve.matching.clustering import agglomerate, components


def test_components_are_the_same_in_any_order() -> None:
    left, right = np.array([1, 5, 3, 7]), np.array([2, 6, 2, 5])
    assert components(8, left, right).tolist() == [0, 1, 1, 1, 4, 5, 5, 5]
    assert components(8, right[::-1], left[::-1]).tolist() == [0, 1, 1, 1, 4, 5, 5, 5]


def test_a_bridge_alone_does_not_hold_two_dense_parts_together() -> None:
    weights = np.full((6, 6), -10.0)
    weights[:3, :3] = weights[3:, 3:] = 10.0
    weights[2, 3] = weights[3, 2] = 8.0
    assert agglomerate(weights[None], 3.0).tolist() == [[0, 0, 0, 3, 3, 3]]


def test_a_chain_without_contradiction_is_one_person() -> None:
    weights = np.array([[0.0, 10.0, 1.0], [10.0, 0.0, 10.0], [1.0, 10.0, 0.0]])
    assert agglomerate(weights[None], 3.0).tolist() == [[0, 0, 0]]
