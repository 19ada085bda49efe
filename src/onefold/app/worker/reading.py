"""The process that prepares batches ahead of the worker: `python -m onefold.app.worker.reading`.

It writes nothing anywhere, and ends by itself when nobody asks it any more.
"""

from __future__ import annotations

import gc
import os
import select
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import BinaryIO, NamedTuple

import msgspec

from onefold.app.in_force import load_definitions
from onefold.app.lines import as_line, from_line
from onefold.app.worker.read_ahead import Ask, Head, Taken, parts_of, take
from onefold.app.workspace import node_key, open_log, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.eventlog import EventLog
from onefold.model.errors import OnefoldError
from onefold.pipeline import Arriving, Members, RecordExpressions, arriving, prepare
from onefold.standardize import BY_DEFAULT, wording_of
from onefold.store import SQLiteStore

_IDLE_SECONDS = 30.0
_COLLECTED = 16
"""After so many batches garbage is looked for."""


def main() -> None:
    """Prepare what is asked for until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks ends this process
    asks, answers = os.fdopen(0, "rb", closefd=False), os.fdopen(1, "wb", closefd=False)
    line = asks.readline()
    if not line:
        return
    with suppress(BrokenPipeError, OnefoldError):  # who asked sees that this process ended
        _answer_all(from_line(line, Ask), asks, answers)
    # Nothing is left to write, and the engine complains of an end with garbage that nobody looked for.
    os._exit(0)


def _answer_all(ask: Ask, asks: BinaryIO, answers: BinaryIO) -> None:
    with open_store(ask.settings, cache_mb=2) as store, ThreadPoolExecutor(1) as writer:
        log = open_log(ask.settings, store, None)
        reading = _Reading(ask.settings, store, log)
        # To look for what refers to itself in the middle of a batch would take longer than the batch; and
        # of what a batch leaves hardly anything does.
        gc.freeze()
        gc.disable()
        written = writer.submit(answers.flush)
        for answered in count(1):
            made = reading.answer(ask)
            written.result()
            # Who asked reads it once the batch before is folded. Meanwhile the next is made.
            written = writer.submit(_write, answers, made)
            reading.make_next(ask)
            if answered % _COLLECTED == 0:
                gc.collect()
            while not select.select([asks], [], [], _IDLE_SECONDS)[0]:
                if written.done():
                    return
            line = asks.readline()
            if not line:
                return
            ask = from_line(line, Ask)


def _write(answers: BinaryIO, made: _Made) -> None:
    answers.write(as_line(made.head))
    answers.writelines(made.parts)
    answers.flush()


class _Made(NamedTuple):
    """A batch prepared: behind which positions, and as it is written."""

    behind: dict[str, int]
    until: dict[str, int]
    head: Head
    parts: list[bytes]


class _Reading:
    """The definitions and the log, as they are now."""

    def __init__(self, settings: Settings, store: SQLiteStore, log: EventLog) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self._key = node_key(store)
        engine = DuckEngine(threads=1, optimizer=False)
        self._members = Members(engine, settings.timezone)
        self._expressions = RecordExpressions(engine, settings.timezone)
        self._wording = BY_DEFAULT
        self._arriving: Arriving | None = None
        self._version = -1
        self._made: _Made | None = None

    def answer(self, ask: Ask) -> _Made:
        """The batch that is asked for."""
        if self._made is None or self._made.behind != ask.positions or self._outdated():
            self._made = self._prepare(ask, take(self._log, ask.positions, self._settings))
        return self._made

    def make_next(self, ask: Ask) -> None:
        """Prepare the batch behind the one that was given last, if the log holds a large one."""
        last, self._made = self._made, None
        if last is not None and last.head.large:
            ask = msgspec.structs.replace(ask, positions={**last.behind, **last.until})
            taken = take(self._log, ask.positions, self._settings)
            self._made = self._prepare(ask, taken) if taken.large else None

    def _outdated(self) -> bool:
        return self._store.registry.version() != self._version

    def _prepare(self, ask: Ask, taken: Taken) -> _Made:
        if self._outdated():
            definitions, sources = load_definitions(self._store)
            self._members.use(definitions)
            self._wording = wording_of(definitions, sources, self._expressions.ask)
            self._arriving = arriving(definitions, sources, self._settings.timezone)
            self._version = definitions.version
        by = self._arriving if ask.newcomers else None
        given = prepare(taken.records, self._key, self._wording, by)
        given.counted = self._members.count(given.rows)
        if self._members.uncountable:
            given.counted = None  # what that means for definitions only the worker can say
        parts = parts_of(given)
        sizes = tuple(map(len, parts))
        head = Head(self._version, sizes, taken.large, self._log.damaged())
        return _Made(ask.positions, dict(given.positions), head, parts)


if __name__ == "__main__":
    main()
