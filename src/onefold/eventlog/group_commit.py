"""One write and one sync for all threads that wait: the first one leads, the others follow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from onefold.eventlog.frames import framed_bytes
from onefold.model.errors import Busy


class _Turn:
    """What one thread wants written, and how it is told."""

    __slots__ = ("done", "failure", "leads", "payloads", "size", "wake")

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self.payloads = payloads
        self.size = framed_bytes(payloads)
        self.wake = threading.Lock()
        self.wake.acquire()
        self.done = False
        self.leads = False
        self.failure: Busy | None = None


class GroupCommit:
    """Collects what threads add while a write is under way into the next write.

    `write` gets all payloads of a group and their framed size; it returns once they are
    durable or raises `Busy`, which then every thread of the group gets.
    """

    def __init__(self, write: Callable[[list[bytes], int], None], max_bytes: int) -> None:
        self._write = write
        self._max_bytes = max_bytes
        self._mutex = threading.Lock()
        self._queue: deque[_Turn] = deque()
        self._led = False

    def add(self, payloads: Sequence[bytes]) -> None:
        """Return once these payloads are durable."""
        turn = _Turn(payloads)
        with self._mutex:
            self._queue.append(turn)
            turn.leads = not self._led
            self._led = True
        if not turn.leads:
            self._wait(turn)
        if turn.leads and not turn.done:
            self._lead()
        if turn.failure is not None:
            raise Busy(turn.failure.message, turn.failure.retry_after) from turn.failure

    def _wait(self, turn: _Turn) -> None:
        woken = False
        try:
            woken = turn.wake.acquire()
        finally:
            if not woken:  # interrupted: nobody may wait for this thread to lead
                self._leave(turn)

    def _leave(self, turn: _Turn) -> None:
        with self._mutex:
            if turn in self._queue:
                self._queue.remove(turn)
            if turn.leads and not turn.done:
                self._promote()

    def _lead(self) -> None:
        group = self._take()
        payloads = [payload for turn in group for payload in turn.payloads]
        failure: Busy | None = Busy("the write was interrupted")
        try:
            self._write(payloads, sum(turn.size for turn in group))
            failure = None
        except Busy as error:
            failure = error
        finally:
            with self._mutex:
                self._promote()
            for turn in group:
                turn.failure = failure
                turn.done = True
                turn.wake.release()

    def _take(self) -> list[_Turn]:
        with self._mutex:
            group = [self._queue.popleft()]
            size = group[0].size
            while self._queue and size + self._queue[0].size <= self._max_bytes:
                size += self._queue[0].size
                group.append(self._queue.popleft())
        return group

    def _promote(self) -> None:
        """Let the first that waits lead; needs the mutex."""
        self._led = bool(self._queue)
        if self._queue:
            self._queue[0].leads = True
            self._queue[0].wake.release()
