"""What every outbox promises, as tests: subclass `OutboxSuite` and say how to build yours.

class TestMemoryOutbox(OutboxSuite):
    def make(self) -> MemoryOutbox:
        return MemoryOutbox()

    def add(self, outbox, *deliveries):
        outbox.add(*deliveries)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from onefold.model.delivery import DeadLetter, Delivery, Outcome

SECOND = 1_000_000


def delivery(id: int, profile: int = 1, destination: str = "crm", next_at: int = 0) -> Delivery:
    """A small delivery, for tests."""
    payload = b'{"n":%d}' % id
    return Delivery(id, destination, profile, f"msg_{id}", payload, created_at=5, next_at=next_at)


class OutboxSuite(ABC):
    """Run against every implementation of `onefold.activate.outbox.Outbox`."""

    @abstractmethod
    def make(self) -> Any:
        """A new, empty outbox."""

    @abstractmethod
    def add(self, outbox: Any, *deliveries: Delivery) -> None:
        """Let these wait; done before the call returns."""

    def filled(self, *deliveries: Delivery) -> Any:
        outbox = self.make()
        self.add(outbox, *deliveries)
        return outbox

    def test_an_empty_outbox_has_nothing_due(self) -> None:
        outbox = self.make()
        outbox.finish([])
        assert outbox.due("crm", SECOND, 10) == []
        assert outbox.dead("crm") == []

    def test_a_delivery_comes_back_as_it_was_added(self) -> None:
        sent = Delivery(7, "crm", 2**62, "msg_a", b'{"name":"\xe5\xbc\xa0"}', 3, 2, 4)
        assert self.filled(sent).due("crm", 4, 10) == [sent]

    def test_only_the_first_of_each_profile_is_due(self) -> None:
        first, later, other = delivery(1, 1), delivery(2, 1), delivery(3, 2)
        outbox = self.filled(first, later, other)
        assert outbox.due("crm", SECOND, 10) == [first, other]

    def test_the_later_one_waits_even_when_only_the_first_is_not_yet_due(self) -> None:
        outbox = self.filled(delivery(1, next_at=SECOND), delivery(2, next_at=0))
        assert outbox.due("crm", SECOND - 1, 10) == []
        assert [d.id for d in outbox.due("crm", SECOND, 10)] == [1]

    def test_profiles_queue_at_each_destination_apart(self) -> None:
        outbox = self.filled(delivery(1, destination="crm"), delivery(2, destination="mail"))
        assert [d.id for d in outbox.due("mail", SECOND, 10)] == [2]

    def test_the_longest_due_comes_first_up_to_the_limit(self) -> None:
        outbox = self.filled(
            delivery(1, 1, next_at=30), delivery(2, 2, next_at=10), delivery(3, 3, next_at=10)
        )
        assert [d.id for d in outbox.due("crm", SECOND, 2)] == [2, 3]

    def test_excluded_profiles_do_not_use_up_the_limit(self) -> None:
        outbox = self.filled(*(delivery(n, profile=n) for n in range(1, 8)))
        due = outbox.due("crm", SECOND, 2, excluding={1, 2, 3, 5})
        assert [d.id for d in due] == [4, 6]

    def test_looking_changes_nothing(self) -> None:
        outbox = self.filled(delivery(1))
        assert outbox.due("crm", SECOND, 10) == outbox.due("crm", SECOND, 10)

    def test_a_delivered_one_is_gone_and_the_next_is_due(self) -> None:
        outbox = self.filled(delivery(1), delivery(2))
        outbox.finish([Outcome(1, "delivered", SECOND, 1)])
        assert [d.id for d in outbox.due("crm", SECOND, 10)] == [2]
        assert outbox.dead("crm") == []

    def test_a_retry_waits_until_its_time_and_counts_its_attempts(self) -> None:
        outbox = self.filled(delivery(1), delivery(2))
        outbox.finish([Outcome(1, "retry", 9 * SECOND, 3, "HTTP 500")])
        assert outbox.due("crm", 9 * SECOND - 1, 10) == []
        (again,) = outbox.due("crm", 9 * SECOND, 10)
        assert (again.id, again.key, again.attempts) == (1, "msg_1", 3)
        assert again.next_at == 9 * SECOND

    def test_a_dead_one_is_kept_with_its_reason_and_frees_the_queue(self) -> None:
        outbox = self.filled(delivery(1), delivery(2))
        outbox.finish([Outcome(1, "dead", 8 * SECOND, 4, "HTTP 422: no")])
        assert [d.id for d in outbox.due("crm", SECOND, 10)] == [2]
        (letter,) = outbox.dead("crm")
        assert isinstance(letter, DeadLetter)
        assert (letter.reason, letter.died_at) == ("HTTP 422: no", 8 * SECOND)
        assert (letter.delivery.id, letter.delivery.payload) == (1, b'{"n":1}')
        assert (letter.delivery.key, letter.delivery.attempts) == ("msg_1", 4)

    def test_many_outcomes_are_written_at_once(self) -> None:
        outbox = self.filled(*(delivery(n, profile=n) for n in range(1, 301)))
        outbox.finish([Outcome(n, "delivered", SECOND, 1) for n in range(1, 300)])
        assert [d.id for d in outbox.due("crm", SECOND, 10)] == [300]

    def test_an_outcome_of_what_does_not_wait_is_ignored(self) -> None:
        outbox = self.filled(delivery(1), delivery(2, profile=2))
        outbox.finish([Outcome(1, "delivered", SECOND, 1), Outcome(99, "delivered", SECOND, 1)])
        outbox.finish([Outcome(1, "dead", SECOND, 2, "late"), Outcome(2, "dead", SECOND, 1, "x")])
        outbox.finish([Outcome(2, "retry", SECOND, 2, "late")])
        assert outbox.due("crm", SECOND, 10) == []
        assert [letter.reason for letter in outbox.dead("crm")] == ["x"]

    def test_dead_letters_are_paged_by_id_for_one_destination(self) -> None:
        outbox = self.filled(
            *(delivery(n, profile=n) for n in range(1, 6)), delivery(6, destination="mail")
        )
        outbox.finish([Outcome(n, "dead", SECOND, 1, "no") for n in range(1, 7)])
        assert [one.delivery.id for one in outbox.dead("crm", limit=2)] == [1, 2]
        assert [one.delivery.id for one in outbox.dead("crm", after=2, limit=9)] == [3, 4, 5]

    def test_a_revived_one_starts_afresh_with_the_same_key(self) -> None:
        outbox = self.filled(delivery(1))
        outbox.finish([Outcome(1, "dead", SECOND, 9, "no")])
        assert outbox.revive([1], 20 * SECOND) == 1
        assert outbox.dead("crm") == []
        (again,) = outbox.due("crm", 20 * SECOND, 10)
        assert (again.key, again.attempts, again.payload) == ("msg_1", 0, b'{"n":1}')
        assert again.created_at == again.next_at == 20 * SECOND

    def test_a_revived_one_goes_before_later_ones_that_still_wait(self) -> None:
        outbox = self.filled(delivery(1), delivery(2))
        outbox.finish([Outcome(1, "dead", SECOND, 1, "no")])
        outbox.revive([1], SECOND)
        assert [d.id for d in outbox.due("crm", SECOND, 10)] == [1]

    def test_only_the_dead_can_be_revived(self) -> None:
        outbox = self.filled(delivery(1), delivery(2, profile=2))
        outbox.finish([Outcome(1, "dead", SECOND, 1, "no")])
        assert outbox.revive([1, 1, 2, 99], SECOND) == 1
        assert outbox.revive([1], SECOND) == 0
        assert outbox.revive([], SECOND) == 0
