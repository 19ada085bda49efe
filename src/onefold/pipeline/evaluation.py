"""Computing the outputs of a plan for profiles: everything, or what something can have changed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from onefold.engine import DuckEngine, PlannedQuery
from onefold.model.errors import Damaged
from onefold.model.profile import Profile
from onefold.pipeline.adding import Touched
from onefold.pipeline.concerned import Concerned, Task, bring_forward
from onefold.segment import Plan
from onefold.segment.cases import Cases, Choice, cases_key, cases_of
from onefold.segment.cells import Ints, firsts
from onefold.segment.crossing import PLACE_BITS
from onefold.segment.forest import NO_TREE, Forest
from onefold.segment.metric import Type
from onefold.segment.parts import part_of, upward, without
from onefold.segment.plan import Key, Output
from onefold.segment.shapes import ShapeQuery, singles_of
from onefold.segment.tallies import Values
from onefold.segment.watching import Watch, Watches
from onefold.segment.zone import load_zone

_TYPES: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.int64(),
    "time": pa.int64(),
    "list": pa.list_(pa.string()),
    "numbers": pa.list_(pa.float64()),
    "object": pa.string(),
}
_WHOLE = -1
_MOST_TREES = 10_000
_trees: dict[tuple[Any, ...], Any] = {}
log = structlog.get_logger(__name__)


class Found(NamedTuple):
    """What was computed of some profiles: one column of values for each output."""

    tasks: Sequence[Task]
    outputs: Sequence[Output]
    columns: Sequence[pa.ChunkedArray]


Answer = tuple[Output, Profile, Any]
"""What one output is of one profile."""


class Numbers(NamedTuple):
    """Computed traits that are numbers: the first profile's from the first of `starts` to the next."""

    profiles: Sequence[Profile]
    starts: Sequence[int]
    names: Sequence[str]
    values: Sequence[float | None]


class Looked(NamedTuple):
    """What was computed of what can have changed."""

    numbers: Numbers
    answers: list[Answer]


class Asked(NamedTuple):
    """The rows of one query: of which profile each is, and of which output."""

    tasks: list[Task]
    outputs: list[Output]
    rows: list[list[Any]]


