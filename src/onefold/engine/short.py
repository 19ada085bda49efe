"""Short questions of one process share a database: to open one takes longer than most of them do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from onefold.engine.duck import DuckEngine

_ASKED = 1_000


class ShortQuestions:
    """Sessions of one database, for as many threads as ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database: DuckEngine | None = None
        self._asked = 0

    @contextmanager
    def session(self) -> Iterator[DuckEngine]:
        """An engine with views and tables of its own, which end with it."""
        with self._lock:
            if self._database is None or self._asked % _ASKED == 0:
                # What it keeps of files that are gone would be kept for ever; who still asks goes on.
                self.close()
                self._database = DuckEngine(threads=2)
            self._asked += 1
            session = self._database.session()
        try:
            yield session
        finally:
            session.close()

    def close(self) -> None:
        """Free what is kept between two questions."""
        if self._database is not None:
            self._database.close()
            self._database = None


short_session = ShortQuestions().session
"""A session for one short question."""
