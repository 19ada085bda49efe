"""One destination's lane: what is taken out of the outbox for it, and who sends it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

import msgspec
import structlog

from onefold.activate.circuit import Circuit
from onefold.activate.destination import Destination
from onefold.activate.http import Response, Send
from onefold.activate.retry import Verdict, judge
from onefold.model.delivery import Delivery, Outcome
from onefold.model.errors import Busy

IDLE_SECONDS = 30.0

log = structlog.get_logger()


class LaneStatus(msgspec.Struct, frozen=True):
    """How a destination is doing, since the dispatcher started.

    `paused` is a time: nothing is sent before it. `halted` says why nothing will be sent until
    its definition changes. `last_failure` is the last answer that was not a success.
    """

    destination: str
    under_way: int
    delivered: int
    retried: int
    dead: int
    paused: int
    halted: str
    last_failure: str


class Lane:
    """Sends a destination's deliveries on its own threads, never two of one profile at a time.

    The dispatcher `put`s what is due and takes the outcomes with `collect`; a profile stays held
    until `release` says that its outcome was written.
    """

    def __init__(
        self,
        destination: Destination,
        send: Send,
        clock: Callable[[], int],
        jitter: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self.destination = destination
        self.more = True
        self.gone = self.leaving = False
        self._send, self._clock, self._jitter, self._wake = send, clock, jitter, wake
        lock = threading.Lock()
        self._state, self._idle = threading.Condition(lock), threading.Condition(lock)
        self._circuit = Circuit()
        self._ready: deque[Delivery] = deque()
        self._held: set[int] = set()
        self._done: list[tuple[int, Outcome]] = []
        self._sending = 0
        self._threads = 0
        self._halted = ""
        self._counts = {"delivered": 0, "retry": 0, "dead": 0}
        self._last_failure = ""

    def wants(self, now: int) -> int:
        """How many deliveries it can take now."""
        with self._state:
            at_most = self._circuit.room(now, 4 * self.destination.concurrency)
            unwritten = len(self._held)
            if self._halted or unwritten >= 64 * self.destination.concurrency:
                return 0
            return max(at_most - len(self._ready) - self._sending, 0)

    def held(self) -> frozenset[int]:
        """The profiles that must not be taken from the outbox now."""
        with self._state:
            return frozenset(self._held)

    def put(self, deliveries: Iterable[Delivery], threads: bool) -> None:
        """Take these to send, on threads of its own or when `work` is called."""
        with self._state:
            if self._halted or self._circuit.paused(self._clock()):
                self.more = True
                return
            for delivery in deliveries:
                self._held.add(delivery.profile)
                self._ready.append(delivery)
            needed = min(self.destination.concurrency, len(self._ready) + self._sending)
            missing = needed - self._threads if threads else 0
            self._state.notify(len(self._ready))
            for _ in range(missing):
                self._threads += 1
                name = f"deliver {self.destination.name}"
                threading.Thread(target=self._run, name=name, daemon=True).start()

    def work(self) -> bool:
        """Send one delivery, if there is one to send."""
        with self._state:
            delivery = self._next()
        if delivery is None:
            return False
        verdict = None
        try:
            verdict = self._attempt(delivery)
        finally:
            self._end(delivery, verdict)
        self._report(delivery, verdict)
        return True

    def collect(self) -> list[tuple[int, Outcome]]:
        """The outcomes since the last call, each with its profile."""
        with self._state:
            done, self._done = self._done, []
        return done

    def release(self, profile: int) -> None:
        """This outcome is written: the profile's next delivery may be taken."""
        with self._state:
            self._held.discard(profile)
            self.more = True

    def change(self, destination: Destination) -> None:
        """Go on with a changed definition; a lane that was halted starts again."""
        with self._state:
            self.destination = destination
            self._circuit = Circuit()
            self._halted, self.more, self.leaving = "", True, False

    def leave(self) -> None:
        """The destination is no more; the lane ends when what is under way was written."""
        self.leaving = True
        self.halt("removed")

    def left(self) -> bool:
        with self._state:
            return self.leaving and not self._held

    def halt(self, reason: str) -> None:
        """Send nothing more; what was taken but not begun is left to the outbox."""
        with self._state:
            self._halted = reason
            self._give_back()
            self._state.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing is under way; whether that came true in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._sending == 0, timeout)

    def status(self) -> LaneStatus:
        with self._state:
            until = self._circuit.until if self._circuit.paused(self._clock()) else 0
            return LaneStatus(
                self.destination.name,
                self._sending,
                self._counts["delivered"],
                self._counts["retry"],
                self._counts["dead"],
                until,
                self._halted,
                self._last_failure,
            )

    def _run(self) -> None:
        finished = False
        try:
            while self._stay():
                self.work()
            finished = True
        finally:
            if not finished:
                # A fault in our own code stops this lane alone; the thread's hook shows the trace.
                log.error("lane_broken", destination=self.destination.name)
                with self._state:
                    self._threads -= 1
                self.halt("an internal error; see the log")

    def _stay(self) -> bool:
        """Wait for work; False where there was none for long and this thread should end."""
        with self._state:
            waited = self._state.wait_for(lambda: self._halted or self._can_send(), IDLE_SECONDS)
            stay = bool(waited) and not self._halted
            if not stay:
                self._threads -= 1
            return stay

    def _can_send(self) -> bool:
        return bool(self._ready) and self._sending < self.destination.concurrency

    def _next(self) -> Delivery | None:
        if not self._can_send():
            return None
        self._sending += 1
        delivery = self._ready.popleft()
        if len(self._ready) < self.destination.concurrency and self.more:
            self._wake()
        return delivery

    def _attempt(self, delivery: Delivery) -> Verdict:
        destination = self.destination
        request = destination.request(destination.settings, delivery, self._clock())
        answer: Response | Busy
        try:
            answer = self._send(request, destination.timeout)
        except Busy as error:
            answer = error
        return judge(delivery, answer, destination.policy, self._clock(), self._jitter())

    def _end(self, delivery: Delivery, verdict: Verdict | None) -> None:
        now, jitter = self._clock(), self._jitter()
        with self._state:
            self._sending -= 1
            self._idle.notify_all()
            if verdict is None:
                self._held.discard(delivery.profile)
                return
            self._done.append((delivery.profile, verdict.outcome))
            self._counts[verdict.outcome.result] += 1
            if verdict.healthy:
                self._circuit.succeeded()
            else:
                self._last_failure = verdict.answer
                self._circuit.failed(now, jitter)
                if verdict.not_before:
                    self._circuit.pause(now, verdict.not_before)
            if self._circuit.paused(now):
                self._give_back()

    def _report(self, delivery: Delivery, verdict: Verdict) -> None:
        if verdict.gone:
            self.gone = True
            self.halt("answered 410 Gone")
        if verdict.outcome.result == "dead":
            log.warning(
                "delivery_dead",
                destination=delivery.destination,
                delivery=delivery.id,
                attempts=verdict.outcome.attempts,
                answer=verdict.answer,
            )

    def _give_back(self) -> None:
        self._held.difference_update(delivery.profile for delivery in self._ready)
        self._ready.clear()
        self.more = True
