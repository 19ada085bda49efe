"""Computing the outputs of a plan for profiles: everything, or what something can have changed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from onefold.engine import DuckEngine, PlannedQuery
from onefold.model.errors import Damaged
from onefold.model.profile import Profile
from onefold.segment import Plan
from onefold.segment.cases import Cases, Choice, cases_key, cases_of
from onefold.segment.metric import Type
from onefold.segment.parts import part_of, upward, without
from onefold.segment.plan import Key, Output
from onefold.segment.shapes import ShapeQuery, singles_of
from onefold.segment.watching import Changes, Watch, Watches
from onefold.segment.window_reading import Facts
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
_NO_TREE = object()
_MOST_TREES = 10_000
_trees: dict[tuple[Any, ...], Any] = {}
log = structlog.get_logger(__name__)


class Task(NamedTuple):
    """A profile to look at: what changed it (None: it may be anything), and its buckets."""

    profile: Profile
    changes: Changes | None
    facts: Sequence[Facts]


class Found(NamedTuple):
    """What was computed of some profiles: one column of values for each output."""

    tasks: Sequence[Task]
    outputs: Sequence[Output]
    columns: Sequence[pa.ChunkedArray]


Answer = tuple[Output, Profile, Any]
"""What one output is of one profile."""


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
        self._watch = Watch(Watches(self._singles), 0, self._zone)
        self._trees: list[Any] | None = None

    def run(self, tasks: Iterable[Task], now: int) -> Iterator[Found | list[Answer]]:
        """Compute what can have changed; keeps each profile's `due` true."""
        whole: list[Task] = []
        changed: list[Task] = []
        for task in tasks:
            (whole if task.changes is None else changed).append(task)
        if changed:
            whole += yield from self._changed(changed, now)
        yield from self._whole(whole, now)

    def _changed(
        self, tasks: Sequence[Task], now: int
    ) -> Generator[list[Answer], None, list[Task]]:
        """Answer what can have changed; gives the profiles for which that needs the whole plan."""
        if self._trees is None:
            self._trees = self._ask_cases()
        self._watch.move(now)
        rows = _Rows(self.plan, self._watch, self._trees, len(self._shapes))
        whole = [task for task in tasks if not rows.add(task)]
        answers = rows.answered.copy()
        for number, asked in enumerate(rows.asked):
            if asked.rows:
                try:
                    answers += self._answers(number, asked)
                except Damaged as error:
                    log.warning("shapes_failed", rows=len(asked.rows), error=str(error))
                    again = {task.profile.id: task for task in asked.tasks}
                    whole += [task for task in again.values() if task not in whole]
        if len(answers) > len(rows.answered):
            # History is told in the order of the plan, however something was found.
            place = {one.key: number for number, one in enumerate(self.plan.outputs)}
            answers.sort(key=lambda answer: place[answer[0].key])
        if answers:
            yield answers
        return whole

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
        return [_trees.get(cases_key(single), _NO_TREE) for single in self._singles]

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
                    _bring_forward(task.profile, soonest)

    def _table(self, plan: Plan, tasks: Sequence[Task], now: int) -> pa.Table:
        features = plan.features(now, self._timezone)
        rows = []
        for task in tasks:
            profile = task.profile
            row, soonest = features.row(profile.traits, task.facts)
            rows.append((profile.id, *row))
            _bring_forward(profile, soonest)
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


class _Rows:
    """The outputs that can have changed: answered, or as rows of the queries that compute them."""

    def __init__(self, plan: Plan, watch: Watch, trees: Sequence[Any], queries: int) -> None:
        self._outputs = plan.outputs
        self._watch = watch
        self._trees = trees
        self.answered: list[Answer] = []
        self.asked = [Asked([], [], []) for _ in range(queries)]

    def add(self, task: Task) -> bool:
        """Add a profile; False if only the whole plan can say what is true of it."""
        values: dict[str, Any] = {}
        profile, changes, facts = task
        assert changes is not None
        watch, trees, outputs, traits = self._watch, self._trees, self._outputs, profile.traits
        places, soonest = watch.concerned(changes, facts, values)
        _bring_forward(profile, soonest)
        for place in sorted(places):
            tree = trees[place]
            if tree is not _NO_TREE:
                while type(tree) is Choice:
                    name = tree.name
                    if name not in values:
                        values[name] = watch.read(tree.column)(traits, facts)
                    tree = tree.next(values[name])
                self.answered.append((outputs[place], profile, tree))
                continue
            query, single, reads = watch.row(place)
            if query is None:
                return False
            filled = list(single.row)
            for at, name, read in reads:
                if name not in values:
                    values[name] = read(traits, facts)
                filled[at] = values[name]
            asked = self.asked[query]
            asked.tasks.append(task)
            asked.outputs.append(single.output)
            asked.rows.append(filled)
        return True


def _bring_forward(profile: Profile, due: int | None) -> None:
    if due is not None and (not profile.due or due < profile.due):
        profile.due = due


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
