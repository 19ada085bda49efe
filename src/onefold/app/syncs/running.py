"""One run of one source: read to its end, written down how that ended, the next one planned."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from onefold.app.locks import hold, source_path
from onefold.app.secret_values import Revealed
from onefold.app.syncs import alarms
from onefold.app.syncs.opening import Pulling, open_source, pulled_source
from onefold.app.syncs.schedules import SECOND, next_run, wait_after
from onefold.app.syncs.taking import Ended, Steady, Stopping, Taking, Tell
from onefold.app.workspace import now_us, open_log, open_store
from onefold.config import Settings
from onefold.model.errors import Busy, Conflict, OnefoldError
from onefold.model.loads import Load, LoadState
from onefold.store import SQLiteStore

_MOST_REASON = 2_000
_STEADY_SECONDS = 60.0
UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, OSError)
"""What drivers raise besides what they say that they do."""
log = structlog.get_logger(__name__)


def source_lock(settings: Settings, name: str) -> Path:
    """The file whose lock is held by the process that reads a source."""
    return source_path(settings.data, name).with_suffix(".lock")


def run_source(
    settings: Settings,
    name: str,
    *,
    actor: str = "cli",
    stop: threading.Event | None = None,
    tell: Tell | None = None,
) -> Load:
    """Read a source to its end, or until somebody stops it; gives the load as it ended.

    `Conflict` where another process is reading it.
    """
    with hold(source_lock(settings, name)) as held, open_store(settings, cache_mb=2) as store:
        pulling = pulled_source(store, name)
        if not held:
            hint = "`onefold load list` shows how far it is"
            raise Conflict(f"source {name!r} is being read just now; {hint}")
        load = store.loads.begin(name, "pull", now_us(), actor)
        store.source_states.began(name, now_us())
        log.info("load_started", source=name, load=load.id, attempt=load.attempts)
        outcome = _outcome(settings, store, pulling, load, stop, tell)
        if outcome.state == "running":
            log.info("load_put_back", source=name, load=load.id)
        else:
            finish(store, pulling, load.id, outcome)
        return store.loads.get(load.id)


class Outcome(NamedTuple):
    """How a run ended, why, and for how many seconds the other side wants to be left alone."""

    state: LoadState
    reason: str = ""
    wait: float = 0.0


def finish(store: SQLiteStore, pulling: Pulling, load: int, outcome: Outcome) -> None:
    """Write down how a run ended, and plan the next."""
    now, name = now_us(), pulling.name
    store.loads.finish(load, now, outcome.state, outcome.reason)
    known = store.source_states.get(name)
    if outcome.state == "failed":
        wait = max(wait_after(known.failures + 1, random.random()), int(outcome.wait * SECOND))  # noqa: S311
        planned = 0 if pulling.schedule.by_hand else now + wait
    else:
        planned = next_run(pulling.schedule, now, known.due_at)
    if outcome.state in ("done", "failed"):
        alarms.ended(store, pulling, outcome.reason, planned)
    else:
        store.source_states.plan(name, planned)
    log.info("load_ended", source=name, load=load, state=outcome.state)


def recovered(store: SQLiteStore, pulling: Pulling) -> None:
    """A stream never ends well; that it has been read for a while says that it works."""
    known = store.source_states.get(pulling.name)
    if known.failures:
        alarms.ended(store, pulling, "", known.due_at)


def _outcome(
    settings: Settings,
    store: SQLiteStore,
    pulling: Pulling,
    load: Load,
    stop: threading.Event | None,
    tell: Tell | None,
) -> Outcome:
    """Read it; how that ended and why. `running` is what the next process goes on with."""
    hide: Callable[[str], str] = str
    try:
        revealed = Revealed(settings, store, pulling.body)
        hide = revealed.hide
        source = open_source(settings, pulling, revealed)
        event_log = open_log(settings, store, "pull")
        try:
            well = Steady(_STEADY_SECONDS, partial(recovered, store, pulling))
            steady = well if pulling.schedule.always else None
            Taking(store, event_log, load, stop=stop, tell=tell, steady=steady).read(source)
        finally:
            event_log.close()
            source.close()
    except Ended as ended:
        return Outcome(ended.state)
    except Stopping:
        return Outcome("running")
    except OnefoldError as error:
        wait = error.retry_after if isinstance(error, Busy) else 0.0
        return Outcome("failed", hide(str(error)), wait)
    except UNFORESEEN as error:  # whatever their driver raises must not look like an end
        log.error("load_failed", source=pulling.name, error=type(error).__name__)
        return Outcome("failed", hide(f"{type(error).__name__}: {error}"[:_MOST_REASON]))
    return Outcome("done")
