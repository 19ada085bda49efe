"""Live events: the end of the log, read once for all who listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog

from onefold.eventlog import EventLog, LogRecord
from onefold.model.errors import Busy
from onefold.model.records import Event, Reject, decode_accepted
from onefold.serve.access import Access
from onefold.standardize import BY_DEFAULT, Wording

_PAUSE = 0.1
_RECORDS, _BYTES = 500, 1 << 20
_BEHIND = 8 << 20
_WAITING = 1_000
_encode = msgspec.json.Encoder().encode
log = structlog.get_logger(__name__)


class Told(NamedTuple):
    """One message of the stream: its kind, and what it says."""

    kind: str
    source: str
    name: str
    data: bytes


class Listener:
    """Somebody who listens; what comes faster than it is taken is dropped and counted."""

    def __init__(self, source: str, name: str, began: Mapping[str, int]) -> None:
        self._source = source
        self._name = name
        self._began = began
        self._queue: asyncio.Queue[Told | None] = asyncio.Queue(_WAITING)
        self._missed = 0

    def offer(self, told: Told) -> None:
        """Take a message into account, if it is wanted."""
        if self._source and told.source != self._source:
            return
        if self._name and told.name != self._name:
            return
        if self._queue.full():
            self._missed += 1
        else:
            self._queue.put_nowait(told)

    def jumped(self, ends: Mapping[str, int]) -> None:
        """Nothing up to these ends of the log is read; what came of it since it listens is missed."""
        if any(end > self._began.get(name, 0) for name, end in ends.items()):
            self._missed += 1

    async def next(self, seconds: float) -> Told | None:
        """The next message; None where there was none for so long."""
        if self._missed:
            missed, self._missed = self._missed, 0
            return Told("missed", "", "", _encode({"at_least": missed}))
        try:
            return await asyncio.wait_for(self._queue.get(), seconds)
        except TimeoutError:
            return None


class Stream:
    """Reads the end of the log while anybody listens; then `idle` frees what that needed.

    Belongs to one event loop.
    """

    def __init__(
        self, events: EventLog, access: Access, idle: Callable[[], None] = lambda: None
    ) -> None:
        self._events = events
        self._access = access
        self._idle = idle
        self._positions: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.listeners: set[Listener] = set()

    def listen(self, source: str = "", name: str = "") -> Listener:
        """Begin to listen; to one source (its id) or one name of event, if given."""
        ends = self._events.ends()
        listener = Listener(source, name, ends)
        if not self.listeners:
            self._positions = dict(ends)
            self._task = asyncio.create_task(self._follow())
        self.listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no longer."""
        self.listeners.discard(listener)
        if not self.listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        try:
            await self._read_on()
        finally:
            await asyncio.to_thread(self._idle)

    async def _read_on(self) -> None:
        while True:
            try:
                records = await asyncio.to_thread(self._read)
            except Busy as error:
                log.warning("stream_not_read", error=str(error))
                records = []
            if records is None:
                for listener in self.listeners:
                    listener.jumped(self._positions)
                continue
            if not records:
                await asyncio.sleep(_PAUSE)
                continue
            messages = await asyncio.to_thread(tell, records, self._access.wording())
            for message in messages:
                for listener in self.listeners:
                    listener.offer(message)

    def _read(self) -> list[LogRecord] | None:
        """The next records; None where it jumped: nobody can follow a flood with the eye."""
        ends = self._events.ends()
        behind = sum(end - self._positions.get(name, 0) for name, end in ends.items())
        if behind > _BEHIND:
            self._positions = ends
            return None
        records = self._events.read(self._positions, _RECORDS, _BYTES)
        for record in records:
            self._positions[record.partition] = record.next_offset
        return records


def tell(records: Iterable[LogRecord], by: Wording = BY_DEFAULT) -> list[Told]:
    """The events in records of the log, and the rejects with their reasons, as the worker has them."""
    accepted = []
    unreadable = []
    for record in records:
        try:
            accepted.append(decode_accepted(record.payload))
        except msgspec.MsgspecError:
            said = {"reasons": [f"record {record.offset} of the log cannot be read"]}
            unreadable.append(Told("reject", "", "", _encode(said)))
    events, rejects, _ = by.standardize(accepted)
    return [*unreadable, *map(_event, events), *map(_reject, rejects)]


def _event(event: Event) -> Told:
    said: dict[str, Any] = {
        "source": event.source,
        "type": event.type,
        "name": event.name,
        "time": event.time,
        "received_at": event.received_at,
        "message_id": event.message_id,
        "identifiers": [f"{kind}:{value}" for kind, value in event.identifiers],
        "traits": event.traits,
        "properties": msgspec.Raw(event.properties.encode()),
        "context": msgspec.Raw(event.context.encode()),
    }
    return Told("event", event.source, event.name, _encode(said))


def _reject(reject: Reject) -> Told:
    said = {
        "source": reject.source,
        "received_at": reject.received_at,
        "reasons": reject.reasons,
    }
    return Told("reject", reject.source, "", _encode(said))
