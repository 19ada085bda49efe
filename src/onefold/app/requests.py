"""Asking the running worker to do something with the profiles it owns."""

from __future__ import annotations

import time

from onefold.model.errors import Busy
from onefold.store import SQLiteStore

_LOOK_SECONDS = 0.1
_SILENT_SECONDS = 60.0


def ask_worker(store: SQLiteStore, action: str, now: int) -> str:
    """Ask, and wait for the answer for as long as the worker lives."""
    request = store.requests.add(action, now)
    silent_since = time.monotonic()
    last_beat = 0
    while (answer := store.requests.result(request)) is None:
        time.sleep(_LOOK_SECONDS)
        beat = store.heartbeats().get("worker", (0, 0, {}))[1]
        if beat != last_beat:
            last_beat, silent_since = beat, time.monotonic()
        waited = time.monotonic() - silent_since
        if waited > _SILENT_SECONDS and not store.requests.started(request):
            raise Busy("the worker does not answer; look at `onefold status`", 60.0)
    return answer
