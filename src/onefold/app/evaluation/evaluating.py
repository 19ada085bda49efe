"""Bringing everybody's values and memberships up to new definitions, a page between two batches.

Few profiles are evaluated one after the other. Of many, a job chooses those that have to be; what
time alone changes of others is remembered until then. What has been evaluated is known by what
each definition means, so that a change of one does not touch the others.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from onefold.app.evaluation.choosing import CHOOSE, ChooseWanted, key_text
from onefold.app.evaluation.chosen import ChosenFile
from onefold.app.long_work import Work, begin, end
from onefold.app.workspace import now_us
from onefold.model.errors import Canceled, Conflict, NotFound
from onefold.model.profile import LAST_PROFILE, ProfileId
from onefold.segment.differing import digests
from onefold.segment.plan import Key, Plan
from onefold.store import SQLiteStore

EVALUATE = "evaluate"
"""The kind of job that evaluates everybody, or those that were chosen."""
AT_ONCE_PROFILES = 10_000
"""So many profiles are evaluated faster than a job chooses of them."""
_KNOWN, _RUN, _WAKING = "evaluated_outputs", "evaluating", "evaluated_later"
_PROFILES_A_PAGE, _IN_A_HURRY = 2_000, 400
_LOOK_SECONDS = 0.25
_WRONG_US = 600_000_000
_S = TypeVar("_S", bound=msgspec.Struct)
log = structlog.get_logger(__name__)


class _Known(msgspec.Struct):
    """What has been evaluated for everybody, by what it means; and the names of all that ever was,
    as far as nobody saw to it yet that it is gone.
    """

    meanings: dict[str, str] = {}
    names: list[str] = []


class _Run(msgspec.Struct):
    """What is being evaluated: for those in a `file`, once the `job` has written it, or for all.

    `after` is how far it is: a place in the file, or the last profile. Who came behind the profile `until`
    was evaluated as they came; an import brings more of them than a page holds.
    """

    meanings: dict[str, str]
    gone: list[str]
    file: str = ""
    job: int = 0
    after: int = 0
    until: ProfileId = LAST_PROFILE


class _Waking(msgspec.Struct):
    """The file that says whom to evaluate when, and where in it the next ones stand."""

    file: str = ""
    start: int = 0
    files: int = 0


def evaluated_outputs(store: SQLiteStore) -> dict[str, str]:
    """What everybody was evaluated for: digests of what definitions mean, by `key_text`."""
    return (_read(store, _KNOWN, _Known) or _Known()).meanings


def waiting_profiles(store: SQLiteStore, data: Path, now: int) -> list[ProfileId]:
    """Profiles that `Population.due` would give at a moment (µs UTC), to whoever only looks."""
    waking = _read(store, _WAKING, _Waking) or _Waking()
    try:
        file = ChosenFile(data / waking.file) if waking.file else None
    except FileNotFoundError:  # all of them have been looked at meanwhile
        return []
    if file is None:
        return []
    try:
        return file.due(waking.start, now, file.later)
    finally:
        file.close()


class Population:
    """Sees to it that everybody is evaluated when definitions change."""

    def __init__(
        self,
        store: SQLiteStore,
        data: Path,
        evaluate: Callable[[Sequence[ProfileId], int], None],
        timezone: str,
        at_once: int = AT_ONCE_PROFILES,
    ) -> None:
        self._store = store
        self._data = data
        self._evaluate = evaluate
        self._timezone = timezone
        self._at_once = at_once
        self._known = _read(store, _KNOWN, _Known) or _Known()
        self._run = _read(store, _RUN, _Run)
        self._waking = _read(store, _WAKING, _Waking) or _Waking()
        self._files: dict[str, ChosenFile] = {}
        self._meanings: dict[str, str] = {}
        self._defined: frozenset[str] = frozenset()
        self._canceled = False
        self._work: Work | None = None
        self._evaluated = 0
        self._next_look = 0.0

    @property
    def done(self) -> bool:
        """Is everybody evaluated?"""
        return self._run is None and not self._canceled

    def use(self, plan: Plan, defined: Collection[Key]) -> None:
        """This is evaluated from now on; begin with what is new, go on where a crash cut it off.

        What is `defined` but not in the plan keeps its values and members.
        """
        self._meanings = {key_text(key): one for key, one in digests(plan, self._timezone).items()}
        self._defined = frozenset(map(key_text, defined))
        self._canceled = False
        held = (f"segment:{name}" for name in self._store.segment_sizes())
        names = sorted({*self._known.names, *self._meanings, *held})
        meanings = _common(self._known.meanings, self._meanings)
        if (names, meanings) != (self._known.names, self._known.meanings):
            self._known = _Known(meanings, names)
            self._keep(_KNOWN, self._known)
        if self._run is not None:
            self._limit(self._run, self._meanings)
        if self._run is None:
            self._start()
        elif self._store.jobs.open([EVALUATE]):  # that of a worker that was killed
            self._begin()
            self._tell()

    def only(self, plan: Plan) -> None:
        """Of what was in use only this still is evaluated: the rest is evaluated anew when it is again."""
        kept = {key_text(one.key) for one in plan.outputs}
        self._meanings = {name: one for name, one in self._meanings.items() if name in kept}
        self._known.meanings = _common(self._known.meanings, self._meanings)
        self._keep(_KNOWN, self._known)
        if self._run is not None:
            self._run.meanings = _common(self._run.meanings, self._meanings)
            self._keep(_RUN, self._run)

    def clock_fell(self, back: int) -> None:
        """The clock was ahead by so much (µs): what time alone changed by it is undone.

        Of a small step nothing is done: soon enough it is as late as was believed.
        """
        if back < _WRONG_US:
            return
        if self._run is not None:
            self._give_up(self._run)
        self._canceled, self._evaluated, self._known.meanings = False, 0, {}
        self._keep(_KNOWN, self._known)
        self._run = _Run(dict(self._meanings), [], until=self._store.newest_id())
        self._keep(_RUN, self._run)

    def step(self, now: int, *, hurry: bool = False) -> bool:
        """Evaluate the next page, and say whether there was one.

        `hurry` makes it a small one, after a batch so small that the page would be what events
        wait for.
        """
        run = self._run
        if run is None or (run.job and not self._is_chosen(run)):
            return False
        size = _IN_A_HURRY if hurry else _PROFILES_A_PAGE
        if run.file:
            page = self._open(run.file).page(run.after, size)
        else:
            page = self._store.profile_ids(run.after, size, run.until)
        if not page:
            self._finish(run)
            return self._run is not None
        self._evaluate(page, now)
        run.after = run.after + len(page) if run.file else page[-1]
        self._evaluated += len(page)
        self._keep(_RUN, run)
        if len(page) == size and self._work is None:
            self._begin()  # what takes one page only is no long work
        self._tell()
        return True

    def due(self, now: int, size: int) -> list[ProfileId]:
        """Profiles that time alone changed something of which was not evaluated for them yet."""
        waking = self._waking
        return self._open(waking.file).due(waking.start, now, size) if waking.file else []

    def looked_at(self, count: int) -> None:
        """So many of those that were due have been evaluated."""
        if count:
            self._waking.start += count
            self._keep(_WAKING, self._waking)
        self._drop_waking()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _start(self) -> None:
        """Begin with all that is new or gone, if there is anything."""
        known = self._known
        new = {k: one for k, one in self._meanings.items() if known.meanings.get(k) != one}
        gone = [name for name in known.names if name not in self._defined]
        self._evaluated = 0
        if not new and not gone:
            self._run = None
            self._store.set_setting(_RUN, None)
            return
        run = self._run = _Run(new, gone, until=self._store.newest_id())
        if self._store.counters().get("profiles", 0) > self._at_once:
            waking = self._waking
            waking.files += 1
            self._keep(_WAKING, waking)
            run.file = f"chosen/{waking.files}.bin"
            wanted = ChooseWanted(new, tuple(gone), run.file, waking.file, waking.start)
            subject = f"{len(new) + len(gone)} definitions"
            argument = msgspec.to_builtins(wanted)
            run.job = self._store.jobs.add(CHOOSE, subject, argument, now_us(), "onefold")
        self._keep(_RUN, run)

    def _limit(self, run: _Run, meanings: dict[str, str]) -> None:
        """Go on with what still means the same; where all are evaluated, begin anew if more is new.

        Of what meant something else meanwhile, what was found is void, even if it is as before again.
        """
        known = self._known.meanings
        run.meanings = _common(run.meanings, meanings)
        more = any(known.get(k) != one and k not in run.meanings for k, one in meanings.items())
        gone = any(name not in self._defined and name not in run.gone for name in self._known.names)
        if (not run.file and (more or gone)) or not (run.meanings or run.gone):
            self._give_up(run)
        else:
            self._keep(_RUN, run)

    def _give_up(self, run: _Run) -> None:
        if run.job:
            with contextlib.suppress(Conflict, NotFound):
                self._store.jobs.cancel(run.job, now_us(), "onefold")
        self._run = None
        self._end()
        self._drop(run.file)

    def _is_chosen(self, run: _Run) -> bool:
        """Look at the job; where it could not choose, all are evaluated."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _LOOK_SECONDS
        state = "failed"
        with contextlib.suppress(NotFound):  # the store is an older copy, or it was forgotten
            job = self._store.jobs.get(run.job)
            if job.is_open:
                return False
            state = job.state
        if state == "canceled":
            self._cancel()
            return False
        run.job = 0
        if state == "done" and (self._data / run.file).exists():
            before, self._waking.file, self._waking.start = self._waking.file, run.file, 0
            self._keep(_WAKING, self._waking)
            self._drop(before)
            chosen = self._open(run.file)
            log.info("profiles_chosen", now=chosen.now, later=chosen.later)
        else:
            log.warning("profiles_not_chosen", job=state)
            run.file = ""
        self._keep(_RUN, run)
        return True

    def _finish(self, run: _Run) -> None:
        known = self._known
        known.meanings |= run.meanings
        gone = {name for name in run.gone if name not in self._defined}
        known.names = [name for name in known.names if name not in gone]
        self._keep(_KNOWN, known)
        self._end()
        self._start()
        self._drop_waking()

    def _begin(self) -> None:
        self._work = begin(self._store, EVALUATE, "everybody")
        self._evaluated = max(self._evaluated, self._work.job.done)

    def _tell(self) -> None:
        """Say how far it is; stop where somebody asked for that.

        Who was not evaluated then is with their next event, or all are with the next change of
        definitions or the next start.
        """
        run = self._run
        if self._work is None or run is None:
            return
        everybody = self._store.counters().get("profiles", 0)
        total = self._open(run.file).now if run.file else everybody
        try:
            self._work.progress(self._evaluated, total, "evaluating")
        except Canceled:
            self._cancel()

    def _cancel(self) -> None:
        self._canceled = True
        self._run = None
        self._store.set_setting(_RUN, None)
        self._end()

    def _end(self) -> None:
        if self._work is not None:
            end(self._store, self._work, canceled=self._canceled)
        self._work, self._evaluated = None, 0

    def _open(self, name: str) -> ChosenFile:
        if name not in self._files:
            self._files[name] = ChosenFile(self._data / name)
        return self._files[name]

    def _drop_waking(self) -> None:
        """Whom it names was evaluated: the file goes."""
        waking = self._waking
        used = self._run is not None and self._run.file == waking.file
        if waking.file and not used and waking.start >= self._open(waking.file).later:
            name, waking.file, waking.start = waking.file, "", 0
            self._keep(_WAKING, waking)
            self._drop(name)

    def _drop(self, name: str) -> None:
        if not name or name == self._waking.file:
            return
        if name in self._files:
            self._files.pop(name).close()
        (self._data / name).unlink(missing_ok=True)

    def _keep(self, name: str, value: msgspec.Struct) -> None:
        self._store.set_setting(name, msgspec.json.encode(value))


def _common(some: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {name: one for name, one in some.items() if others.get(name) == one}


def _read(store: SQLiteStore, name: str, of: type[_S]) -> _S | None:
    kept = store.setting(name)
    return msgspec.json.decode(kept, type=of) if kept else None
