"""The worker's part of what is given and refreshed: asking for it, and bringing it to profiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from onefold.config import Settings
from onefold.model.definitions import Definitions, TagDefinition
from onefold.model.errors import OnefoldError
from onefold.segment.schedule import DEFAULT, parse_schedule
from onefold.segment.zone import load_zone
from onefold.store import RefreshRow, SQLiteStore

REFRESH = "refresh"
_PATIENCE_US = 600_000_000
_LOOK_SECONDS = 0.5
_PAGE, _IN_A_HURRY = 2_000, 400
_FAULTS = (OnefoldError, ArithmeticError, LookupError, TypeError, ValueError)
log = structlog.get_logger(__name__)


class Refreshed:
    """Brings refreshed values to their profiles, a page between two batches."""

    def __init__(
        self, store: SQLiteStore, keep: Callable[[Sequence[RefreshRow], int], None]
    ) -> None:
        self._store = store
        self._keep = keep
        self._look_at = 0.0

    def step(self, now: int, *, hurry: bool = False) -> bool:
        """Bring the next page, and say whether there was one; `hurry` makes it a small one."""
        if time.monotonic() < self._look_at:
            return False
        page = self._store.given.refreshed(_IN_A_HURRY if hurry else _PAGE)
        if page:
            self._bring(page, now)
        else:
            self._look_at = time.monotonic() + _LOOK_SECONDS
        return bool(page)

    def _bring(self, page: Sequence[RefreshRow], now: int) -> None:
        """A profile that cannot be evaluated is passed by, alone."""
        try:
            self._keep(page, now)
        except _FAULTS as error:
            if len(page) == 1:
                log.error("refreshed_value_dropped", error=type(error).__name__)
                self._store.given.forget_refreshed(page[0].id)
                return
            middle = len(page) // 2
            self._bring(page[:middle], now)
            self._bring(page[middle:], now)


def ask_for_due(settings: Settings, store: SQLiteStore, definitions: Definitions, now: int) -> None:
    """Ask for the refreshes that are due."""
    tags = [one for one in definitions.tags if one.of_everybody and one.state == "approved"]
    if not tags:
        return
    done = store.given.refreshes()
    for tag in tags:
        last = done.get(tag.name)
        due = 0
        if last is not None and last.version == tag.version:
            due = next_refresh(tag, last.as_of, settings.timezone)
        if due > now:
            continue
        job = store.jobs.latest(REFRESH, tag.name)
        if job and (job.is_open or _is_failing(job.state, job.finished_at, now)):
            continue
        store.jobs.add(REFRESH, tag.name, {}, now, "onefold")


def hold_lists(store: SQLiteStore, positions: Mapping[str, int], now: int) -> None:
    """Put the lists in force that are folded as a whole."""
    for segment, version in store.given.lists_to_hold(positions):
        hold = partial(store.given.hold_list, segment, version)
        store.registry.hold_list(segment, version, now, hold)


def next_refresh(tag: TagDefinition, last: int, timezone: str) -> int:
    """When a tag is refreshed next (µs UTC), after it was at a moment."""
    return parse_schedule(tag.refresh or DEFAULT).after(last, load_zone(timezone))


def _is_failing(state: str, finished_at: int | None, now: int) -> bool:
    """Did it just fail, so that it had better be left alone for a while?"""
    return state in ("failed", "canceled") and now < (finished_at or 0) + _PATIENCE_US
