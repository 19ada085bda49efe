"""The plan in the pipeline: buckets of the batch's events, outputs of the touched profiles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import structlog

from onefold.activate.webhook import membership_payload, message_id
from onefold.engine import DuckEngine
from onefold.model.definitions import Definitions, DestinationDefinition
from onefold.model.delivery import Delivery
from onefold.model.given import visible
from onefold.model.profile import NO_BUCKETS, Node, NodeId, Profile, ProfileId, profile_name
from onefold.model.records import Identifier
from onefold.pipeline.counting import Counting
from onefold.pipeline.counts import Counts, decode_buckets, encode_buckets
from onefold.pipeline.evaluation import Evaluation, Found, Task
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.segment import (
    bucket_query,
    compile_plan,
    oldest_kept,
    prune,
    read_rows,
    wanted_by,
)
from onefold.segment.buckets import Buckets
from onefold.segment.metric import Metric
from onefold.segment.plan import Key, Output
from onefold.segment.sections import Cause
from onefold.store import BatchWrite

_EXACT = float(1 << 53)
log = structlog.get_logger(__name__)


class Opened(NamedTuple):
    """The nodes whose buckets a batch changed: what they are now, and which events they counted."""

    counts: dict[NodeId, Counts]
    names: dict[NodeId, set[str]]


NOTHING_OPENED = Opened({}, {})


class Members:
    """Evaluates all live segments, computed traits and tags; knows nothing of the store."""

    def __init__(self, engine: DuckEngine, timezone: str) -> None:
        self._engine = engine
        self._timezone = timezone
        self._evaluation = Evaluation(engine, compile_plan([]), timezone)
        self._counting = Counting(engine, (), timezone)
        self._versions: dict[str, int] = {}
        self._destinations: tuple[DestinationDefinition, ...] = ()
        self._metrics: tuple[Metric, ...] = ()
        self._names: dict[str, str] = {}
        self._defined: frozenset[Key] = frozenset()
        self._refused: dict[Key, str] = {}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the live definitions count."""
        return self._metrics

    @property
    def failing(self) -> dict[Key, str]:
        """The definitions that cannot be used or evaluated, and why."""
        return self._refused | self._evaluation.failing

    def use(self, definitions: Definitions) -> None:
        """Put these definitions in force; one that cannot be used is left as it stands."""
        plan = compile_plan(wanted_by(definitions))
        self._refused = {key: str(error) for key, error in plan.refused.items()}
        for key, reason in self._refused.items():
            log.error("definition_refused", kind=key[0], name=key[1], faults=reason)
        self.close()
        self._evaluation = Evaluation(self._engine, plan, self._timezone)
        self._counting = Counting(self._engine, plan.metrics, self._timezone)
        self._metrics = plan.metrics
        self._names = {metric.id: metric.event for metric in plan.metrics}
        self._versions = {one.name: one.version for one in definitions.segments}
        self._defined = frozenset({one.key for one in plan.outputs} | plan.refused.keys())
        self._destinations = definitions.destinations

    def close(self) -> None:
        """Forget the plans of all queries."""
        self._evaluation.close()
        self._counting.close()

    def count(self, events: pa.Table) -> list[tuple[Any, ...]]:
        """What events, as rows of the lake, add to their owners' buckets: rows of the bucket query."""
        return self._counting.rows(events)

    def add_buckets(
        self, counted: Iterable[Sequence[Any]], nodes: Mapping[NodeId, Node], now: int
    ) -> Opened:
        """Add what was counted to its owners' buckets; give those that changed, decoded."""
        opened = Opened({}, {})
        oldest = oldest_kept(self._metrics, now, self._timezone)
        names = self._names
        for owner, more in read_rows(counted).items():
            node = nodes.get(owner)
            if node is None:
                continue  # of a claim that waits: nobody's event
            counts = opened.counts[owner] = Counts(node.buckets)
            counts.add(more, oldest)
            node.buckets = counts.encoded()
            opened.names[owner] = {names[metric] for metric in more}
        return opened

    def backfill_query(self, metrics: Collection[str]) -> str:
        """The query that counts these metrics anew from all events, owner by owner."""
        wanted = [metric for metric in self.metrics if metric.id in metrics]
        return f"select * from ({bucket_query(wanted, self._timezone)}) order by owner"  # noqa: S608

    def replace_buckets(
        self,
        rows: Iterable[Sequence[Any]],
        metrics: Collection[str],
        nodes: Mapping[NodeId, Node],
        now: int,
    ) -> None:
        """Put what was counted anew in the place of what nodes have of these metrics."""
        oldest = oldest_kept(self.metrics, now, self._timezone)
        for owner, found in read_rows(rows).items():
            node = nodes[owner]
            kept = buckets_of(node)
            buckets = {name: kept[name] for name in kept if name not in metrics} | found
            prune(buckets, oldest)
            node.buckets = encode_buckets(buckets)

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
        change = _MemberChanges(self._destinations, self._versions, rows, write, now)
        for number, profile in working.removed.items():
            for segment in list(profile.members):
                change.leave(number, profile, segment)
            for tag, value in profile.tags.items():
                _count_change(write, tag, value, None)
        tasks = self._tasks(working, opened, now)
        due = {number: working.profiles[number].due for number in tasks}
        values = _ValueChanges(rows, write)
        for found in self._evaluation.run(tasks.values(), now):
            for one, column in zip(found.outputs, found.columns, strict=True):
                if one.kind != "segment":
                    told = set(values.settle(one, found.tasks, column))
                    working.told.update(told)
                    working.changed.update(told)
            working.changed.update(change.settle(found))
        for number, before in due.items():
            profile = working.profiles[number]
            if profile.due != before:
                working.changed.add(number)
            if tasks[number].causes is None:
                for segment in [one for one in profile.members if one not in self._versions]:
                    change.leave(number, profile, segment)
                    working.changed.add(number)
                if values.forget(profile, self._defined):
                    working.told.add(number)
                    working.changed.add(number)

    def _tasks(self, working: Working, opened: Opened, now: int) -> dict[ProfileId, Task]:
        """What to look at, by profile in their order."""
        everything = working.regrouped | working.overdue
        causes: dict[ProfileId, set[Cause]] = {}
        for node, names in opened.names.items():
            found = causes.setdefault(working.home[node], set())
            found.update(("event", name) for name in names)
        for number, traits in working.retold.items():
            found = causes.setdefault(number, set())
            found.update(("trait", name) for name in traits)
        tasks = {}
        for number in sorted(everything | causes.keys()):
            profile = working.profiles[number]
            facts = [
                opened.counts.get(node.id) or Counts(node.buckets)
                for node in profile.nodes
                if node.buckets != NO_BUCKETS
            ]
            whole = number in everything or 0 < profile.due <= now
            tasks[number] = Task(profile, None if whole else causes[number], facts)
        return tasks


