"""Which outputs can have changed of the profiles that a batch touches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from onefold.model.profile import Profile
from onefold.pipeline.adding import Touched
from onefold.pipeline.counts import Counts
from onefold.segment.cells import (
    METRIC,
    METRIC_BITS,
    NO_INTS,
    NO_VALUES,
    Cells,
    Ints,
    Numbered,
    distinct,
)
from onefold.segment.crossing import PLACE_BITS
from onefold.segment.runs import Runs
from onefold.segment.tallies import Held, Values
from onefold.segment.watching import Watch, Watches


class Changes(NamedTuple):
    """What a profile was told: which traits, and what was added to which rows of those that are touched."""

    traits: Iterable[str] = ()
    added: Sequence[int] = ()


class Task(NamedTuple):
    """A profile to look at: what changed it (None: it may be anything), and its buckets."""

    profile: Profile
    changes: Changes | None
    facts: Sequence[Counts]


class Concerned:
    """Which outputs can have changed of profiles, as pairs of a row and a place."""

    def __init__(
        self, tasks: Sequence[Task], watches: Watches, watch: Watch, touched: Touched | None
    ) -> None:
        rows = _Rows(tasks, watches, touched)
        self.tasks = rows.tasks
        """The task of each row; None of rows that are nobody's."""
        traits = [{} if one is None else one.profile.traits for one in self.tasks]
        self.values = Values(watches.columns, rows.held, traits, watch.spans)
        self.read: dict[int, dict[str, Any]] = {}
        """What was read of the columns that are not read at once."""
        added = rows.added
        for row, turn in zip(*watches.crossings.turns(added), strict=True):
            _bring_forward(self.tasks[row], turn)
        metrics = _one_by_one(rows, watches)
        pairs = []
        for row, task in enumerate(self.tasks):
            changes = task and task.changes
            if task and changes and (changes.traits or row in metrics):
                read = self.read[row] = {}
                places, soonest = watch.concerned(
                    changes.traits, metrics.get(row, ()), task.facts, read
                )
                bring_forward(task.profile, soonest)
                pairs += [row << PLACE_BITS | place for place in places]
        found = watches.crossings.found(rows.now, added, watch.spans)
        self.pairs: Ints = found
        if pairs:
            self.pairs = distinct(np.concatenate([found, np.array(pairs, np.int64)]))


class _Rows:
    """The profiles by row: that of one of their touched identifiers, else of their own."""

    def __init__(self, tasks: Sequence[Task], watches: Watches, touched: Touched | None) -> None:
        columns = watches.columns
        known = touched.counts if touched else ()
        self.tasks: list[Task | None] = [None] * len(known)
        self.rest = touched.rest if touched else {}
        row_of = np.full(len(known), -1)
        more: list[bytes] = []
        several: dict[int, list[int]] = {}
        for task in tasks:
            own: Sequence[int] = task.changes.added  # type: ignore[union-attr]
            if len(own) == len(task.facts) == 1:
                row = own[0]
                self.tasks[row], row_of[row] = task, row
                continue
            row = own[0] if own else len(self.tasks)
            others = [one.run for one in task.facts if one.run]
            if own:
                self.tasks[row], row_of[list(own)] = task, row
                mine = {id(known[one]) for one in own}
                others = [one.run for one in task.facts if one.run and id(one) not in mine]
            else:
                self.tasks.append(task)
                others = others or [b""]
            start = len(known) + len(more)
            several[row] = [*own, *range(start, start + len(others))]
            more += others
        runs = touched.runs.with_more(more) if touched else Runs.of(more)
        if not any(len(own) != 1 or own[0] != row for row, own in several.items()):
            several = {}
        self.held = Held(runs, columns.numbered, len(self.tasks), several)
        added = now = _none(columns.numbered) if touched is None else touched.added
        if touched is not None:
            added, now = added.by(columns.numbered), touched.now.by(columns.numbered)
            if several or (row_of < 0).any():
                added = added.of_rows(row_of)
                now = self.held.cells(added.pairs) if several else now.of_rows(row_of)
        self.added, self.now = added, now


def _none(numbered: Numbered) -> Cells:
    return Cells(NO_INTS, np.zeros(1, np.int64), NO_INTS, NO_INTS, NO_VALUES, numbered)


def _one_by_one(rows: _Rows, watches: Watches) -> dict[int, set[str]]:
    """The metrics that were added to and that something reads which is read one by one, by row."""
    found: dict[int, set[str]] = {}
    wanted = watches.by_metric
    if not wanted:
        return found
    names, added = watches.columns.numbered.names, rows.added
    read = np.array([one in wanted for one in names], np.bool_)
    if read.any():
        for pair in added.pairs[read[added.metrics]].tolist():
            found.setdefault(pair >> METRIC_BITS, set()).add(names[pair & METRIC])
    if rows.rest:
        for row, task in enumerate(rows.tasks):
            for one in task.changes.added if task and task.changes else ():
                more = rows.rest.get(one)
                if more and (also := wanted.keys() & more.keys()):
                    found.setdefault(row, set()).update(also)
    return found


def _bring_forward(task: Task | None, due: int) -> None:
    if task is not None:
        bring_forward(task.profile, due)


def bring_forward(profile: Profile, due: int | None) -> None:
    """Look at a profile at a moment, if that is sooner than it would be."""
    if due is not None and (not profile.due or due < profile.due):
        profile.due = due
