"""An engine over the lake that is kept from one question to the next.

To open one takes as long as a short question, and so does reading the end of each file of the lake:
who answers many questions, one after the other, keeps both.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from onefold.app.workspace import lake_path, open_engine, open_lake
from onefold.config import Settings
from onefold.engine import DuckEngine, Engine
from onefold.lake import DeltaLake


class LakeEngine(NamedTuple):
    """The lake, and an engine to ask it."""

    engine: Engine
    lake: DeltaLake


class _Opened(NamedTuple):
    engine: DuckEngine
    lake: DeltaLake


class _Kept:
    def __init__(self) -> None:
        self.wanted = False
        self._lock = threading.Lock()
        self._idle: tuple[Settings, _Opened] | None = None

    def take(self, settings: Settings) -> _Opened | None:
        with self._lock:
            idle, self._idle = self._idle, None
        if idle and idle[0] == settings:
            return idle[1]
        if idle:
            idle[1].engine.close()
        return None

    def give(self, settings: Settings, opened: _Opened) -> None:
        with self._lock:
            if self.wanted and self._idle is None:
                self._idle = settings, opened
                return
        opened.engine.close()


_KEPT = _Kept()


def keep_engines() -> None:
    """From now on this process keeps the engine of its last question for the next one."""
    _KEPT.wanted = True


@contextmanager
def lake_engine(settings: Settings) -> Iterator[LakeEngine]:
    """An engine over the lake, with views and tables of its own that end with it."""
    opened = _KEPT.take(settings)
    if opened is None:
        engine, lake = open_engine(settings), open_lake(settings)
        if not isinstance(engine, DuckEngine):
            # Spark keeps its session by itself, and cannot be held to some files.
            try:
                yield LakeEngine(engine, lake)
            finally:
                engine.close()
            return
        engine.lock([], [lake_path(settings)])
        opened = _Opened(engine, lake)
    well = False
    try:
        session = opened.engine.session()
        try:
            yield LakeEngine(session, opened.lake)
        finally:
            session.close()
        well = True
    finally:
        if well:
            _KEPT.give(settings, opened)
        else:
            opened.engine.close()
