"""Which rules golden records are decided by, and that the claims are kept which they need."""

from __future__ import annotations

import contextlib
import time

import msgspec
import structlog

from onefold.app.evaluation.backfill import AT_ONCE_EVENTS
from onefold.app.folding.claims_past import ClaimsFile, ClaimsWanted, gather_claims
from onefold.app.lake.tables import tables_now
from onefold.app.progress import tell_nobody
from onefold.app.workspace import now_us, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine
from onefold.lake.delta import DeltaLake
from onefold.model.errors import Conflict, Damaged, NotFound
from onefold.pipeline import GoldenInputs, needed_claims
from onefold.store import SQLiteStore

GATHER = "claims"
"""The kind of job that reads claims of the past."""
_STATE = "claims_kept"
_LOOK_SECONDS = 0.25
log = structlog.get_logger(__name__)


class _Fill(msgspec.Struct):
    """Claims of the past that are being read, or (`ready`) that nodes get when they are decided."""

    needed: dict[str, str]
    file: str
    job: int = 0
    ready: bool = False


class _State(msgspec.Struct):
    """What is kept of which traits; the rules that are decided by; what is being read."""

    kept: dict[str, str] = {}
    decided: GoldenInputs = GoldenInputs()
    fill: _Fill | None = None
    files: int = 0


def decided_by(store: SQLiteStore) -> GoldenInputs:
    """The rules by which the golden records in a store were decided, or are being decided."""
    kept = store.setting(_STATE)
    return msgspec.json.decode(kept, type=_State).decided if kept else GoldenInputs()


class ClaimsKept:
    """Sees to it that what rules need of the past is there before they decide."""

    def __init__(
        self,
        settings: Settings,
        store: SQLiteStore,
        lake: DeltaLake,
        at_once_events: int = AT_ONCE_EVENTS,
    ) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake
        self._at_once = at_once_events
        kept = store.setting(_STATE)
        self._state = msgspec.json.decode(kept, type=_State) if kept else _State()
        self._wanted = self._state.decided
        self._next_look = 0.0
        self.past: ClaimsFile | None = None

    @property
    def decided(self) -> GoldenInputs:
        """The rules that decide: those wanted, once the past that they need is there."""
        return self._state.decided

    @property
    def wanted(self) -> GoldenInputs:
        """The rules by which claims are kept from now on."""
        return self._wanted

    def use(self, wanted: GoldenInputs) -> None:
        """These rules are wanted from now on; begins to read what they need of the past."""
        self._wanted = wanted
        needed = needed_claims(wanted)
        state = self._state
        state.kept = {name: of for name, of in state.kept.items() if needed.get(name) == of}
        missing = {name: of for name, of in needed.items() if name not in state.kept}
        if state.fill and state.fill.needed != missing:
            self._drop(state.fill)
            state.fill = None
        if missing and state.fill is None:
            self._begin(missing)
        if not missing or (state.fill and state.fill.ready):
            state.decided = wanted
        self._keep()
        self._open()

    def look(self) -> bool:
        """Has what was missing been read since this was last asked?"""
        fill = self._state.fill
        if fill is None or fill.ready or time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK_SECONDS
        try:
            job = self._store.jobs.get(fill.job)
        except NotFound:
            self._state.fill = None
            self.use(self._wanted)  # the store is an older copy, or the job was forgotten
            return self.decided == self._wanted
        if job.is_open:
            return False
        if job.state != "done":
            self._give_up(fill, f"job {fill.job} {job.state} {job.reason}")
            return False
        self._ready(fill)
        return True

    def merged(self) -> None:
        """Everybody was decided by the rules in force, with all that was read."""
        fill = self._state.fill
        if fill is not None and fill.ready:
            self._state.kept |= fill.needed
            self._state.fill = None
            self._keep()
            self._drop(fill)

    def close(self) -> None:
        """Close the file."""
        if self.past:
            self.past.close()
            self.past = None

    def _begin(self, missing: dict[str, str]) -> None:
        state = self._state
        state.files += 1
        file = f"backfill/claims-{state.files}.db"
        fill = state.fill = _Fill(missing, file)
        traits = () if "*" in missing else tuple(sorted(missing))
        wanted = ClaimsWanted(self._wanted, traits, self._store.batch(), file)
        if not self._store.counters().get("events", 0):
            state.kept |= missing
            state.fill, state.decided = None, self._wanted
            return
        if self._store.counters().get("events", 0) > self._at_once:
            subject = f"{len(missing)} traits"
            argument = msgspec.to_builtins(wanted)
            fill.job = self._store.jobs.add(GATHER, subject, argument, now_us(), "onefold")
            log.info("reading_claims", traits=len(missing), job=fill.job)
            return
        engine = DuckEngine(memory_mb=1024, spill=spill_path(self._settings))
        try:
            tables = tables_now(self._store, self._lake)
            gather_claims(self._settings, wanted, tables, engine, tell_nobody)
        except Damaged as error:
            self._give_up(fill, str(error))
        else:
            self._ready(fill)
        finally:
            engine.close()

    def _ready(self, fill: _Fill) -> None:
        """From now on the rules wanted decide, with what was read of the past."""
        fill.ready = True
        self._state.decided = self._wanted
        self._keep()
        self._open()

    def _give_up(self, fill: _Fill, reason: str) -> None:
        """The rules before go on deciding, until definitions change or the worker starts again."""
        log.error("past_claims_missing", reason=reason)
        self._state.fill = None
        self._keep()
        self._drop(fill)

    def _open(self) -> None:
        self.close()
        fill = self._state.fill
        if fill and fill.ready:
            self.past = ClaimsFile(self._settings.data / fill.file)

    def _drop(self, fill: _Fill) -> None:
        self.close()
        if fill.job and not fill.ready:
            with contextlib.suppress(Conflict, NotFound):
                self._store.jobs.cancel(fill.job, now_us(), "onefold")
        (self._settings.data / fill.file).unlink(missing_ok=True)

    def _keep(self) -> None:
        self._store.set_setting(_STATE, msgspec.json.encode(self._state))