def buckets_of(node: Node) -> Buckets:
    """The buckets of a node, decoded."""
    return decode_buckets(node.buckets)


class _ValueChanges:
    """Computed traits and tags whose values the query says are others now."""

    def __init__(self, rows: Rows, write: BatchWrite) -> None:
        self._rows = rows
        self._write = write

    def settle(
        self, output: Output, tasks: Sequence[Task], column: pa.ChunkedArray
    ) -> Iterator[ProfileId]:
        """Make the values of an output what the query says; give the profiles that changed."""
        name, is_tag = output.name, output.kind == "tag"
        for task, value in zip(tasks, column.to_pylist(), strict=True):
            profile = task.profile
            values: dict[str, Any] = profile.tags if is_tag else profile.computed
            if type(value) is float:
                value = _number(value)
            before = values.get(name)
            if value == before and type(value) is type(before):
                continue
            if value is None:
                del values[name]
            else:
                values[name] = value
            self._rows.change(profile.id, "tag" if is_tag else "computed", name, before, value)
            if is_tag:
                _count_change(self._write, name, before, value)
            yield profile.id

    def forget(self, profile: Profile, defined: Collection[Key]) -> bool:
        """Drop the values of outputs that are defined no more; say whether there were any."""
        found = False
        held: tuple[tuple[str, dict[str, Any]], ...]
        held = (("computed", profile.computed), ("tag", profile.tags))
        for what, values in held:
            for name in [one for one in values if ("value", one) not in defined]:
                before = values.pop(name)
                self._rows.change(profile.id, what, name, before, None)
                if what == "tag":
                    _count_change(self._write, name, before, None)
                found = True
        return found


