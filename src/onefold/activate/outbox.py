"""Where deliveries wait: the interface that a store gives to the dispatcher.

`onefold.testing.outbox_suite` says what each method promises; the fake that ships is
`onefold.testing.outbox.MemoryOutbox`. Deliveries are added by the pipeline, in the same
transaction as the change that caused them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from onefold.model.delivery import DeadLetter, Delivery, Outcome


class Outbox(Protocol):
    """Deliveries that wait, and those that were given up."""

    def due(
        self, destination: str, now: int, limit: int, excluding: Collection[int] = ()
    ) -> list[Delivery]:
        """The deliveries that may be sent now, the longest due first.

        Only the first of each profile's queue is ever returned: a later one waits until the
        earlier one was delivered or died. Profiles in `excluding` are left out.
        """

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Write what became of many deliveries, all or none.

        An outcome for a delivery that does not wait any more is ignored.
        """

    def dead(self, destination: str, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """The dead letters with an id above `after`, in order of id."""

    def revive(self, ids: Collection[int], now: int) -> int:
        """Put dead letters back with no attempts made, due now; how many were.

        Each keeps its id and key, so it goes before later ones of its profile that still wait.
        """
