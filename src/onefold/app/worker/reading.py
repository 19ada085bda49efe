"""The process that prepares batches ahead of the worker: `python -m onefold.app.worker.reading`.

It writes nothing anywhere, and ends by itself when nobody asks it any more.
"""

from __future__ import annotations

import gc
import os
import select
import signal
from contextlib import suppress
from typing import BinaryIO

from onefold.app.in_force import load_definitions
from onefold.app.lines import as_line, from_line
from onefold.app.worker.read_ahead import Ask, Head, parts_of, take
from onefold.app.workspace import node_key, open_log, open_store
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.eventlog import EventLog
from onefold.model.errors import OnefoldError
from onefold.pipeline import Members, RecordExpressions, prepare
from onefold.standardize import BY_DEFAULT, wording_of
from onefold.store import SQLiteStore

_IDLE_SECONDS = 30.0


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
    with open_store(ask.settings, cache_mb=2) as store:
        log = open_log(ask.settings, store, None)
        reading = _Reading(ask.settings, store, log)
        # To look for what refers to itself in the middle of a batch would take longer than the batch.
        gc.freeze()
        gc.disable()
        while True:
            reading.answer(ask.positions, answers)
            gc.collect()
            if not select.select([asks], [], [], _IDLE_SECONDS)[0]:
                return
            line = asks.readline()
            if not line:
                return
            ask = from_line(line, Ask)


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
        self._version = -1

    def answer(self, positions: dict[str, int], answers: BinaryIO) -> None:
        """Prepare the batch behind these positions, and write it."""
        if self._store.registry.version() != self._version:
            definitions, sources = load_definitions(self._store)
            self._members.use(definitions)
            self._wording = wording_of(definitions, sources, self._expressions.ask)
            self._version = definitions.version
        taken = take(self._log, positions, self._settings)
        given = prepare(taken.records, self._key, self._wording)
        given.counted = self._members.count(given.rows)
        if self._members.uncountable:
            given.counted = None  # what that means for definitions only the worker can say
        parts = parts_of(given)
        sizes = tuple(map(len, parts))
        head = Head(self._version, sizes, taken.large, self._log.damaged())
        answers.write(as_line(head))
        answers.writelines(parts)
        answers.flush()


if __name__ == "__main__":
    main()
