"""The parent's side: a small loop that keeps its children running until it is told to stop."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

from onefold.processes.child import VARIABLE

EXIT_HOPELESS = 78
"""A child that ends with this code needs a person; to start it again at once would not help."""

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0
_HEALTHY_SECONDS = 10.0
_FAILURES_BEFORE_READY = 3
_FAILURES_TO_TELL = 5
_WAITING_SECONDS = 15.0
_PROBE_SECONDS = 0.05
_SAME_WISH_SECONDS = 0.5
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Tell = Callable[..., None]
"""Takes an event name and keys."""


class Program(NamedTuple):
    """What to start: `listen` is the descriptor of a socket that it is to accept from."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    listen: int | None = None


class Child:
    """One program, its process of the moment, and how often it failed in a row."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.ready_pipe: int | None = None
        self.failures = 0
        self.due = 0.0
        self._since = 0.0

    def start(self, alive: int, now: float) -> None:
        """Start the process; `alive` is the end of the pipe that tells it when we are gone."""
        ready_read, ready_write = os.pipe()
        given = {"alive": alive, "ready": ready_write}
        if self.program.listen is not None:
            given["listen"] = self.program.listen
        named = ",".join(f"{name}={number}" for name, number in given.items())
        # Its own process group, so that Ctrl-C reaches the parent only, which then stops all.
        self.process = subprocess.Popen(  # noqa: S603
            list(self.program.command),
            env={**self.program.environment, VARIABLE: named},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            pass_fds=tuple(given.values()),
            process_group=0,
        )
        os.close(ready_write)
        self.ready, self.ready_pipe, self._since = False, ready_read, now

    def ended(self, now: float) -> int | None:
        """The exit code if it ended since the last look; plans when to start it again."""
        code = None if self.process is None else self.process.poll()
        if code is None:
            return None
        if self.ready and now - self._since >= _HEALTHY_SECONDS:
            self.failures = 0
        self.failures += 1
        hopeless = code == EXIT_HOPELESS
        delay = _LONGEST_DELAY if hopeless else _FIRST_DELAY * 2 ** min(self.failures - 1, 10)
        self.due = now + min(delay, _LONGEST_DELAY)
        self.process, self.ready = None, False
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its process group, if it runs."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


class Supervisor:
    """Runs programs until a signal says stop.

    `probe` is asked after all children said that they are ready, until it is true; then `on_ready`
    is called, once. Before that, a child that fails again and again ends the whole; after
    it, it is tried for ever: what is accepted must go on being accepted while it is mended.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        tell: Tell,
        on_ready: Callable[[], None],
        probe: Callable[[], bool] = lambda: True,
        stop_timeout: float = 20.0,
    ) -> None:
        self._children = [Child(program) for program in programs]
        self._tell = tell
        self._on_ready = on_ready
        self._probe = probe
        self._stop_timeout = stop_timeout
        self._stopping_since = 0.0
        self._impatient = False
        self._announced = False
        self._exit_code = 0
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Start all, watch them, and stop them after a signal; the exit code of the whole."""
        alive_read, alive_write = os.pipe()
        with self._signals():
            try:
                self._watch(alive_read)
            finally:
                self._stop_all()
                for number in (alive_read, alive_write):
                    os.close(number)
        return self._exit_code

    def _watch(self, alive: int) -> None:
        started = time.monotonic()
        while not self._stopping_since and not self._exit_code:
            now = time.monotonic()
            for child in self._children:
                if child.process is None and now >= child.due:
                    self._start(child, alive, now)
            self._wait(self._pause(now))
            for child in self._children:
                self._notice_end(child)
            if not self._announced:
                self._announce(started)
                started = self._tell_waiting(started)

    def _start(self, child: Child, alive: int, now: float) -> None:
        child.start(alive, now)
        assert child.ready_pipe is not None
        assert child.process is not None
        self._selector.register(child.ready_pipe, selectors.EVENT_READ, child)
        self._tell("process_started", name=child.program.name, pid=child.process.pid)

    def _pause(self, now: float) -> float | None:
        """Until the next thing that no descriptor tells: a start that is due, or a probe."""
        times = [max(0.0, child.due - now) for child in self._children if child.process is None]
        if not self._announced:
            all_ready = all(child.ready for child in self._children)
            times.append(_PROBE_SECONDS if all_ready else 1.0)
        return min(times, default=None)

    def _wait(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Child):
                self._read_ready(key.data)
            else:
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.recv(4096)

    def _read_ready(self, child: Child) -> None:
        assert child.ready_pipe is not None
        if os.read(child.ready_pipe, 1):
            child.ready = True
            self._tell("process_ready", name=child.program.name)
        self._forget_pipe(child)

    def _forget_pipe(self, child: Child) -> None:
        if child.ready_pipe is not None:
            self._selector.unregister(child.ready_pipe)
            os.close(child.ready_pipe)
            child.ready_pipe = None

    def _notice_end(self, child: Child) -> None:
        code = child.ended(time.monotonic())
        if code is None or self._stopping_since:
            return
        self._forget_pipe(child)
        how = {"signal": signal.Signals(-code).name} if code < 0 else {"exit_code": code}
        name, failures = child.program.name, child.failures
        if not self._announced and (failures >= _FAILURES_BEFORE_READY or code == EXIT_HOPELESS):
            self._exit_code = 1
            self._tell("process_failed", name=name, **how, hint="its last lines above say why")
            return
        wait = round(max(0.0, child.due - time.monotonic()), 1)
        self._tell("process_ended", name=name, **how, restart_seconds=wait)
        if failures >= _FAILURES_TO_TELL:
            hint = "the others go on; see its lines above, and `onefold doctor`"
            self._tell("process_keeps_failing", name=name, failures=failures, hint=hint)

    def _announce(self, started: float) -> None:
        if all(child.ready for child in self._children) and self._probe():
            self._announced = True
            self._tell("ready", seconds=round(time.monotonic() - started, 2))
            self._on_ready()

    def _tell_waiting(self, since: float) -> float:
        if self._announced or time.monotonic() - since < _WAITING_SECONDS:
            return since
        names = ",".join(child.program.name for child in self._children if not child.ready)
        hint = "does the same process run on this data elsewhere? see `onefold doctor`"
        self._tell("still_waiting", names=names or "health", hint=hint)
        return time.monotonic()

    def _stop_all(self) -> None:
        self._tell("stopping")
        for child in self._children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_timeout
        while self._running() and time.monotonic() < deadline and not self._impatient:
            self._wait(min(0.5, max(0.0, deadline - time.monotonic())))
        for child in self._running():
            self._tell("process_killed", name=child.program.name)
            child.send(signal.SIGKILL)
        for child in self._children:
            if child.process is not None:
                child.process.wait()
            self._forget_pipe(child)
        self._tell("stopped")

    def _running(self) -> list[Child]:
        return [
            child
            for child in self._children
            if child.process is not None and child.process.poll() is None
        ]

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals wake the loop through a socket; those that mean stop are counted."""
        wake_read, wake_write = socket.socketpair()
        for end in (wake_read, wake_write):
            end.setblocking(False)
        self._selector.register(wake_read, selectors.EVENT_READ)
        wakeup = signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        handlers = {
            number: signal.signal(number, self._on_stop)
            for number in _STOP_SIGNALS
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN  # nohup
        }
        handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            self._selector.close()
            wake_read.close()
            wake_write.close()

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        # Some senders tell a process and its group, which is no second wish; Ctrl-C again is.
        now = time.monotonic()
        if not self._stopping_since:
            self._stopping_since = now
        elif number == signal.SIGINT and now - self._stopping_since > _SAME_WISH_SECONDS:
            self._impatient = True
