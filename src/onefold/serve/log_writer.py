"""Between many requests at once and one event log that blocks while it syncs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from onefold.model.errors import Busy, OnefoldError

log = structlog.get_logger(__name__)

Append = Callable[[Sequence[bytes]], None]


class LogWriter:
    """Gives all payloads that came during one append to the next; `write` returns when durable.

    `append` is that of an event log, and runs in a thread of its own. Beyond `max_waiting_bytes`
    writers are told that it is `Busy`, or wait where they say that they are patient.
    Belongs to the event loop in which it is first used.
    """

    def __init__(self, append: Append, max_waiting_bytes: int = 64 << 20) -> None:
        self._append = append
        self._max_waiting = max_waiting_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._bytes = 0
        self._busy = False
        self._queue: deque[asyncio.Future[None]] = deque()

    async def write(self, payload: bytes, *, patient: bool = False) -> None:
        """Return once this payload is durable; raise `Busy` where it is not kept."""
        while self._bytes and self._bytes + len(payload) > self._max_waiting:
            if not patient:
                raise Busy("more is coming in than can be written; send it again a little later")
            await self._room()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((payload, done))
        self._bytes += len(payload)
        if not self._busy:
            self._busy = True
            # Requests that were read in the same turn of the loop share the first write.
            loop.call_soon(self._start, loop)
        await done

    async def close(self) -> None:
        """Write what waits, then end the thread."""
        while self._busy:
            await self._room()
        self._thread.shutdown()

    async def _room(self) -> None:
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(room)
        await room

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting, []
        append = self._thread.submit(self._append, [payload for payload, _ in group])
        append.add_done_callback(
            lambda result: loop.call_soon_threadsafe(self._finish, loop, group, result)
        )

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        group: list[tuple[bytes, asyncio.Future[None]]],
        result: Future[None],
    ) -> None:
        self._bytes -= sum(len(payload) for payload, _ in group)
        self._busy = bool(self._waiting)
        if self._busy:
            self._start(loop)
        failure = _failure(result)
        for _, done in group:
            if done.done():  # its client has gone
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
        while self._queue:
            room = self._queue.popleft()
            if not room.done():
                room.set_result(None)


def _failure(result: Future[None]) -> BaseException | None:
    failure = result.exception()
    if failure is None or isinstance(failure, OnefoldError):
        return failure
    log.error("log_append_failed", error=type(failure).__name__, reason=str(failure))
    busy = Busy("events cannot be written now; send them again a little later", 5)
    busy.__cause__ = failure
    return busy
