"""The reader of a PostgreSQL change stream.

A slot is made, and with it a view of all tables as they are where its stream begins. The tables
are read through that view, then the changes from the stream: no gap, and nothing twice. A slot
outlives its view. So whoever goes on in mid-reading takes a second view, follows the stream
from the first place to the second, and then reads the tables that were not finished as they are at
the second. Of these only the deletes are told on the way: what was read before and is gone.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg

from onefold.collect.sources import postgres_server as server
from onefold.collect.sources.change_settings import PostgresChangesSettings
from onefold.collect.sources.pgoutput import lsn_of
from onefold.collect.sources.postgres_reading import Reading, State
from onefold.model.errors import Fault, InvalidInput, Unreachable
from onefold.model.pulled import Batch, Position

IDLE = 1.0
"""Seconds without a change after which an empty batch is given."""
LOOK = 60.0
"""Seconds between two looks at how much the server keeps for us."""
REPORT = 10.0
"""Seconds after which the server is told again that we live."""

_wal = struct.Struct(">QQq").unpack_from
_keepalive = struct.Struct(">QqB").unpack_from
_status = struct.Struct(">cQQQqB").pack


class PostgresStream:
    """A source that reads one publication through one slot."""

    def __init__(self, settings: PostgresChangesSettings) -> None:
        self._settings = settings
        self._control: psycopg.Connection[Any] | None = None
        self._snapshot: server.Snapshot | None = None
        self._stream: psycopg.Connection[Any] | None = None
        self._durable = 0
        self._reported = 0.0
        self._looked = 0.0
        self._warning = ""

    def batches(self, position: Position | None) -> Iterator[Batch]:
        with server.told("reading the change stream"):
            for batch in self._batches(position):
                warning = self._warning
                yield msgspec.structs.replace(batch, warning=warning) if warning else batch

    def _batches(self, position: Position | None) -> Iterator[Batch]:
        settings = self._settings
        self._control = control = server.connect(settings.url, settings.password)
        server.check_server(control)
        server.ensure_publication(control, settings.publication, settings.tables)
        tables = server.published(control, settings.publication)
        state = self._resume(position, {table.full_name for table in tables})
        unread = [table for table in tables if table.full_name not in state.read]
        if unread:
            snapshot = self._snapshot = self._see(state)
            state.begin(snapshot.time, len(unread))
            yield Batch([], state.position())
            yield from self._changes(state, snapshot.lsn)
            for table in unread:
                total, rows = snapshot.rows(table)
                yield from state.table(table.full_name, rows, settings.batch_rows, total)
            state.end()
            snapshot.close()
            self._snapshot = None
        elif not state.slot_exists:
            self._see(state).close()
        yield Batch([], state.position())
        yield from self._changes(state, None)

    def stored(self, position: Position) -> None:
        self._durable = max(self._durable, lsn_of(position["lsn"]))
        if self._stream is not None:
            self._report(self._stream)

    def close(self) -> None:
        snapshot, self._snapshot = self._snapshot, None
        for connection in (self._control, self._stream, snapshot):
            if connection is not None:
                connection.close()
        self._control = self._stream = None

    def release(self) -> list[str]:
        """Take the slot from the server, which else keeps its log for us forever."""
        self.close()
        name = self._settings.slot
        with (
            server.told("dropping the slot"),
            server.connect(self._settings.url, self._settings.password) as control,
        ):
            if server.slot_of(control, name) is None:
                return []
            control.execute("select pg_drop_replication_slot(%s)", (name,))
        return [f"slot {name}"]

    def _resume(self, position: Position | None, tables: set[str]) -> State:
        """What is known at the start; raises where changes were lost in between."""
        assert self._control is not None
        (system,) = server.one(
            self._control, "select system_identifier::text from pg_control_system()"
        )
        slot = server.slot_of(self._control, self._settings.slot)
        state = State(system, slot is not None)
        if not self._settings.snapshot:
            state.read |= tables
        if slot is not None:
            self._check_slot(slot)
            state.lsn = slot.confirmed
        if position is None:
            return state
        state.lsn = lsn_of(position["lsn"])
        state.skip = tuple(position.get("skip") or (0, 0))
        state.resume(position)
        if position["system"] != system:
            raise self._gap("this is another server than the one read before")
        if slot is None:
            raise self._gap("the slot is gone")
        if slot.confirmed > state.lsn:
            raise self._gap("the slot was moved on by somebody else")
        self._durable = state.lsn
        return state

    def _check_slot(self, slot: server.Slot) -> None:
        if slot.plugin != "pgoutput":
            fault = Fault(f"belongs to {slot.plugin}", "slot", "name another slot")
            raise InvalidInput("this slot cannot be read", [fault])
        if slot.status == "lost":
            raise self._gap("the server no longer keeps the log that this slot needs")
        if slot.active:
            raise Unreachable(f"the slot {self._settings.slot} is being read by somebody else")

    def _gap(self, reason: str) -> InvalidInput:
        hint = "drop the slot, reset the source's position, and everything is read anew"
        return InvalidInput("changes may have been lost", [Fault(reason, "slot", hint)])

    def _see(self, state: State) -> server.Snapshot:
        """A view of the tables: where the slot begins, or now, where it exists already."""
        settings = self._settings
        name = (
            f"{settings.slot[:40]}_look_{time.time_ns() // 1000}"
            if state.slot_exists
            else settings.slot
        )
        snapshot = server.take_snapshot(
            settings.url, settings.password, name, temporary=state.slot_exists
        )
        if not state.slot_exists:
            state.lsn, state.slot_exists = snapshot.lsn, True
        state.time = max(state.time, snapshot.time)
        return snapshot

    def _changes(self, state: State, until: int | None) -> Iterator[Batch]:
        """Changes from the state's place on, up to `until` or for ever."""
        if until is not None and state.lsn >= until:
            return
        settings = self._settings
        self._stream = stream = server.start_stream(
            settings.url, settings.password, settings.slot, settings.publication, state.lsn
        )
        reading = Reading(state, until)
        while not reading.finished:
            waited = self._take(stream, reading)
            self._watch()
            if reading.records or reading.unreadable or waited:
                yield reading.batch()
        yield reading.batch()
        stream.close()
        self._stream = None

    def _take(self, stream: psycopg.Connection[Any], reading: Reading) -> bool:
        """Take what has come, at most one batch of it; true where nothing came for a while."""
        pgconn, most = stream.pgconn, self._settings.batch_rows
        deadline = time.monotonic() + IDLE
        while not reading.finished and len(reading.records) < most:
            size, data = pgconn.get_copy_data(1)
            if size == 0:
                pgconn.consume_input()
                size, data = pgconn.get_copy_data(1)
            if size > 0:
                if data[0] == 119:  # w
                    reading.message(bytes(data))
                elif self._alive(data, reading):
                    self._report(stream)
                continue
            if size < 0:
                raise Unreachable("PostgreSQL ended the change stream")
            if reading.records:
                return False
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            select.select([pgconn.socket], [], [], left)
        return False

    def _alive(self, data: Any, reading: Reading) -> bool:
        """A sign of life: everything before its place has been sent. Is an answer wanted?"""
        place, _, wanted = _keepalive(data, 1)
        reading.reached(place)
        return bool(wanted) or time.monotonic() - self._reported > REPORT

    def _report(self, stream: psycopg.Connection[Any]) -> None:
        """Tell the server up to where it may forget."""
        place = self._durable
        stream.pgconn.put_copy_data(_status(b"r", place, place, place, 0, 0))
        stream.pgconn.flush()
        self._reported = time.monotonic()

    def _watch(self) -> None:
        """Say it where the server keeps much for us: its disk fills."""
        now = time.monotonic()
        if self._stream is not None and now - self._reported > REPORT:
            self._report(self._stream)
        if now - self._looked < LOOK:
            return
        self._looked = now
        slot = self.slot()
        behind = slot is not None and slot.kept_bytes > self._settings.alarm_mb << 20
        self._warning = ""
        if slot is not None and behind:
            kept = f"{slot.kept_bytes >> 20} MB of log"
            self._warning = f"PostgreSQL keeps {kept} for the slot {self._settings.slot}"
            if slot.status in ("unreserved", "lost"):
                self._warning += ", and soon no more"

    def slot(self) -> server.Slot | None:
        """How the slot stands, such as how much of its log the server keeps for us."""
        if self._control is None:
            self._control = server.connect(self._settings.url, self._settings.password)
        return server.slot_of(self._control, self._settings.slot)
