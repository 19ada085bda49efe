"""Upkeep of log, store and lake: short work now and then, in a process of its own."""

from __future__ import annotations

from onefold.app.folding.rebuild_checks import ask_if_due
from onefold.app.lake.compaction import compact
from onefold.app.locks import hold
from onefold.app.profiles.uploads import drop_made
from onefold.app.workspace import open_lake, open_log, open_store, spill_path
from onefold.config import Settings
from onefold.model.catalogue import TABLES

_SMALL_FILES = 64
_EXPIRE_ROWS = 10_000
_DAY_SECONDS = 86_400
_MINUTE_US, _DAY_US = 60_000_000, 86_400_000_000
_JOBS_US = 30 * _DAY_US


def upkeep(settings: Settings, now: int) -> None:
    """Drop what is past its time, and join the lake's small files."""
    with open_store(settings, cache_mb=4) as store:
        events = open_log(settings, store, None)
        try:
            events.retain(now)
        finally:
            events.close()
        # As long as the log holds events for a replay, they must be known as seen.
        held = (settings.eventlog_retention or 0) / _DAY_SECONDS
        age = int(max(settings.dedup_days, held + 1) * _DAY_US)
        minute, day = (now - age) // _MINUTE_US, (now - age) // _DAY_US
        while store.forget_seen(minute, day, _EXPIRE_ROWS) == _EXPIRE_ROWS:
            pass
        store.jobs.forget(now - _JOBS_US)
        ask_if_due(store, now, settings.rebuild_check_every)
    drop_made(settings, now)
    lake = open_lake(settings)
    with hold(settings.data / "compaction.lock") as held:
        if not held:
            return
        for name in TABLES.keys() - {"events", "profiles", "moves"}:
            lake.compact(name, _SMALL_FILES)
        with open_store(settings, cache_mb=4) as store:
            compact(store, lake, spill_path(settings))
