"""The reader of a binary log of MySQL or MariaDB.

First all rows are read through a view whose place in the log is known, then the log from that
place on. Whoever goes on in mid-reading takes a second view, follows the log from the first place
to the second, and then reads the tables that were not finished as they are at the second. Of these
only the deletes are told on the way: what was read before and is gone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import structlog
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import HeartbeatLogEvent, QueryEvent, RotateEvent, XidEvent
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from onefold.collect.sources import mysql_server as server
from onefold.collect.sources.change_settings import MysqlChangesSettings
from onefold.collect.sources.first_reading import FirstReading, later
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Change, Position, Record, Unreadable

IDLE = 1.0
"""Seconds without a change after which an empty batch is given."""
GONE = 60.0
"""Seconds without any sign of life after which the server is taken for gone."""
PATIENCE = 0.2
"""Seconds that a change waits for others."""
_TRUNCATE = re.compile(r"\s*truncate\s+(?:table\s+)?(?:`?([^`.\s]+)`?\.)?`?([^`.;\s]+)`?", re.I)
_OPENS = ("BEGIN", "SAVEPOINT", "START TRANSACTION")
_EVENTS = [
    DeleteRowsEvent, HeartbeatLogEvent, QueryEvent, RotateEvent, UpdateRowsEvent, WriteRowsEvent,
    XidEvent,
]  # fmt: skip

log = structlog.get_logger()


class MysqlStream:
    """A source that reads the tables of one server."""

    def __init__(self, settings: MysqlChangesSettings, at: str) -> None:
        self._settings = settings
        self._at = at
        self._snapshot: server.Snapshot | None = None
        self._stream: BinLogStreamReader | None = None

    def batches(self, position: Position | None) -> Iterator[Batch]:
        with server.told("reading the binary log"):
            yield from self._batches(position)

    def stored(self, position: Position) -> None:
        """Nothing: the server keeps its log by its own rules."""

    def close(self) -> None:
        snapshot, self._snapshot = self._snapshot, None
        stream, self._stream = self._stream, None
        for connection in (snapshot, stream):
            if connection is not None:
                connection.close()

    def _batches(self, position: Position | None) -> Iterator[Batch]:
        tables = self._settings.tables
        state = self._resume(position)
        unread = [table for table in tables if table not in state.read]
        if unread:
            snapshot = self._snapshot = server.take_snapshot(self._settings, self._at)
            if position is None:
                state.place = snapshot.place
            yield Batch([], state.position())
            state.begin(snapshot.time, len(unread))
            yield from self._changes(state, snapshot.place)
            state.time = max(state.time + 1, snapshot.time)
            for table in unread:
                yield from state.table(table, snapshot.rows(table), self._settings.batch_rows)
            state.end()
            snapshot.close()
            self._snapshot = None
        yield Batch([], state.position())
        yield from self._changes(state, None)

    def _resume(self, position: Position | None) -> _State:
        control = server.connect(self._settings, self._at)
        with server.told("looking at the server"):
            system = server.check_server(control, self._settings.tables)
            state = _State(system, server.place_now(control))
        control.close()
        if not self._settings.snapshot:
            state.read |= {*self._settings.tables}
        if position is None:
            return state
        if position["system"] != system:
            hint = "reset the source's position, and everything is read anew"
            fault = Fault("this is another server than the one read before", "host", hint)
            raise InvalidInput("changes may have been lost", [fault])
        state.place = position["file"], position["at"]
        state.skip = position.get("skip", 0)
        state.time = position["time"]
        state.resume(position)
        return state

    def _changes(self, state: _State, until: server.Place | None) -> Iterator[Batch]:
        """Changes from the state's place on, up to `until` or for ever."""
        if until is not None and server.order(state.place) >= server.order(until):
            return
        settings = self._settings
        stream = self._stream = BinLogStreamReader(
            # It says something every `PATIENCE`: one that is silent for so long is gone.
            connection_settings={**server.address(settings, self._at), "read_timeout": GONE},
            server_id=server.own_number(settings),
            only_events=_EVENTS,
            only_schemas=sorted({table.split(".", 1)[0] for table in settings.tables}),
            only_tables=sorted({table.split(".", 1)[1] for table in settings.tables}),
            log_file=state.place[0],
            log_pos=state.place[1],
            resume_stream=True,
            blocking=True,
            slave_heartbeat=PATIENCE,
            pymysql_wrapper=partial(server.open_at, self._at),
            enable_logging=False,
        )
        reading = _Reading(state, until, set(settings.tables))
        given = time.monotonic()
        while not reading.finished:
            reading.event(stream.fetchone(), stream)
            waited = time.monotonic() - given
            has = bool(reading.records or reading.unreadable)
            if len(reading.records) >= settings.batch_rows or waited > (PATIENCE if has else IDLE):
                yield reading.batch()
                given = time.monotonic()
        yield reading.batch()
        stream.close()
        self._stream = None