def _count_change(write: BatchWrite, tag: str, before: str | None, after: str | None) -> None:
    """How many have a value of a tag is counted as it changes."""
    for value, more in ((before, -1), (after, 1)):
        if value is not None:
            write.tag_values[tag, value] = write.tag_values.get((tag, value), 0) + more


def _number(value: float) -> float:
    """Whole numbers are told without a fraction."""
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


class _MemberChanges:
    """Entries and exits of one batch: rows, members, deliveries."""

    def __init__(
        self,
        destinations: Sequence[DestinationDefinition],
        versions: dict[str, int],
        rows: Rows,
        write: BatchWrite,
        now: int,
    ) -> None:
        self._destinations = destinations
        self._versions = versions
        self._rows = rows
        self._write = write
        self._now = now

    def settle(self, found: Found) -> set[ProfileId]:
        """Make memberships what the query says; give the profiles of which some changed."""
        changed: set[ProfileId] = set()
        width = (len(found.tasks) + 7) // 8
        before: dict[str, bytearray] = {}
        for row, task in enumerate(found.tasks):
            for segment in task.profile.members:
                marks = before.get(segment)
                if marks is None:
                    marks = before[segment] = bytearray(width)
                marks[row >> 3] |= 1 << (row & 7)
        for one, column in zip(found.outputs, found.columns, strict=True):
            if one.kind != "segment":
                continue
            inside = _bits(column)
            different = inside ^ int.from_bytes(before.get(one.name, b""), "little")
            # Nearly always nothing changes.
            while different:
                row = (different & -different).bit_length() - 1
                different &= different - 1
                profile = found.tasks[row].profile
                (self.enter if inside >> row & 1 else self.leave)(profile.id, profile, one.name)
                changed.add(profile.id)
        return changed

    def enter(self, number: ProfileId, profile: Profile, segment: str) -> None:
        """The profile is in the segment from now on."""
        profile.members[segment] = self._now
        self._write.entered.append((segment, number, self._now))
        self._tell(number, profile, segment, True, self._now)

    def leave(self, number: ProfileId, profile: Profile, segment: str) -> None:
        """The profile is no longer in the segment."""
        since = profile.members.pop(segment)
        self._write.left.append((segment, number))
        self._tell(number, profile, segment, False, since)

    def _tell(
        self, number: ProfileId, profile: Profile, segment: str, entered: bool, since: int
    ) -> None:
        now = self._now
        name = profile_name(number)
        self._rows.add("memberships", name, segment, entered, now, self._versions.get(segment, 0))
        before, after = (None, True) if entered else (True, None)
        self._rows.change(number, "segment", segment, before, after)
        wanting = [one.name for one in self._destinations if one.wants(segment)]
        if not wanting:
            return
        payload = membership_payload(
            segment=segment,
            entered=entered,
            at=now,
            since=since,
            profile=number,
            identifiers=[Identifier(node.kind, node.value) for node in profile.nodes],
            traits=visible(profile.traits),
        )
        for destination in wanting:
            key = message_id(destination, number, segment, entered, now)
            self._write.deliveries.append(
                Delivery(0, destination, number, key, payload, now, 0, now)
            )


def _bits(column: pa.ChunkedArray) -> int:
    """A column of truth values as one number: its lowest bit is the first row's."""
    found, shift = 0, 0
    for chunk in column.chunks:
        bits = int.from_bytes(chunk.buffers()[1], "little") >> chunk.offset
        found |= (bits & ((1 << len(chunk)) - 1)) << shift
        shift += len(chunk)
    return found
