"""What all handlers of one web process share."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import structlog

from onefold.app.questions.asking import Asker
from onefold.app.status import status
from onefold.app.tags.reads import Reads, written_reads
from onefold.app.workspace import now_us
from onefold.config import Settings
from onefold.eventlog import EventLog
from onefold.model.errors import OnefoldError
from onefold.serve.access import Access
from onefold.serve.expressions import Expressions
from onefold.serve.lanes import Lane
from onefold.serve.latest import Latest
from onefold.serve.stream import Stream
from onefold.store import SQLiteStore

_SQL_AT_ONCE = 2
_STATUS_SECONDS = 0.5
_TELL_SECONDS = 20
_LAKE_AT_ONCE, _LAKE_WAITING = 3, 32
_COMMANDS_AT_ONCE, _COMMANDS_WAITING = 4, 64

log = structlog.get_logger(__name__)


class Context:
    """Made inside the event loop that serves. `store` is read by that loop's thread only."""

    def __init__(self, settings: Settings, store: SQLiteStore, events: EventLog) -> None:
        self.settings = settings
        self.store = store
        self.events = events
        self.expressions = Expressions(settings.timezone)
        self.access = Access(store, time.monotonic, self.expressions.ask)
        self.asker = Asker()
        self.sql = Lane("queries", _SQL_AT_ONCE, 0)
        self.lake = Lane("questions to the lake", _LAKE_AT_ONCE, _LAKE_WAITING)
        self.commands = Lane("changes", _COMMANDS_AT_ONCE, _COMMANDS_WAITING)
        self.status = Latest(partial(self.commands.run, status, settings), _STATUS_SECONDS)
        self.stream = Stream(events, self.access, self.expressions.close)
        self.accepted_events: Callable[[], int] = lambda: 0
        self.requests: Counter[tuple[str, int]] = Counter()
        self.stopping = asyncio.Event()
        self._reads = Reads()

    @property
    def reads(self) -> Reads:
        """What is being read, to be told now and then: nobody's request writes."""
        return self._reads

    async def tell_reads(self) -> None:
        """Tell the store what was read since the last time."""
        reads, self._reads = self._reads, Reads()
        if reads:
            await self.commands.run(written_reads, self.settings, reads, now_us())

    async def keep_telling(self) -> None:
        """Do so now and then. That it was read is lost rather than waited for."""
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            try:
                await self.tell_reads()
            except (OnefoldError, sqlite3.OperationalError) as error:
                log.warning("reads_not_told", error=str(error))
