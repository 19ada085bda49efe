"""An outbox in memory, for tests."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import msgspec

from onefold.model.delivery import DeadLetter, Delivery, Outcome


class MemoryOutbox:
    """Holds deliveries in memory; safe to use from several threads.

    `delivered` lists the outcomes of those that arrived, `written` counts calls of `finish`, and
    `changes` grows with every `add`, as the sign that a dispatcher watches.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, Delivery] = {}
        self._queues: dict[tuple[str, int], list[int]] = {}
        self._dead: dict[int, DeadLetter] = {}
        self.delivered: list[Outcome] = []
        self.written = 0
        self.changes = 0

    def add(self, *deliveries: Delivery) -> None:
        """Let these wait, as the pipeline does in its transaction."""
        with self._lock:
            for delivery in deliveries:
                self._enqueue(delivery)
            self.changes += 1

    def waiting(self) -> list[Delivery]:
        """All that wait, in order of id."""
        with self._lock:
            return [self._waiting[id] for id in sorted(self._waiting)]

    def due(
        self, destination: str, now: int, limit: int, excluding: Collection[int] = ()
    ) -> list[Delivery]:
        with self._lock:
            heads = [
                self._waiting[queue[0]]
                for (name, profile), queue in self._queues.items()
                if name == destination and profile not in excluding
            ]
        ready = [delivery for delivery in heads if delivery.next_at <= now]
        return sorted(ready, key=lambda delivery: (delivery.next_at, delivery.id))[:limit]

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            self.written += 1
            for outcome in outcomes:
                if outcome.id in self._waiting:
                    self._finish_one(outcome)

    def dead(self, destination: str, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        with self._lock:
            ids = sorted(
                id
                for id, letter in self._dead.items()
                if id > after and letter.delivery.destination == destination
            )
            return [self._dead[id] for id in ids[:limit]]

    def revive(self, ids: Collection[int], now: int) -> int:
        with self._lock:
            letters = [self._dead.pop(id) for id in set(ids) if id in self._dead]
            for letter in letters:
                self._enqueue(
                    msgspec.structs.replace(
                        letter.delivery, created_at=now, attempts=0, next_at=now
                    )
                )
            self.changes += 1
            return len(letters)

    def _enqueue(self, delivery: Delivery) -> None:
        self._waiting[delivery.id] = delivery
        queue = self._queues.setdefault((delivery.destination, delivery.profile), [])
        queue.append(delivery.id)
        queue.sort()

    def _finish_one(self, outcome: Outcome) -> None:
        delivery = msgspec.structs.replace(self._waiting[outcome.id], attempts=outcome.attempts)
        if outcome.result == "retry":
            self._waiting[outcome.id] = msgspec.structs.replace(delivery, next_at=outcome.at)
            return
        del self._waiting[outcome.id]
        address = (delivery.destination, delivery.profile)
        self._queues[address].remove(outcome.id)
        if not self._queues[address]:
            del self._queues[address]
        if outcome.result == "dead":
            self._dead[outcome.id] = DeadLetter(delivery, outcome.reason, outcome.at)
        else:
            self.delivered.append(outcome)
