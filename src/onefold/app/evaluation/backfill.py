"""Bringing the counts of everybody up to new definitions: counting the past.

A metric that is new is counted in every batch from then on; its past, up to the batch before, is
counted beside, from the lake, into a file. Once that is complete, each node gets what the file holds
of it when it is next looked at, at the latest when nothing else is to be done; then the file goes.
A node says in which batch it was last written (`counted`): by that each node gets its
past once, whatever crashes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence

import msgspec
import structlog

from onefold.app.evaluation.past import PastFile, PastWanted, count_past
from onefold.app.lake.tables import tables_now
from onefold.app.progress import tell_nobody
from onefold.app.workspace import now_us, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake.delta import DeltaLake
from onefold.model.errors import Conflict, Damaged, NotFound
from onefold.model.profile import NodeId
from onefold.pipeline import Counted
from onefold.segment.metric import Metric
from onefold.store import SQLiteStore

_COUNTED = "metrics_counted"
_NODES_A_PAGE = 500
_MANY_FILES = 4
AT_ONCE_EVENTS = 20_000
"""So many events are counted faster than a job begins."""
_LOOK_SECONDS = 0.25
log = structlog.get_logger(__name__)


class Fill(msgspec.Struct):
    """Metrics of which the past, up to the batch `until`, is being counted by a job into a file.

    `ready_at` is the last batch before the past was there; `failed` says why it will not be. All nodes
    up to `carried` have got it.
    """

    metrics: list[Metric]
    until: int
    file: str
    job: int = 0
    ready_at: int | None = None
    failed: str = ""
    carried: bytes = b""

    @property
    def names(self) -> list[str]:
        """The ids of its metrics."""
        return [metric.id for metric in self.metrics]

    @property
    def waits(self) -> bool:
        """Is it still being counted?"""
        return self.ready_at is None and not self.failed


class _State(msgspec.Struct):
    """Since which batch each metric is counted, and what is missing of the time before."""

    timezone: str = ""
    since: dict[str, int] = {}
    kept: dict[str, Metric] = {}
    fills: list[Fill] = []
    files: int = 0


class Filling:
    """Sees to it that every metric is counted from the first event on."""

    def __init__(
        self,
        settings: Settings,
        store: SQLiteStore,
        lake: DeltaLake,
        at_once_events: int = AT_ONCE_EVENTS,
    ) -> None:
        self._settings = settings
        self._at_once = at_once_events
        self._store = store
        self._lake = lake
        kept = store.setting(_COUNTED)
        self._state = msgspec.json.decode(kept, type=_State) if kept else _State()
        self._pasts: list[PastFile] = []
        self._next_look = 0.0

    def use(self, metrics: Iterable[Metric]) -> Counted:
        """These metrics are counted from now on; begins to count the past of those that are new.

        In another time zone days begin at other moments, so then everything is counted anew.
        """
        state = self._state
        if state.timezone != self._settings.timezone:
            for fill in state.fills:
                self._drop(fill)
            state = self._state = _State(self._settings.timezone, files=state.files)
        wanted = {metric.id: metric for metric in metrics}
        given_up = {name for fill in state.fills if fill.failed for name in fill.names}
        # What no rule needs any more is not counted on: should it come back, it is counted anew.
        # So is what a longer window needs again, of which the oldest buckets are gone.
        state.since = {
            name: batch
            for name, batch in state.since.items()
            if name in wanted
            and name not in given_up
            and wanted[name].is_within(state.kept.get(name))
        }
        state.kept = wanted
        for fill in state.fills:
            if not any(state.since.get(name) == fill.until for name in fill.names):
                self._drop(fill)
        state.fills = [
            fill
            for fill in state.fills
            if any(state.since.get(name) == fill.until for name in fill.names)
        ]
        for fill in [one for one in state.fills if one.waits and one.job]:
            self._has_ended(fill)
        missing = [metric for name, metric in wanted.items() if name not in state.since]
        if missing:
            self._add(missing, self._store.batch())
        return self._go_on()

    def counted(self) -> Counted:
        """What is counted now; for who only reads, and closes the files afterwards."""
        return self._counted()

    def look(self) -> Counted | None:
        """What is counted now, if more is than when this was last asked."""
        waiting = [fill for fill in self._state.fills if fill.waits]
        if not waiting or time.monotonic() < self._next_look:
            return None
        self._next_look = time.monotonic() + _LOOK_SECONDS
        ended = [fill for fill in waiting if self._has_ended(fill)]
        return self._go_on() if ended else None

    def lost(self, metrics: Iterable[str]) -> None:
        """These cannot be counted in the batch that is being folded: later they will be new."""
        for name in metrics:
            self._state.since.pop(name, None)
        self._keep()

    def restart(self) -> Counted:
        """Profiles are about to be written anew, with their whole past, by the next batch.

        What was counted of the past of new metrics until now is void then; `use` begins anew.
        """
        unfinished, self._state.fills = self._state.fills, []
        for fill in unfinished:
            self._drop(fill)
            self._add(fill.metrics, self._store.batch() + 1)
        self._keep()
        return self._counted()

    def waiting(self, *, idle: bool) -> tuple[list[NodeId], int] | None:
        """Nodes whose past waits for them in a file, and the last batch before it was there.

        Where others have something better to do than to carry it to them, only once there are many files.
        """
        if len(self._pasts) <= (0 if idle else _MANY_FILES):
            return None
        fill = next(one for one in self._state.fills if one.ready_at is not None)
        past = self._pasts[0]
        return past.nodes(fill.carried, _NODES_A_PAGE), past.ready_at

    def carried(self, nodes: Sequence[NodeId]) -> Counted | None:
        """These have it now. What holds then, if that was all of a file, which goes."""
        fill = next(one for one in self._state.fills if one.ready_at is not None)
        done = len(nodes) < _NODES_A_PAGE
        if done:
            self._state.fills.remove(fill)
        else:
            fill.carried = nodes[-1]
        self._keep()
        if not done:
            return None
        self._drop(fill)
        return self._counted()

    def close(self) -> None:
        """Close the files."""
        for past in self._pasts:
            past.close()
        self._pasts = []

    def _add(self, metrics: list[Metric], until: int) -> None:
        state = self._state
        state.files += 1
        state.fills.append(Fill(metrics, until, f"backfill/{state.files}.db"))
        state.since |= dict.fromkeys((metric.id for metric in metrics), until)

    def _go_on(self) -> Counted:
        """Have the past of each fill counted: at once where there is little, else by a job."""
        self._keep()
        for fill in self._state.fills:
            if fill.waits and not fill.job:
                # A batch that was announced may never have come.
                until = min(fill.until, self._store.batch())
                for name in fill.names:
                    if self._state.since.get(name) == fill.until:
                        self._state.since[name] = until
                fill.until = until
                self._count(fill)
                self._keep()
        return self._counted()

    def _count(self, fill: Fill) -> None:
        wanted = PastWanted(tuple(fill.metrics), fill.until, fill.file)
        if self._store.counters().get("events", 0) > self._at_once:
            argument = msgspec.to_builtins(wanted)
            subject = f"{len(fill.metrics)} metrics"
            fill.job = self._store.jobs.add("backfill", subject, argument, now_us(), "onefold")
            log.info("backfill_started", metrics=len(fill.metrics), job=fill.job)
            return
        engine = DuckEngine(memory_mb=1024, spill=spill_path(self._settings))
        try:
            tables = tables_now(self._store, self._lake)
            owners = count_past(self._settings, wanted, tables, engine, tell_nobody)
        except Damaged as error:
            self._give_up(fill, str(error))
        else:
            fill.ready_at = self._store.batch()
            log.info("backfill_finished", metrics=len(fill.metrics), identifiers=owners)
        finally:
            engine.close()

    def _has_ended(self, fill: Fill) -> bool:
        """Look at the job of a fill; say whether anything is otherwise than before."""
        try:
            job = self._store.jobs.get(fill.job)
        except NotFound:
            fill.job = 0  # the store is an older copy, or the job was forgotten
            return True
        if job.is_open:
            return False
        if job.state == "done":
            fill.ready_at = self._store.batch()
            log.info("backfill_finished", metrics=len(fill.metrics), identifiers=job.result)
        elif job.state == "canceled":
            fill.failed = f"counting its past was canceled (job {job.id})"
        else:
            self._give_up(fill, job.reason)
        return True

    def _give_up(self, fill: Fill, reason: str) -> None:
        """Find the metric that cannot be counted, by halves; the others are counted on."""
        if len(fill.metrics) == 1:
            fill.failed = reason.split("\n", 1)[0]
            log.error("metric_fails", metric=fill.metrics[0].id, reason=fill.failed)
            return
        middle = len(fill.metrics) // 2
        self._state.fills.remove(fill)
        for half in (fill.metrics[:middle], fill.metrics[middle:]):
            self._add([one for one in half if one.id in self._state.since], fill.until)

    def _counted(self) -> Counted:
        self.close()
        state = self._state
        for fill in state.fills:
            if fill.ready_at is not None:
                names = [name for name in fill.names if state.since.get(name) == fill.until]
                path = self._settings.data / fill.file
                self._pasts.append(PastFile(path, fill.ready_at, names))
        return Counted(
            since=dict(state.since),
            filling=frozenset(name for one in state.fills if one.waits for name in one.names),
            failing={name: one.failed for one in state.fills for name in one.names if one.failed},
            pasts=tuple(self._pasts),
            lost=self.lost,
        )

    def _drop(self, fill: Fill) -> None:
        self.close()
        if fill.job and fill.waits:
            with contextlib.suppress(Conflict, NotFound):
                self._store.jobs.cancel(fill.job, now_us(), "onefold")
        (self._settings.data / fill.file).unlink(missing_ok=True)

    def _keep(self) -> None:
        self._store.set_setting(_COUNTED, msgspec.json.encode(self._state))
