"""A match model comes into force: the key index is filled anew, then everybody is matched.

First the index, then what too many share in it is divided, so that each match is found whole: nobody is
parted whom the next page would join.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from onefold.app.job_kinds import MATCH
from onefold.app.long_work import Work, begin, end
from onefold.model.errors import Canceled
from onefold.model.matching import Matching
from onefold.pipeline import DIVIDING, INDEXING, Filling, Pipeline
from onefold.store import SQLiteStore

_FILLED, _PHASE, _CURSOR = "match_filled", "match_phase", "match_cursor"
_INDEX, _MATCH, _DIVIDE = 1, 2, 3
_NEXT = {_INDEX: _DIVIDE, _DIVIDE: _MATCH, _MATCH: None}
_STEPS: dict[int | None, Filling] = {_INDEX: INDEXING, _DIVIDE: DIVIDING}
_SAID: dict[int | None, str] = {
    _INDEX: "finding keys",
    _DIVIDE: "dividing what many share",
    _MATCH: "matching everybody",
}
_A_PAGE, _IN_A_HURRY = 1_000, 50
_NONE = b"none"
_FORMAT = 3
"""How keys are made; an index of another release is filled anew."""


class MatchFilling:
    """Goes through all profiles and records, a page between two batches; a restart goes on."""

    def __init__(self, store: SQLiteStore, pipeline: Pipeline) -> None:
        self._store = store
        self._pipeline = pipeline
        self._phase: int | None = store.setting(_PHASE)
        self._after: int = store.setting(_CURSOR) or 0
        self._work: Work | None = None
        self._done = 0
        pipeline.fill_index(_STEPS.get(self._phase, ""))

    def use(self, in_force: Matching | None) -> None:
        """Begin, unless everybody was matched by this model before; None is no model."""
        digest = fingerprint(in_force)
        if digest == (self._store.setting(_FILLED) or _NONE):
            return
        self._store.matches.clear()
        self._store.set_setting(_FILLED, digest)
        self._begin(_MATCH if in_force is None else _INDEX)

    def step(self, now: int, *, hurry: bool = False) -> bool:
        """Do the next page; say whether there was one."""
        if self._phase is None:
            return False
        size = _IN_A_HURRY if hurry else _A_PAGE
        page = self._page(size)
        if not page:
            self._begin(_NEXT[self._phase])
            return True
        if self._phase == _DIVIDE:
            self._pipeline.divide_index(page)
        elif self._by_record:
            found = self._store.matches.records(page)
            self._pipeline.match_nodes([one.node for one in found], now)
        else:
            self._pipeline.match(page, now)
        self._after = page[-1]
        self._store.set_setting(_CURSOR, self._after)
        self._done += len(page)
        if len(page) == size and self._work is None:
            self._work = begin(self._store, MATCH, "match model")
        self._tell(now)
        return True

    @property
    def _by_record(self) -> bool:
        """Go by records: a profile that is merged on the way has another id, maybe one that was passed."""
        return self._phase == _DIVIDE or (self._phase == _MATCH and not self._dropping)

    def _page(self, size: int) -> list[int]:
        if self._by_record:
            return self._store.matches.numbers(self._after, size)
        return self._store.profile_ids(self._after, size)

    @property
    def _dropping(self) -> bool:
        """Without a model there are no records: everybody's matches go."""
        return self._store.setting(_FILLED) in (None, _NONE)

    def _begin(self, phase: int | None) -> None:
        self._store.set_setting(_CURSOR, 0)
        self._store.set_setting(_PHASE, phase)
        self._phase, self._after, self._done = phase, 0, 0
        self._pipeline.fill_index(_STEPS.get(phase, ""))
        if phase is None and self._work is not None:
            end(self._store, self._work, canceled=False)
            self._work = None

    def _tell(self, now: int) -> None:
        if self._work is None:
            return
        total = 0 if self._by_record else self._store.counters().get("profiles", 0)
        try:
            self._work.progress(self._done, total, _SAID[self._phase])
        except Canceled:
            # Half matched is no state to stay in: nobody is matched then, and who was is parted.
            self._store.registry.use_match_model(None, now, "onefold", "")
            end(self._store, self._work, canceled=True)
            self._work = None


def fingerprint(in_force: Matching | None) -> bytes:
    """What tells ways to match apart."""
    if in_force is None:
        return _NONE
    said = (_FORMAT, in_force.model.version, sorted(in_force.columns.items()), in_force.region)
    return blake2b(msgspec.json.encode(said), digest_size=16).digest()
