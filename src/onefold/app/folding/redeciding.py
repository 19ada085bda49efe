"""Deciding everybody's golden records again after rules have changed, a page between two batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from onefold.app.long_work import Work, begin, end
from onefold.model.errors import Canceled
from onefold.model.profile import ProfileId, profile_name
from onefold.store import SQLiteStore

DECIDE = "decide"
"""The kind of job that decides everybody's golden record again."""
_PROFILES_A_PAGE, _IN_A_HURRY = 2_000, 400
_DECIDED, _DECIDING, _CURSOR = "golden_decided", "golden_deciding", "golden_profiles"

log = structlog.get_logger(__name__)


class Redeciding:
    """Goes through all profiles once for each change of the rules; goes on where a crash cut it off."""

    def __init__(
        self,
        store: SQLiteStore,
        decide: Callable[[Sequence[ProfileId], int], None],
        data_faults: tuple[type[Exception], ...] = (),
    ) -> None:
        self._store = store
        self._decide_page = decide
        self._data_faults = data_faults
        self._after: int | None = None
        self._rules = b""
        self._work: Work | None = None
        self._count = 0

    @property
    def done(self) -> bool:
        """Is everybody decided by the rules in force?"""
        return self._after is None

    def use(self, rules: bytes) -> None:
        """Begin, unless these rules decided everybody before; each has a fingerprint, the default none."""
        store = self._store
        self._rules = rules
        if rules == (store.setting(_DECIDED) or b""):
            self._after = None
            self._finish()
            return
        if rules != store.setting(_DECIDING):
            store.set_setting(_DECIDING, rules)
            store.set_setting(_CURSOR, 0)
            self._count = 0
        self._after = store.setting(_CURSOR) or 0
        if store.jobs.open([DECIDE]):  # that of a worker that was killed
            self._begin()

    def step(self, now: int, *, hurry: bool = False) -> bool:
        """Decide the next page, and say whether there was one.

        `hurry` makes it a small one, after a batch so small that the page would be what events
        wait for.
        """
        if self._after is None:
            return False
        size = _IN_A_HURRY if hurry else _PROFILES_A_PAGE
        page = self._store.profile_ids(self._after, size)
        if not page:
            self._end()
            return False
        self._decide(page, now)
        self._after = page[-1]
        self._count += len(page)
        self._store.set_setting(_CURSOR, self._after)
        if len(page) == size and self._work is None:
            self._begin()  # what takes one page only is no long work
        self._tell()
        return True

    def _decide(self, profiles: Sequence[ProfileId], now: int) -> None:
        """Decide a page; of a profile that cannot be, alone, what was decided before stays."""
        try:
            self._decide_page(profiles, now)
        except self._data_faults as error:
            if len(profiles) > 1:
                middle = len(profiles) // 2
                self._decide(profiles[:middle], now)
                self._decide(profiles[middle:], now)
                return
            name = profile_name(profiles[0])
            log.error("profile_undecided", profile=name, error=type(error).__name__)

    def _begin(self) -> None:
        self._work = begin(self._store, DECIDE, "everybody")
        self._count = max(self._count, self._work.job.done)

    def _tell(self) -> None:
        """Say how far it is; stop where somebody asked for that: the rest follow with their events."""
        if self._work is None:
            return
        try:
            total = self._store.counters().get("profiles", 0)
            self._work.progress(self._count, total, "deciding golden records")
        except Canceled:
            self._end(canceled=True)

    def _end(self, *, canceled: bool = False) -> None:
        self._after = None
        self._store.set_setting(_DECIDED, self._rules)
        self._store.set_setting(_DECIDING, None)
        self._finish(canceled=canceled)

    def _finish(self, *, canceled: bool = False) -> None:
        if self._work is not None:
            end(self._store, self._work, canceled=canceled)
        self._work, self._count = None, 0