class _State(FirstReading):
    """How far we are: the place in the log after a whole transaction, the rows given of the next.

    `time` is that of the last change: the log tells whole seconds, and by when a statement began.
    So each change is later than the one before by a microsecond at least.
    """

    def __init__(self, system: str, place: server.Place) -> None:
        super().__init__()
        self.system = system
        self.place = place
        self.skip = 0

    def position(self) -> Position:
        told: Position = {
            **self.told(),
            "system": self.system,
            "file": self.place[0],
            "at": self.place[1],
            "time": self.time,
        }
        if self.skip:
            told["skip"] = self.skip
        return told


class _Reading:
    """Turns events of the log into records, and knows what of them has been given."""

    def __init__(self, state: _State, until: server.Place | None, tables: set[str]) -> None:
        self._state = state
        self._until = until
        self._tables = tables
        self._number = 0
        self._given = state.skip
        self._columns: dict[str, list[str]] = {}
        self.records: list[Record] = []
        self.unreadable: list[Unreadable] = []
        self.finished = False

    def batch(self) -> Batch:
        """What was read since the last batch, with the position after it."""
        self._state.skip = max(self._number, self._given)
        batch = Batch(self.records, self._state.position(), tuple(self.unreadable))
        self.records, self.unreadable = [], []
        return batch

    def event(self, event: Any, stream: BinLogStreamReader) -> None:
        here = stream.log_file, stream.log_pos
        if isinstance(event, WriteRowsEvent | UpdateRowsEvent | DeleteRowsEvent):
            self._rows(event, here)
        elif isinstance(event, XidEvent):
            self._ended(here)
        elif isinstance(event, QueryEvent):
            query = event.query
            text = query.decode(errors="replace") if isinstance(query, bytes) else query
            if not text.upper().startswith(_OPENS):
                self._emptied(text, event, here)
                self._ended(here)
        elif isinstance(event, RotateEvent):
            begins = event.next_binlog, event.position
            if server.order(begins) > server.order(self._state.place):
                self._ended(begins)

    def _ended(self, place: server.Place) -> None:
        self._state.place, self._state.skip = place, 0
        self._number = self._given = 0
        self.finished = self._until is not None and server.order(place) >= server.order(self._until)

    def _next(self) -> bool:
        """Count one more change of this transaction: is it new?"""
        self._number += 1
        return self._number > self._given

    def _later(self, seconds: int) -> int:
        self._state.time = later(seconds * 1_000_000, self._state.time)
        return self._state.time

    def _rows(self, event: Any, here: server.Place) -> None:
        if not hasattr(event, "columns"):
            return  # of a table that was not asked for
        table = f"{event.schema}.{event.table}"
        if table not in self._tables:
            return
        kinds = {column.name: column.type for column in event.columns}
        self._look_at(table, [*kinds])
        change: Change = "insert"
        if isinstance(event, UpdateRowsEvent):
            change = "update"
        elif isinstance(event, DeleteRowsEvent):
            change = "delete"
        hidden = self._until is not None and change != "delete" and table not in self._state.read
        keys = [column.name for column in event.columns if column.is_primary]
        for row in event.rows:
            if not self._next():
                continue
            at = self._later(event.timestamp)
            before: dict[str, Any] | None = None
            if change == "update":
                before = _plain(row["before_values"], kinds)
                fields = _plain(row["after_values"], kinds)
            else:
                fields = _plain(row["values"], kinds)
                before = fields if change == "delete" else None
            told = change
            if hidden:
                self._state.changed.add((table, _place(fields, keys)))
                if not before or _place(before, keys) == _place(fields, keys):
                    continue  # read later, as it is then
                told, fields = "delete", before  # its old key is gone
            place = f"{here[0]}:{here[1]}#{self._number}"
            self.records.append(Record(fields, table, place, told, at, before))

    def _look_at(self, table: str, columns: list[str]) -> None:
        before = self._columns.get(table, columns)
        self._columns[table] = columns
        if before != columns:
            log.info(
                "source.columns_changed",
                table=table,
                added=sorted({*columns} - {*before}),
                removed=sorted({*before} - {*columns}),
            )

    def _emptied(self, query: str, event: Any, here: server.Place) -> None:
        found = _TRUNCATE.match(query)
        if found is None:
            return
        schema = found[1] or (
            event.schema.decode() if isinstance(event.schema, bytes) else event.schema
        )
        table = f"{schema}.{found[2]}"
        if table in self._tables and self._next():
            reason = "TRUNCATE emptied this table; which rows it held the server does not say"
            place = f"{here[0]}:{here[1]}"
            self.unreadable.append(Unreadable(b"truncate", table, place, (reason,)))


def _plain(values: dict[str, Any], kinds: dict[str, int]) -> dict[str, Any]:
    return {name: server.plain(value, kinds[name]) for name, value in values.items()}


def _place(fields: dict[str, Any], keys: list[str]) -> str:
    return ",".join([f"{key}={fields[key]}" for key in keys])
