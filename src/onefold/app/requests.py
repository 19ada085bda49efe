"""Asking the running worker to do something with the profiles it owns."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from onefold.model.errors import Busy, OnefoldError
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
    failed = _decode(answer).failed
    if failed:
        raise OnefoldError(failed)
    return answer


class _Answer(msgspec.Struct):
    """What every answer may say beside its own fields."""

    failed: str = ""


_decode = msgspec.json.Decoder(_Answer).decode


def answer_with(store: SQLiteStore, request: int, work: Callable[[], msgspec.Struct]) -> None:
    """Do what was asked; what goes wrong is the answer too, so that nobody waits or repeats it."""
    store.requests.start(request)
    try:
        result = msgspec.json.encode(work())
    except (OnefoldError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = str(error) if isinstance(error, OnefoldError) else type(error).__name__
        result = msgspec.json.encode(_Answer(f"the worker could not do it: {reason}"))
    store.requests.finish(request, result.decode())


def give_up_started(store: SQLiteStore) -> None:
    """Answer what a worker was doing when it ended: to do it again might end this one too."""
    said = msgspec.json.encode(_Answer("the worker ended while it did it; ask again")).decode()
    for request in store.requests.waiting():
        if store.requests.started(request.id):
            store.requests.finish(request.id, said)
