"""Runs the lanes: hands each what is due for it, and writes outcomes back in groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import structlog

from onefold.activate.destination import Destination
from onefold.activate.http import Send
from onefold.activate.lane import Lane, LaneStatus
from onefold.activate.outbox import Outbox
from onefold.model.delivery import Outcome
from onefold.model.errors import OnefoldError

TICK_SECONDS = 0.02
MILLISECOND = 1000
WRITE_EVERY = 50 * MILLISECOND
WRITE_AT_ONCE = 200
LOOK_AGAIN = 500 * MILLISECOND
REST = 1000 * MILLISECOND
GRACE_SECONDS = 5.0

log = structlog.get_logger()


class Dispatcher:
    """Sends what waits in an outbox, at least once, in order for each profile and destination.

    Every destination has its own lane, so a slow one delays nobody else. Outcomes are written
    in groups; one that a crash loses leads to a second sending under the same message id.
    `changed` returns a value that differs once something may have been added to the outbox; it
    is asked fifty times a second. `jitter` returns random numbers from 0 up to 1. `disable` is
    told the name of a destination that answered 410 Gone.

    `results` is a second way into the same outbox, for writing outcomes on a thread of its own:
    where writers wait for each other, what is due is then still found at once.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Send,
        *,
        clock: Callable[[], int],
        jitter: Callable[[], float],
        changed: Callable[[], object],
        disable: Callable[[str], None],
        results: Outbox | None = None,
    ) -> None:
        self._outbox, self._results, self._send = outbox, results or outbox, send
        self._beside = results is not None
        self._clock, self._jitter = clock, jitter
        self._changed, self._disable = changed, disable
        self._lanes: dict[str, Lane] = {}
        self._configuring = threading.Lock()
        self._woken = threading.Event()
        self._threads = False
        self._seen: object = None
        self._look = True
        self._looked_at = self._first_unwritten = 0
        self._unwritten: list[tuple[Lane, int, Outcome]] = []
        self._troubles: dict[str, tuple[int, str]] = {}

    def configure(self, destinations: Iterable[Destination]) -> None:
        """Put these destinations in force, in place of those before; may be called at any time."""
        wanted = {destination.name: destination for destination in destinations}
        with self._configuring:
            lanes = dict(self._lanes)
            for name in lanes.keys() - wanted.keys():
                lanes[name].leave()
            for name, destination in wanted.items():
                if name not in lanes:
                    lanes[name] = Lane(
                        destination, self._send, self._clock, self._jitter, self._woken.set
                    )
                elif lanes[name].leaving or lanes[name].destination != destination:
                    lanes[name].change(destination)
            self._lanes = lanes
        self._woken.set()

    def wake(self) -> None:
        """Say that something was added, so that it is sent at once."""
        self._look = True
        self._woken.set()

    def status(self) -> list[LaneStatus]:
        """How each destination is doing."""
        return [lane.status() for _, lane in sorted(self._lanes.items())]

    @property
    def trouble(self) -> str:
        """Why the outbox cannot be read or written now; empty if it can."""
        return "; ".join(f"{what}: {why}" for what, (_, why) in sorted(self._troubles.items()))

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; then wait a little for what is under way and write it down."""
        self._threads = True
        writing = threading.Thread(target=self._write_until, args=(stop,), name="outcomes")
        if self._beside:
            writing.start()
        try:
            while not stop.is_set() and writing.is_alive() == self._beside:
                self._try("reading", self._take)
                if not self._beside:
                    self._try("writing", self._write)
                self._woken.wait(TICK_SECONDS)
                self._woken.clear()
            if not stop.is_set():
                raise OnefoldError("the thread that writes outcomes has ended; see the log")
        finally:
            self._close(stop, writing)

    def drain(self) -> None:
        """Send all that is due in the calling thread, and write the outcomes."""
        worked = True
        while worked:
            self._try("reading", self._take)
            worked = False
            for lane in self._lanes.values():
                while lane.work():
                    worked = True
            self._try("writing", self._write_all)

    def _try(self, what: str, work: Callable[[int], None]) -> None:
        """Do it, unless it failed within the last second."""
        now = self._clock()
        if what in self._troubles:
            since, _ = self._troubles[what]
            if since <= now < since + REST:
                return
        try:
            work(now)
        except OnefoldError as error:
            # Outcomes are kept, and written when the store is well again.
            log.error("outbox_unavailable", doing=what, error=error.code, message=error.message)
            self._troubles[what] = now, error.message
            return
        self._troubles.pop(what, None)

    def _write_until(self, stop: threading.Event) -> None:
        while not stop.wait(TICK_SECONDS):
            self._try("writing", self._write)

    def _write(self, now: int) -> None:
        self._gather(now)
        fresh = self._first_unwritten <= now < self._first_unwritten + WRITE_EVERY
        if not fresh or len(self._unwritten) >= WRITE_AT_ONCE:
            self._write_gathered()

    def _write_all(self, now: int) -> None:
        self._gather(now)
        self._write_gathered()

    def _gather(self, now: int) -> None:
        if not self._unwritten:
            self._first_unwritten = now
        for lane in self._lanes.values():
            self._unwritten += [(lane, profile, outcome) for profile, outcome in lane.collect()]

    def _write_gathered(self) -> None:
        if self._unwritten:
            self._results.finish([outcome for _, _, outcome in self._unwritten])
            for lane, profile, _ in self._unwritten:
                lane.release(profile)
            self._unwritten = []
        for name, lane in self._lanes.items():
            if lane.gone:
                self._disable(name)
                lane.gone = False
        self._forget_left()

    def _take(self, now: int) -> None:
        sign, recent = self._changed(), self._looked_at <= now < self._looked_at + LOOK_AGAIN
        if self._look or sign != self._seen or not recent:
            self._look, self._seen, self._looked_at = False, sign, now
            for lane in self._lanes.values():
                lane.more = True
        for name, lane in self._lanes.items():
            if lane.more and (limit := lane.wants(now)):
                lane.more = False
                due = self._outbox.due(name, now, limit, lane.held())
                if len(due) == limit:
                    lane.more = True
                lane.put(due, self._threads)

    def _forget_left(self) -> None:
        if any(lane.left() for lane in self._lanes.values()):
            with self._configuring:
                self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.left()}

    def _close(self, stop: threading.Event, writing: threading.Thread) -> None:
        for lane in self._lanes.values():
            lane.halt("stopping")
        deadline = time.monotonic() + GRACE_SECONDS
        for lane in self._lanes.values():
            if not lane.wait_idle(max(deadline - time.monotonic(), 0)):
                log.warning("deliveries_given_back", destination=lane.destination.name)
        stop.set()
        if self._beside:
            writing.join()
        self._troubles.clear()
        self._try("writing", self._write_all)