class Evaluation:
    """Evaluates one plan. An output whose query fails is left out from then on, and named."""

    def __init__(self, engine: DuckEngine, plan: Plan, timezone: str) -> None:
        self._engine = engine
        self._timezone = timezone
        self._zone = load_zone(timezone)
        self._queries: dict[int, PlannedQuery] = {}
        self.failing: dict[Key, str] = {}
        self._use(plan)

    def _use(self, plan: Plan) -> None:
        self.plan = plan
        """What is evaluated: the plan without what failed."""
        self._singles, self._shapes = singles_of(plan)
        self._watches = Watches(self._singles, plan.metrics)
        self._watch = Watch(self._watches, 0, self._zone)
        self._trees: list[Any] | None = None
        self._forest: Forest | None = None
        self._segments = [one.name if one.kind == "segment" else None for one in plan.outputs]
        self._place = {one.key: place for place, one in enumerate(plan.outputs)}

    def run(
        self, tasks: Iterable[Task], now: int, touched: Touched | None = None
    ) -> Iterator[Found | Looked]:
        """Compute what can have changed, if identifiers were `touched`; keeps each profile's `due` true.

        Of segments that were looked at for what changed, only other answers than the members are given.
        """
        whole: list[Task] = []
        changed: list[Task] = []
        for task in tasks:
            (whole if task.changes is None else changed).append(task)
        if changed:
            whole += yield from self._changed(changed, now, touched)
        yield from self._whole(whole, now)

    def _changed(
        self, tasks: Sequence[Task], now: int, touched: Touched | None
    ) -> Generator[Looked, None, list[Task]]:
        """Answer what can have changed; gives the profiles for which that needs the whole plan."""
        if self._trees is None or self._forest is None:
            self._trees = self._ask_cases()
            self._forest = Forest(self._trees, self._watches.columns)
        self._watch.move(now)
        known = self._watches.columns.in_runs
        whole = [
            task
            for task in tasks
            for one in task.facts
            if one.rest and not known.isdisjoint(one.rest)
        ]
        if whole:  # something of theirs is too large to be read at once
            too_large = {task.profile.id: task for task in whole}
            whole = list(too_large.values())
            tasks = [task for task in tasks if task.profile.id not in too_large]
        concerned = Concerned(tasks, self._watches, self._watch, touched)
        answers, numbers, left = self._at_once(concerned, self._forest)
        apart = _Apart(self.plan, self._watch, self._trees, len(self._shapes))
        for row, pairs in groupby(left, lambda pair: pair[0]):
            task = concerned.tasks[row]
            assert task is not None
            read = concerned.read.setdefault(row, {})
            if not apart.add(task, [place for _, place in pairs], read):
                whole.append(task)
        answers += apart.answered
        for number, asked in enumerate(apart.asked):
            if asked.rows:
                try:
                    answers += self._answers(number, asked)
                except Damaged as error:
                    log.warning("shapes_failed", rows=len(asked.rows), error=str(error))
                    again = {task.profile.id: task for task in asked.tasks}
                    for task in whole:
                        again.pop(task.profile.id, None)
                    whole += again.values()
        if answers:
            # History is told in the order of the plan, however something was found.
            answers.sort(key=lambda answer: self._place[answer[0].key])
        if answers or numbers.profiles:
            yield Looked(numbers, answers)
        return whole

    def _at_once(
        self, concerned: Concerned, forest: Forest
    ) -> tuple[list[Answer], Numbers, list[tuple[int, int]]]:
        """Answer what has a tree or is but a number, of all profiles together; gives the other pairs of
        a row and a place too.
        """
        rows, places = concerned.pairs >> PLACE_BITS, concerned.pairs & (1 << PLACE_BITS) - 1
        tasks, outputs = concerned.tasks, self.plan.outputs
        answers: list[Answer] = []
        plain = self._watches.plain[places]
        walked, told = forest.walked[places].nonzero()[0], (plain >= 0).nonzero()[0]
        row, place = rows[walked], places[walked]
        found = forest.walk(row, place, concerned.values)
        members = [task.profile.members if task else {} for task in tasks]
        segments = self._segments
        for one, at, value in zip(row.tolist(), place.tolist(), found, strict=True):
            # Nearly always they are what they were.
            name = segments[at]
            if name is None or (name in members[one]) != value:
                answers.append((outputs[at], tasks[one].profile, value))
        numbers = self._numbers(tasks, rows[told], places[told], concerned.values)
        if len(walked) + len(told) == len(rows):
            return answers, numbers, []
        rest = np.ones(len(rows), np.bool_)
        rest[walked] = rest[told] = False
        left = list(zip(rows[rest].tolist(), places[rest].tolist(), strict=True))
        return answers, numbers, left

    def _numbers(self, tasks: Sequence[Any], rows: Ints, places: Ints, read: Values) -> Numbers:
        """The computed traits that are but a number, each of a row, which ascend."""
        starts = firsts(rows).nonzero()[0] if len(rows) else rows
        owners = [tasks[row].profile for row in rows[starts].tolist()]
        outputs = self.plan.outputs
        names = [outputs[place].name for place in places.tolist()]
        values = read.told(rows, self._watches.plain[places])
        return Numbers(owners, [*starts.tolist(), len(rows)], names, values)

    def _ask_cases(self) -> list[Any]:
        """The trees of the outputs that depend on few cases: the engine answers each case once."""
        waiting: dict[int, list[tuple[tuple[Any, ...], Cases, list[list[Any]]]]] = {}
        for single in self._singles:
            key = cases_key(single)
            if key not in _trees and (cases := cases_of(single)) and single.query is not None:
                rows = list(cases.rows(single))
                waiting.setdefault(single.query, []).append((key, cases, rows))
        if len(_trees) > _MOST_TREES:
            _trees.clear()
        for query, asked in waiting.items():
            try:
                found = self._run(query, [row for _, _, rows in asked for row in rows])
            except Damaged as error:
                log.warning("cases_failed", outputs=len(asked), error=str(error))
                continue  # what fails is found as it is needed
            answers = found.column(0).to_pylist()
            for key, cases, rows in asked:
                own, answers = answers[: len(rows)], answers[len(rows) :]
                _trees[key] = cases.tree(own)
        return [_trees.get(cases_key(single), NO_TREE) for single in self._singles]

    def _run(self, number: int, rows: Sequence[Sequence[Any]]) -> pa.Table:
        shape = self._shapes[number]
        schema = _shape_schema(shape)
        query = self._queries.get(number)
        if query is None:
            query = self._engine.prepare("shapes", shape.sql, "asked", schema)
            self._queries[number] = query
        return query.run(pa.table(list(zip(*rows, strict=True)), schema=schema))

    def _answers(self, number: int, asked: Asked) -> list[Answer]:
        values, days, moments = self._run(number, asked.rows).columns
        self._turn(asked.tasks, days, moments)
        profiles = (task.profile for task in asked.tasks)
        return list(zip(asked.outputs, profiles, values.to_pylist(), strict=True))

    def _whole(self, tasks: list[Task], now: int) -> Iterator[Found]:
        plan = self.plan
        if not tasks:
            return
        for task in tasks:
            task.profile.due = task.profile.until
        if not plan.outputs:
            return
        table = self._table(plan, tasks, now)
        failing: dict[Key, str] = {}
        try:
            query = self._queries.get(_WHOLE)
            if query is None:
                query = self._queries[_WHOLE] = _planned(self._engine, plan)
            found = query.run(table)
        except Damaged as error:
            log.warning("plan_failed", outputs=len(plan.outputs), error=str(error))
            for part, columns in self._apart(plan, upward(plan.outputs), table, failing):
                yield self._found(tasks, part, columns)
        else:
            yield self._found(tasks, plan, found.columns[1:])
        if failing:
            self._leave_out(failing)

    def _found(
        self, tasks: Sequence[Task], plan: Plan, columns: Sequence[pa.ChunkedArray]
    ) -> Found:
        """Take the times at which a profile turns by itself off the columns."""
        *values, days, moments = columns
        self._turn(tasks, days, moments)
        return Found(tasks, plan.outputs, values)

    def _turn(self, tasks: Sequence[Task], days: pa.ChunkedArray, moments: pa.ChunkedArray) -> None:
        if days.null_count < len(days) or moments.null_count < len(moments):
            starts = {
                day: self._zone.day_start(day) for day in pc.unique(days.drop_null()).to_pylist()
            }
            for task, day, moment in zip(tasks, days.to_pylist(), moments.to_pylist(), strict=True):
                for soonest in (starts.get(day), moment):
                    bring_forward(task.profile, soonest)

    def _table(self, plan: Plan, tasks: Sequence[Task], now: int) -> pa.Table:
        features = plan.features(now, self._timezone)
        rows = []
        for task in tasks:
            profile = task.profile
            row, soonest = features.row(profile.traits, task.facts)
            rows.append((profile.id, *row))
            bring_forward(profile, soonest)
        return pa.table(list(zip(*rows, strict=True)), schema=plan_schema(plan))

    def _apart(
        self, plan: Plan, outputs: Sequence[Output], table: pa.Table, failing: dict[Key, str]
    ) -> Iterator[tuple[Plan, Sequence[pa.ChunkedArray]]]:
        """Find by halves the outputs that fail: first those that others refer to."""
        whole = without(plan, failing)
        part = part_of(whole, {one.key for one in outputs} & {one.key for one in whole.outputs})
        if not part.outputs:
            return
        try:
            query = _planned(self._engine, part)
            found = query.run(table.select([name for name, _ in _fields(part)]))
            query.close()
        except Damaged as error:
            if len(outputs) == 1:
                failing[outputs[0].key] = str(error).split("\n", 1)[0]
                return
            middle = len(outputs) // 2
            yield from self._apart(plan, outputs[:middle], table, failing)
            yield from self._apart(plan, outputs[middle:], table, failing)
        else:
            yield part, found.columns[1:]

    def _leave_out(self, failing: dict[Key, str]) -> None:
        rest = without(self.plan, failing)
        kept = {one.key for one in rest.outputs}
        for one in self.plan.outputs:
            if one.key not in kept:
                reason = failing.get(one.key, "it refers to one that fails")
                self.failing[one.key] = reason
                log.error("definition_fails", kind=one.kind, name=one.name, reason=reason)
        self.close()
        self._use(rest)

    def close(self) -> None:
        """Forget the plans of queries."""
        for query in self._queries.values():
            query.close()
        self._queries.clear()


