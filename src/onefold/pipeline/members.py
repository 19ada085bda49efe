"""The plan in the pipeline: buckets of the batch's events, outputs of the touched profiles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import structlog

from onefold.activate.webhook import membership_payload, message_id
from onefold.engine import DuckEngine
from onefold.model.definitions import Definitions, DestinationDefinition
from onefold.model.delivery import Delivery
from onefold.model.profile import NO_BUCKETS, Node, NodeId, Profile, ProfileId, profile_name
from onefold.model.records import Event, Identifier
from onefold.pipeline.rows import Rows
from onefold.pipeline.working import Working
from onefold.segment import (
    Plan,
    bucket_query,
    compile_plan,
    merge_into,
    oldest_kept,
    prune,
    read_rows,
    wanted_by,
)
from onefold.segment.buckets import Bucket, Buckets
from onefold.segment.metric import Metric
from onefold.store import BatchWrite

_TYPES = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_()}
_EXACT = float(1 << 53)
log = structlog.get_logger(__name__)
_decode = msgspec.msgpack.Decoder(dict[str, dict[int, Bucket]]).decode
_encode = msgspec.msgpack.Encoder().encode


class Members:
    """Evaluates all live segments, computed traits and tags; knows nothing of the store."""

    def __init__(self, engine: DuckEngine, timezone: str) -> None:
        self._engine = engine
        self._timezone = timezone
        self._plan: Plan = compile_plan([])
        self._versions: dict[str, int] = {}
        self._destinations: tuple[DestinationDefinition, ...] = ()
        self._counted: frozenset[str] = frozenset()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the live definitions count."""
        return self._plan.metrics

    def use(self, definitions: Definitions) -> None:
        """Put these definitions in force; one that cannot be used is left as it stands."""
        self._plan = compile_plan(wanted_by(definitions))
        for key, error in self._plan.refused.items():
            log.error("definition_refused", kind=key[0], name=key[1], faults=str(error))
        self._versions = {one.name: one.version for one in definitions.segments}
        self._destinations = definitions.destinations
        self._counted = frozenset(metric.event for metric in self._plan.metrics)

    def add_buckets(
        self,
        events: Sequence[Event],
        owners: Sequence[NodeId],
        nodes: dict[NodeId, Node],
        now: int,
    ) -> dict[NodeId, Buckets]:
        """Count the batch's events into their owners' buckets; give those that changed, decoded."""
        counted = [
            (owner, one.name, one.time, one.message_id, one.properties, one.context)
            for one, owner in zip(events, owners, strict=True)
            if one.name in self._counted
        ]
        if not counted:
            return {}
        table = pa.table(_columns(counted), schema=_EVENTS)
        times = [one[2] for one in counted]
        sql = bucket_query(self.metrics, self._timezone, min(times), max(times))
        opened: dict[NodeId, Buckets] = {}
        oldest = oldest_kept(self.metrics, now, self._timezone)
        rows = self._engine.rows("buckets", sql, {"events": table})
        for owner, more in read_rows(rows).items():
            node = nodes[owner]
            buckets = opened[owner] = buckets_of(node)
            merge_into(buckets, more)
            prune(buckets, oldest)
            node.buckets = msgspec.Raw(_encode(buckets))
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
            node.buckets = msgspec.Raw(_encode(buckets))

    def evaluate(
        self,
        working: Working,
        rows: Rows,
        write: BatchWrite,
        opened: dict[NodeId, Buckets],
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
        seen = {working.home[node] for node in (*working.claimed, *opened)}
        seen |= working.regrouped | working.overdue
        if not seen:
            return
        features = self._plan.features(now, self._timezone)
        values = _ValueChanges(self._plan, rows)
        columns: list[tuple[Any, ...]] = []
        for number in sorted(seen):
            profile = working.profiles[number]
            facts = [
                opened.get(node.id) or buckets_of(node)
                for node in profile.nodes
                if node.buckets != NO_BUCKETS
            ]
            row, soonest = features.row(profile.traits, facts)
            columns.append((number, *row))
            if profile.due != (soonest or 0):
                profile.due = soonest or 0
                working.changed.add(number)
        segments = self._plan.segments
        for number, *found in self._outputs(columns):
            profile = working.profiles[number]
            if values.settle(number, profile, found[len(segments) :]):
                working.changed.add(number)
                working.told.add(number)
            if change.settle(number, profile, segments, found[: len(segments)]):
                working.changed.add(number)

    def _outputs(self, columns: list[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
        if not self._plan.outputs:
            return [(row[0],) for row in columns]
        schema = pa.schema(
            [("profile", pa.int64())] + [(one.name, _TYPES[one.type]) for one in self._plan.columns]
        )
        table = pa.table(_columns(columns), schema=schema)
        return self._engine.rows("plan", self._plan.sql, {"profiles": table})


_EVENTS = pa.schema(
    [
        ("owner", pa.binary()),
        ("name", pa.string()),
        ("time", pa.int64()),
        ("message_id", pa.string()),
        ("properties", pa.string()),
        ("context", pa.string()),
    ]
)


def _columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def buckets_of(node: Node) -> Buckets:
    """The buckets of a node, decoded."""
    return _decode(node.buckets)


class _ValueChanges:
    """Computed traits and tags whose values the query says are others now."""

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self._rows = rows
        kinds = [one.kind for one in plan.outputs if one.kind != "segment"]
        names = [one.name for one in plan.outputs if one.kind != "segment"]
        self._names = names
        self._traits = kinds.count("trait")
        # Of what cannot be computed, profiles keep the values that they have.
        self._kept = {name for of, name in plan.refused if of == "value"}

    def settle(self, number: ProfileId, profile: Profile, found: Sequence[Any]) -> bool:
        """Make a profile's values what the query says; say whether they changed."""
        middle, names = self._traits, self._names
        computed = self._values(names[:middle], found[:middle], profile.computed)
        tags = self._values(names[middle:], found[middle:], profile.tags)
        same = True
        for what, before, after in (
            ("computed", profile.computed, computed),
            ("tag", profile.tags, tags),
        ):
            if before != after:
                same = False
                for name in sorted(before.keys() | after.keys()):
                    if before.get(name) != after.get(name):
                        self._rows.change(number, what, name, before.get(name), after.get(name))
        profile.computed, profile.tags = computed, tags
        return not same

    def _values(
        self, names: Sequence[str], found: Sequence[Any], before: dict[str, Any]
    ) -> dict[str, Any]:
        values = {
            name: value if type(value) is not float else _number(value)
            for name, value in zip(names, found, strict=True)
            if value is not None
        }
        if self._kept:
            values |= {name: before[name] for name in self._kept & before.keys()}
        return values


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

    def settle(
        self,
        number: ProfileId,
        profile: Profile,
        segments: Sequence[str],
        inside: Sequence[bool],
    ) -> bool:
        """Make a profile's memberships what the query says; say whether they changed."""
        members = profile.members
        if not members and True not in inside:
            return False
        # Nearly always nothing changes.
        if len(members) == sum(inside) and all(
            member == (segment in members) for segment, member in zip(segments, inside, strict=True)
        ):
            return False
        for segment, member in zip(segments, inside, strict=True):
            if member and segment not in members:
                self.enter(number, profile, segment)
            elif segment in members and not member:
                self.leave(number, profile, segment)
        for segment in [one for one in members if one not in self._versions]:
            self.leave(number, profile, segment)
        return True

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
            traits=profile.traits,
        )
        for destination in wanting:
            key = message_id(destination, number, segment, entered, now)
            self._write.deliveries.append(
                Delivery(0, destination, number, key, payload, now, 0, now)
            )
