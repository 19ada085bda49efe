"""An engine over the lake that is kept from one question to the next.

To open one takes as long as a short question, and so does reading the end of each file of the lake:
who answers many questions, one after the other, keeps both. What a question made ready of the lake, the
next one finds ready if it reads the same files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from onefold.app.lake.held import Held
from onefold.app.workspace import lake_path, open_engine, open_lake
from onefold.config import Settings
from onefold.engine import DuckEngine, Engine
from onefold.lake.delta import DeltaLake
from onefold.segment.metric import Field


class Ready:
    """What is ready in an engine: the fields that its views hold, and of which files they are made."""

    def __init__(self, held: Held | None = None) -> None:
        self.held = held
        self._files: object = None
        self._fields: list[Field] = []
        self.names: frozenset[str] = frozenset()

    @property
    def stays(self) -> frozenset[str]:
        """The names of what the next question may use."""
        return self.names | self.held.names if self.held else self.names

    def fields(self, files: object) -> list[Field] | None:
        """What was made of just these files."""
        return self._fields if files is not None and files == self._files else None

    def put(self, files: object, fields: list[Field], names: frozenset[str]) -> None:
        """Remember what was made, under which names; without files, or of more, nothing."""
        self._files, self._fields = files or None, fields
        self.names = names if files else frozenset()


class LakeEngine(NamedTuple):
    """The lake, an engine to ask it, and what is ready in that."""

    engine: Engine
    lake: DeltaLake
    ready: Ready


class _Opened(NamedTuple):
    engine: DuckEngine
    session: DuckEngine
    lake: DeltaLake
    ready: Ready

    def close(self) -> None:
        self.session.close()
        self.engine.close()


class _Kept:
    def __init__(self) -> None:
        self.wanted = self.hold = False
        self._lock = threading.Lock()
        self._idle: tuple[Settings, _Opened] | None = None

    def take(self, settings: Settings) -> _Opened | None:
        with self._lock:
            idle, self._idle = self._idle, None
        if idle and idle[0] == settings:
            return idle[1]
        if idle:
            idle[1].close()
        return None

    def give(self, settings: Settings, opened: _Opened) -> None:
        with self._lock:
            if self.wanted and self._idle is None:
                self._idle = settings, opened
                return
        opened.close()


_KEPT = _Kept()


def keep_engines(*, hold: bool = True) -> None:
    """From now on this process keeps the engine of its last question for the next one.

    `hold`: and what that question read, once it is asked to hold it.
    """
    _KEPT.wanted, _KEPT.hold = True, hold


@contextmanager
def lake_engine(settings: Settings) -> Iterator[LakeEngine]:
    """An engine over the lake, with views and tables of its own, of which the next one sees none."""
    opened = _KEPT.take(settings)
    if opened is None:
        engine, lake = open_engine(settings), open_lake(settings)
        if not isinstance(engine, DuckEngine):
            # Spark keeps its session by itself, and cannot be held to some files.
            try:
                yield LakeEngine(engine, lake, Ready())
            finally:
                engine.close()
            return
        engine.lock([], [lake_path(settings)])
        held = Held(settings.sql_memory // 3) if _KEPT.hold else None
        opened = _Opened(engine, engine.session(), lake, Ready(held))
    well = False
    try:
        yield LakeEngine(opened.session, opened.lake, opened.ready)
        opened.session.forget_but(opened.ready.stays)
        well = True
    finally:
        if well:
            _KEPT.give(settings, opened)
        else:
            opened.close()