class _Apart:
    """Outputs that are not found at once: answered, or as rows of the queries that compute them."""

    def __init__(self, plan: Plan, watch: Watch, trees: Sequence[Any], queries: int) -> None:
        self._outputs = plan.outputs
        self._watch = watch
        self._trees = trees
        self.answered: list[Answer] = []
        self.asked = [Asked([], [], []) for _ in range(queries)]

    def add(self, task: Task, places: Sequence[int], values: dict[str, Any]) -> bool:
        """Add a profile; False if only the whole plan can say what is true of it."""
        profile, _, facts = task
        watch, trees, outputs, traits = self._watch, self._trees, self._outputs, profile.traits
        for place in places:
            tree = trees[place]
            if tree is not NO_TREE:
                while type(tree) is Choice:
                    name = tree.name
                    if name not in values:
                        values[name] = watch.read(tree.column)(traits, facts)
                    tree = tree.next(values[name])
                self.answered.append((outputs[place], profile, tree))
                continue
            query, single, reads, is_text = watch.row(place)
            if query is None:
                return False
            filled = list(single.row)
            for at, name, read in reads:
                if name not in values:
                    values[name] = read(traits, facts)
                filled[at] = values[name]
            if is_text:
                self.answered.append((single.output, profile, filled[reads[0][0]]))
                continue
            asked = self.asked[query]
            asked.tasks.append(task)
            asked.outputs.append(single.output)
            asked.rows.append(filled)
        return True


def _planned(engine: DuckEngine, plan: Plan) -> PlannedQuery:
    return engine.prepare("plan", plan.live_sql, "profiles", plan_schema(plan))


def _shape_schema(shape: ShapeQuery) -> pa.Schema:
    slots = [(name, _TYPES[of]) for name, of in shape.slots]
    return pa.schema([("shape", pa.int32()), *slots])


def plan_schema(plan: Plan) -> pa.Schema:
    """What a plan's query reads of each profile."""
    return pa.schema(_fields(plan))


def _fields(plan: Plan) -> list[tuple[str, pa.DataType]]:
    return [("profile", pa.int64()), *((one.name, _TYPES[one.type]) for one in plan.columns)]
