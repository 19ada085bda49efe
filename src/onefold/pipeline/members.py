"""The plan in the pipeline: buckets of the batch's events, outputs of the touched profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa
import structlog

from onefold.engine import DuckEngine
from onefold.model.definitions import Definitions, DestinationDefinition
from onefold.model.profile import NO_BUCKETS, Node, NodeId, ProfileId
from onefold.pipeline.adding import Adding, Touched
from onefold.pipeline.concerned import Changes, Task
from onefold.pipeline.counting import Counting
from onefold.pipeline.counts import Counted, Counts, decode_buckets, encode_buckets
from onefold.pipeline.echoes import Echoes
from onefold.pipeline.evaluation import Evaluation
from onefold.pipeline.increments import Increments
from onefold.pipeline.outcomes import MemberChanges, ValueChanges, count_change
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.segment import (
    compile_plan,
    merge_into,
    oldest_kept,
    prune,
    wanted_by,
)
from onefold.segment.buckets import Buckets, Kept
from onefold.segment.metric import Metric
from onefold.segment.parts import upward, without
from onefold.segment.plan import Key, OutputKind, Plan
from onefold.segment.window import Unit, bucket_at
from onefold.store import BatchWrite

_FILLING = "its past is being counted"
log = structlog.get_logger(__name__)


class Opened(NamedTuple):
    """The nodes whose buckets a batch changed; of those `anew` something else changed too."""

    touched: Touched | None
    anew: set[NodeId]


NOTHING_OPENED = Opened(None, set())


class Members:
    """Evaluates all live segments, computed traits and tags; knows nothing of the store."""

    def __init__(self, engine: DuckEngine, timezone: str, echoes: Echoes | None = None) -> None:
        self._engine = engine
        self._timezone = timezone
        self._echoes = echoes
        self._destinations: tuple[DestinationDefinition, ...] = ()
        self._versions: dict[str, int] = {}
        self._counted = Counted()
        self._plan = compile_plan([])
        self._defined: dict[Key, OutputKind | None] = {}
        self._held: dict[Key, str] = {}
        self._units: set[Unit] = set()
        self._kept: tuple[dict[Unit, int], Mapping[str, Kept]] | None = None
        self._void: list[tuple[int, set[str]]] = []
        self._evaluated = self._plan
        self._evaluation = Evaluation(engine, self._plan, timezone)
        self._counting = Counting(engine, (), timezone)
        self._adding = Adding(())
        self.batch = 0
        """The number of the batch that is being folded."""
        self.settled = False
        """Was everybody evaluated by what is in force? Then only what changes is looked at."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the live definitions count."""
        return self._plan.metrics

    @property
    def failing(self) -> dict[Key, str]:
        """The definitions that cannot be used or evaluated, and why."""
        refused = {key: str(error) for key, error in self._plan.refused.items()}
        held = {key: reason for key, reason in self._held.items() if reason != _FILLING}
        return refused | held | self._evaluation.failing

    @property
    def filling(self) -> list[Key]:
        """The definitions that wait until their past is counted."""
        return [key for key, reason in self._held.items() if reason == _FILLING]

    @property
    def evaluated(self) -> Plan:
        """What is evaluated: all but what fails, or waits for its past."""
        return self._evaluation.plan

    @property
    def defined(self) -> frozenset[Key]:
        """All that has values or members."""
        values = {key for key in self._defined if key[0] == "value"}
        return frozenset(values | {("segment", name) for name in self._versions})

    @property
    def tells(self) -> bool:
        """Is anybody told of entries and exits?"""
        return bool(self._destinations)

    def use(self, definitions: Definitions) -> None:
        """Put these definitions in force; one that cannot be used is left as it stands."""
        self._versions = {one.name: one.version for one in definitions.segments}
        self._destinations = definitions.destinations
        plan = compile_plan(wanted_by(definitions))
        if plan == self._plan and not self._evaluation.failing:
            return
        self._plan = plan
        for key, error in plan.refused.items():
            log.error("definition_refused", kind=key[0], name=key[1], faults=str(error))
        self._defined = {
            **dict.fromkeys(plan.refused),
            **{one.key: one.kind for one in plan.outputs},
        }
        self._units, self._kept = {metric.granularity for metric in plan.metrics}, None
        self._counting.close()
        self._counting = Counting(self._engine, plan.metrics, self._timezone)
        self._adding = Adding(plan.metrics, self.batch)
        self._evaluate_only(plan)
        self.rely_on(Counted())

    def rely_on(self, counted: Counted) -> None:
        """Evaluate what is counted whole; the rest keeps its last values and members."""
        self._counted = counted
        void: dict[int, set[str]] = {}
        for name, batch in counted.since.items():
            void.setdefault(batch, set()).add(name)
        self._void = sorted(void.items(), key=lambda one: one[0], reverse=True)
        whole = self._plan
        wrong = {**dict.fromkeys(counted.filling, _FILLING), **counted.failing}
        self._held = {
            one.key: wrong[metric.id]
            for one in whole.outputs
            for metric in one.metrics
            if metric.id in wrong
        }
        rest = without(whole, self._held)
        kept = {one.key for one in rest.outputs}
        for one in upward(whole.outputs):
            if one.key not in kept and one.key not in self._held:
                self._held[one.key] = next(self._held[key] for key in one.uses if key in self._held)
        if rest != self._evaluated:
            self._evaluate_only(rest)

    def _evaluate_only(self, plan: Plan) -> None:
        self._evaluated = plan
        self._evaluation.close()
        self._evaluation = Evaluation(self._engine, plan, self._timezone)

    def close(self) -> None:
        """Forget the plans of all queries."""
        self._evaluation.close()
        self._counting.close()

    def count(self, events: pa.Table) -> Increments:
        """What events, as rows of the lake, add to their owners' buckets."""
        return self._counting.count(events)

    @property
    def uncountable(self) -> dict[str, str]:
        """The metrics that `count` had to leave out, and why."""
        return self._counting.failing

    def add_buckets(self, counted: Increments, nodes: Mapping[NodeId, Node], now: int) -> Opened:
        """Add what was counted to its owners' buckets; give those that changed."""
        self._hold(self.uncountable)
        # A claim that waits is nobody's event.
        owners = [nodes[one] for one in counted.owners if one in nodes]
        oldest = self._oldest_kept(now)
        anew = {node.id for node in self._bring_up(owners, oldest)}
        return Opened(self._adding.add(counted, owners, oldest, self.batch), anew)

    def _oldest_kept(self, now: int) -> Mapping[str, Kept]:
        """Which buckets can still matter: the same until a bucket of some metric ends."""
        current = {unit: bucket_at(unit, now, self._timezone) for unit in self._units}
        if self._kept is None or self._kept[0] != current:
            self._kept = current, oldest_kept(self.metrics, now, self._timezone)
        return self._kept[1]

    def _hold(self, failing: Mapping[str, str]) -> None:
        """Metrics cannot be counted: what needs them stays as it is."""
        new = failing.keys() - self._counted.failing.keys()
        if new:
            self._counted.lost(new)
            every = {**self._counted.failing, **failing}
            self.rely_on(msgspec.structs.replace(self._counted, failing=every))

    def _bring_up(self, nodes: Sequence[Node], oldest: Mapping[str, Kept]) -> list[Node]:
        """Let nodes hold what was counted of their past meanwhile, and nothing void; gives the changed."""
        pasts = [
            (past, past.buckets([one.id for one in nodes if one.counted <= past.ready_at]))
            for past in self._counted.pasts
        ]
        if not (self._void or any(found for _, found in pasts)):
            return []
        changed = []
        for node in nodes:
            void = {name for batch, names in self._void if batch >= node.counted for name in names}
            more = [
                found[node.id]
                for past, found in pasts
                if node.counted <= past.ready_at and node.id in found
            ]
            if not (more or (void and not void.isdisjoint(Counts(node.buckets)))):
                continue
            buckets = {
                name: one for name, one in decode_buckets(node.buckets).items() if name not in void
            }
            for found in more:
                merge_into(buckets, found)
            prune(buckets, oldest)
            node.buckets = encode_buckets(buckets)
            node.counted = self.batch
            changed.append(node)
        return changed

    def evaluate(
        self,
        working: Working,
        rows: Rows,
        write: BatchWrite,
        opened: Opened,
        now: int,
    ) -> None:
        """Find what is computed of each profile, who enters and leaves, and what that sets in motion.

        Only profiles are looked at of which something changed that a rule can see: traits,
        identifiers, counts, or the time (`working.overdue`).
        """
        change = MemberChanges(self._destinations, self._versions, rows, write, now, self._echoes)
        for number, profile in working.removed.items():
            for segment in list(profile.members):
                change.leave(number, profile, segment)
            for tag, value in profile.tags.items():
                count_change(write, tag, value, None)
        tasks = self._tasks(working, opened, now)
        due = {number: working.profiles[number].due for number in tasks}
        values = ValueChanges(rows, write)
        for found in self._evaluation.run(tasks.values(), now, opened.touched):
            told = values.settle(found)
            working.told.update(told)
            working.changed.update(told)
            working.changed.update(change.settle(found))
        for number, before in due.items():
            profile = working.profiles[number]
            if profile.due != before:
                working.changed.add(number)
            if tasks[number].changes is None:
                for segment in [one for one in profile.members if one not in self._versions]:
                    change.leave(number, profile, segment)
                    working.changed.add(number)
                if values.forget(profile, self._defined):
                    working.told.add(number)
                    working.changed.add(number)

    def _tasks(self, working: Working, opened: Opened, now: int) -> dict[ProfileId, Task]:
        """What to look at, by profile in their order."""
        everything = working.regrouped | working.overdue
        everything.update(working.home[node] for node in opened.anew)
        added: dict[ProfileId, list[int]] = {}
        for row, node in enumerate(opened.touched.owners if opened.touched else ()):
            added.setdefault(working.home[node], []).append(row)
        numbers = sorted(everything | added.keys() | working.retold.keys())
        facts = self._facts(working, numbers, opened.touched, now)
        tasks = {}
        for number in numbers:
            profile = working.profiles[number]
            changes = None
            if self.settled and number not in everything and not 0 < profile.due <= now:
                changes = Changes(working.retold.get(number, ()), added.get(number, ()))
            tasks[number] = Task(profile, changes, facts[number])
        return tasks

    def _facts(
        self, working: Working, numbers: Sequence[ProfileId], touched: Touched | None, now: int
    ) -> dict[ProfileId, list[Counts]]:
        """The buckets of each profile's nodes; a node that lacked some of its past gets it."""
        known = dict(zip(touched.owners, touched.counts, strict=True)) if touched else {}
        facts: dict[ProfileId, list[Counts]] = {}
        closed: list[Node] = []
        for number in numbers:
            own = facts[number] = []
            for node in working.profiles[number].nodes:
                counts = known.get(node.id)
                if counts is not None:
                    own.append(counts)
                elif node.buckets != NO_BUCKETS or self._counted.pasts:
                    closed.append(node)
        if self._counted.pasts or self._void:
            for node in self._bring_up(closed, self._oldest_kept(now)):
                working.changed.add(working.home[node.id])
        for node in closed:
            facts[working.home[node.id]].append(Counts(node.buckets))
        return facts


def buckets_of(node: Node) -> Buckets:
    """The buckets of a node, decoded."""
    return decode_buckets(node.buckets)
