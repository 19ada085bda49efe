"""Bringing everybody up to new definitions: counting the past, evaluating the population."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import structlog

from onefold.app.tables import add_views, tables_now
from onefold.app.workspace import now_us, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake import DeltaLake
from onefold.model.definitions import Definitions
from onefold.model.profile import ProfileId
from onefold.pipeline import Pipeline
from onefold.segment import wanted_by
from onefold.store import SQLiteStore

_ROWS_A_PAGE = 20_000
_PROFILES_A_PAGE, _IN_A_HURRY = 2_000, 400
_READY, _FINGERPRINT, _CURSOR = "metrics_ready", "evaluated_rules", "evaluated_profiles"
log = structlog.get_logger(__name__)


def backfill(settings: Settings, store: SQLiteStore, lake: DeltaLake, pipeline: Pipeline) -> None:
    """Count the past of metrics that new rules need, before any further event is folded.

    In another time zone days begin at other moments, so then everything is counted anew.

    Replaces rather than adds, and notes what is ready only at the end: after a crash it starts
    over, and nothing is counted twice.
    """
    known = msgspec.json.decode(store.setting(_READY) or b'["",[]]', type=tuple[str, set[str]])
    ready = known[1] if known[0] == settings.timezone else set()
    missing = pipeline.metrics - ready
    if missing:
        log.info("backfill_started", metrics=len(missing))
        rows = 0
        spill = spill_path(settings)
        for page in _counted(store, lake, pipeline.backfill_query(missing), spill):
            pipeline.backfill(page, missing, now_us())
            rows += len(page)
        log.info("backfill_finished", metrics=len(missing), rows=rows)
    # What no rule needs any more is not counted on: should it come back, it must be counted anew.
    if pipeline.metrics != ready:
        now_ready = (settings.timezone, sorted(pipeline.metrics))
        store.set_setting(_READY, msgspec.json.encode(now_ready))


def _counted(
    store: SQLiteStore, lake: DeltaLake, query: str, spill: Path
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of the backfill query; those of one owner always on one page."""
    engine = DuckEngine(threads=2, memory_mb=1024, spill=spill)
    try:
        add_views(engine, {"events": tables_now(store, lake)["events"]})
        engine.connection.execute(
            'create view events as select owner, name, epoch_us("time") as "time", message_id,'
            " properties, context from all_events"
        )
        held: list[tuple[Any, ...]] = []
        for page in engine.pages("backfill", query, [], _ROWS_A_PAGE):
            last = page[-1][0]
            whole = [row for row in page if row[0] != last]
            if whole:
                yield held + whole
                held = []
            held += page[len(whole) :]
        if held:
            yield held
    finally:
        engine.close()


class Population:
    """Evaluates all profiles once after the rules have changed, a page between two batches."""

    def __init__(
        self,
        store: SQLiteStore,
        evaluate: Callable[[Sequence[ProfileId], int], None],
        timezone: str,
    ) -> None:
        self._store = store
        self._timezone = timezone
        self._evaluate = evaluate
        self._after: int | None = None

    def use(self, definitions: Definitions) -> None:
        """Begin, unless these very rules were in force before; go on where a crash cut it off."""
        text = msgspec.json.encode((self._timezone, wanted_by(definitions)))
        fingerprint = blake2b(text, digest_size=16).digest()
        if fingerprint != self._store.setting(_FINGERPRINT):
            self._store.set_setting(_CURSOR, 0)
            self._store.set_setting(_FINGERPRINT, fingerprint)
        self._after = self._store.setting(_CURSOR)

    def step(self, now: int, *, hurry: bool = False) -> bool:
        """Evaluate the next page, and say whether there was one.

        `hurry` makes it a small one, after a batch so small that the page would be what events
        wait for.
        """
        if self._after is None:
            return False
        page = self._store.profile_ids(self._after, _IN_A_HURRY if hurry else _PROFILES_A_PAGE)
        if page:
            self._evaluate(page, now)
            self._after = page[-1]
        else:
            self._after = None
        self._store.set_setting(_CURSOR, self._after)
        return bool(page)
