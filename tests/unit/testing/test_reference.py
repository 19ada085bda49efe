"""The reference partition, on cases small enough to decide by hand."""

from __future__ import annotations

from itertools import permutations

from onefold.model.records import Identifier
from onefold.testing.reference import Evidence, partition, shared_identifiers

ANN, BEN = Identifier("user_id", "ann"), Identifier("user_id", "ben")
TABLET, LAPTOP = Identifier("anonymous_id", "tablet"), Identifier("anonymous_id", "laptop")
EMAIL = Identifier("email", "ann@example.com")


def groups(*evidence: Evidence) -> set[frozenset[Identifier]]:
    """The partition, after checking that no order of arrival changes it."""
    found = {partition(order) for order in permutations(evidence)}
    assert len(found) == 1
    return set(found.pop())


def test_identifiers_of_one_event_are_one_person() -> None:
    assert groups(Evidence((ANN, LAPTOP, EMAIL), 1)) == {frozenset({ANN, LAPTOP, EMAIL})}


def test_anonymous_visits_join_the_user_through_a_chain() -> None:
    found = groups(Evidence((LAPTOP,), 1), Evidence((EMAIL, LAPTOP), 2), Evidence((ANN, EMAIL), 3))
    assert found == {frozenset({ANN, EMAIL, LAPTOP})}


def test_a_second_user_on_a_device_is_a_switch_and_no_merge() -> None:
    found = groups(Evidence((ANN, TABLET), 1), Evidence((BEN, TABLET), 2))
    assert found == {frozenset({ANN, TABLET}), frozenset({BEN})}


def test_an_earlier_event_that_arrives_late_takes_the_device() -> None:
    known = [Evidence((ANN, TABLET), 5), Evidence((BEN, TABLET), 6)]
    found = groups(*known, Evidence((BEN, TABLET), 1))
    assert found == {frozenset({BEN, TABLET}), frozenset({ANN})}


def test_at_the_same_time_the_value_decides() -> None:
    found = groups(Evidence((BEN, TABLET), 1), Evidence((ANN, TABLET), 1))
    assert found == {frozenset({ANN, TABLET}), frozenset({BEN})}


def test_a_link_to_a_user_comes_before_an_earlier_link_without_one() -> None:
    found = groups(
        Evidence((EMAIL, TABLET), 1), Evidence((BEN, TABLET), 2), Evidence((ANN, EMAIL), 3)
    )
    assert found == {frozenset({BEN, TABLET}), frozenset({ANN, EMAIL})}


def test_what_a_switched_event_carries_beside_the_device_belongs_to_its_user() -> None:
    found = groups(Evidence((BEN, TABLET), 1), Evidence((ANN, EMAIL, TABLET), 2))
    assert found == {frozenset({BEN, TABLET}), frozenset({ANN, EMAIL})}


def test_an_alias_makes_two_users_one() -> None:
    found = groups(
        Evidence((ANN, LAPTOP), 1), Evidence((BEN, TABLET), 2), Evidence((ANN,), 9, ((BEN, ANN),))
    )
    assert found == {frozenset({ANN, BEN, LAPTOP, TABLET})}


def test_an_identifier_of_more_than_three_users_says_nothing() -> None:
    users = [Identifier("user_id", name) for name in ("ann", "ben", "cem", "dai")]
    kiosk = Identifier("anonymous_id", "kiosk")
    evidence = [Evidence((user, kiosk), time) for time, user in enumerate(users)]
    assert shared_identifiers(evidence) == {kiosk}
    assert groups(*evidence) == {frozenset({each}) for each in [*users, kiosk]}
    assert shared_identifiers(evidence[:3]) == frozenset()


def test_a_kiosk_is_no_evidence_even_if_its_users_are_aliased() -> None:
    users = [Identifier("user_id", name) for name in ("ann", "ben", "cem", "dai")]
    kiosk = Identifier("anonymous_id", "kiosk")
    evidence = [Evidence((user,), 1, ((user, kiosk),)) for user in users]
    assert groups(*evidence) == {frozenset({each}) for each in [*users, kiosk]}


def test_a_placeholder_of_hundreds_says_nothing() -> None:
    placeholder = Identifier("email", "info@example.com")
    others = [Identifier("anonymous_id", f"a{number}") for number in range(201)]
    evidence = [Evidence((placeholder, other), 1) for other in others]
    assert len(partition(evidence)) == 202
    assert len(partition(evidence[:200])) == 1
