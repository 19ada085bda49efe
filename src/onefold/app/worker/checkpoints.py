"""Keeps the store's write-ahead log short, beside the worker and between its batches."""

from __future__ import annotations

import threading
import time

import structlog

from onefold.model.errors import Busy
from onefold.store import SQLiteStore

_EVERY_SECONDS = 1.0
_LONGEST_LOG = 256 << 20
_READER_SECONDS = 0.1
_AGAIN_SECONDS = 0.5
log = structlog.get_logger(__name__)


class Checkpoints:
    """Moves the write-ahead log into the store's file every second, on a thread of its own.

    That alone never empties it while batch follows batch: there is always something newer. So beyond
    `longest` bytes the worker gives it a moment between two batches (`make_room`).
    """

    def __init__(self, store: SQLiteStore, longest: int = _LONGEST_LOG) -> None:
        self._store = SQLiteStore(store.path, cache_mb=2)
        self._longest = longest
        self._held = 0
        self._again = 0.0
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._now = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self.fault = ""

    @property
    def alive(self) -> bool:
        """Whether it still works; not after a fault that nobody foresaw."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after one more."""
        self._stop.set()
        self._now.set()
        self._thread.join()

    def begin(self) -> None:
        """Do it now, after a batch that wrote much: reads are slow while the log holds what they look for."""
        self._now.set()

    def make_room(self, store: SQLiteStore) -> None:
        """Begin the log anew if it has grown too long; `store` is the caller's, between batches."""
        if self._held < self._longest or time.monotonic() < self._again:
            return
        with self._turn:
            try:
                emptied = store.db.restart_log(_READER_SECONDS)
            except Busy as error:
                self._say(str(error))
                emptied = False
        if emptied:
            self._held = 0
        # Somebody reads an old state, such as a rebuild that compares: it ends some time.
        self._again = time.monotonic() + _AGAIN_SECONDS

    def _run(self) -> None:
        while not self._stop.is_set():
            self._now.wait(_EVERY_SECONDS)
            self._now.clear()
            self._try()
        self._try()
        self._store.close()

    def _try(self) -> None:
        try:
            with self._turn:
                self._held = self._store.db.checkpoint()
        except Busy as error:
            self._say(str(error))
        else:
            self.fault = ""

    def _say(self, fault: str) -> None:
        if fault != self.fault:
            log.warning("checkpoint_failed", error=fault)
        self.fault = fault
