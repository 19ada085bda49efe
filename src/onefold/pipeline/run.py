"""One batch through the stages, in order.

standardize → drop repeats → look up → fold facts in → regroup → golden records
→ segments → one store transaction → the lake's queue
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from onefold.engine import DuckEngine
from onefold.eventlog import LogRecord
from onefold.lake import complete, to_ipc
from onefold.model.account import Account
from onefold.model.definitions import Definitions
from onefold.model.identity import BUILT_IN, IdentityRules
from onefold.model.plans import hourly
from onefold.model.profile import Node, NodeId, ProfileId
from onefold.model.records import Event, Reject
from onefold.model.sources import Source
from onefold.pipeline.accounts import Accounts, GroupCall, account_write
from onefold.pipeline.admitting import write_arrived
from onefold.pipeline.counts import Counted
from onefold.pipeline.documents import write_documents
from onefold.pipeline.echoes import Echoes
from onefold.pipeline.facts import fold_facts
from onefold.pipeline.given import Given, keep_refreshed
from onefold.pipeline.golden import Deciding, PastClaims
from onefold.pipeline.golden_rules import GoldenInputs, account_inputs, golden_inputs
from onefold.pipeline.matching import Filling, Matchings
from onefold.pipeline.members import NOTHING_OPENED, Members, Opened
from onefold.pipeline.prepare import Prepared, prepare, prepare_events
from onefold.pipeline.record_expressions import RecordExpressions
from onefold.pipeline.rows import Rows
from onefold.pipeline.stopwatch import Stopwatch
from onefold.pipeline.trying import Trial, Tried, trial_of, tried_of
from onefold.pipeline.working import NOWHERE, Led, Working
from onefold.segment.metric import Metric
from onefold.segment.plan import Key, Plan
from onefold.standardize import BY_DEFAULT, wording_of
from onefold.store import BatchWrite, QueuedRows, RefreshRow, Sent, SQLiteStore

_US_A_DAY = 86_400_000_000
_MOST_NAMES = 10_000


class Report(NamedTuple):
    """What one batch did."""

    events: int
    rejects: int
    duplicates: int
    profiles: int
    seconds: dict[str, float]
    received_at: list[int]


class Pipeline:
    """Folds accepted calls into profiles. One per store; used by one thread."""

    def __init__(
        self,
        store: SQLiteStore,
        engine: DuckEngine,
        node_key: bytes,
        new_id: Callable[[], ProfileId],
        timezone: str,
    ) -> None:
        self._store = store
        self._node_key = node_key
        self._new_id = new_id
        self._timezone = timezone
        self._echoes = Echoes(store.sent)
        self._members = Members(engine, timezone, self._echoes)
        self._deciding = Deciding(engine)
        self._matching = Matchings(store.matches)
        self._accounts = Accounts(store.accounts, engine)
        self._rules = BUILT_IN
        self._expressions = RecordExpressions(engine, timezone)
        self._wording = BY_DEFAULT
        self._batch = store.batch()
        self._names = store.names_seen()
        self._members.batch = self._batch + 1
        self._watch = Stopwatch()
        self.mostly_new = True
        """Were at least half of those who came with the last batch new?"""

    def use(self, definitions: Definitions, sources: Mapping[str, Source]) -> None:
        """Put definitions and sources in force, from the next batch on."""
        self._wording = wording_of(definitions, sources, self._expressions.ask)
        self._rules = definitions.identity
        self._matching.use(definitions.matching)
        self._members.use(definitions)
        self._echoes.use(definitions)
        self.decide_by(golden_inputs(definitions, sources))
        self._accounts.use(account_inputs(definitions, sources), self._timezone)

    def regroup_by(self, rules: IdentityRules) -> None:
        """Put other identity rules in force than the definitions say."""
        self._rules = rules

    def decide_by(self, decided: GoldenInputs, keeping: GoldenInputs | None = None) -> None:
        """Put rules for golden records in force, and those by which claims are kept if others."""
        self._deciding.use(decided, keeping or decided, self._timezone)

    def process(self, records: Sequence[LogRecord], now: int) -> Report:
        """Fold records of the log in; afterwards they are durable in the store."""
        with self._watch("standardize"):
            given = prepare(records, self._node_key, self._wording)
        return self.fold_prepared(given, now)

    def fold(
        self,
        events: Sequence[Event],
        rejects: Sequence[Reject],
        positions: Mapping[str, int],
        now: int,
        *,
        from_lake: bool = False,
    ) -> Report:
        """Fold standardized events in, drop those already seen, and write everything.

        Events `from_lake` are known to be unique, and nothing is queued for the lake again.
        """
        given = prepare_events(
            events, rejects, positions, self._node_key, self._wording.writing, unique=from_lake
        )
        return self.fold_prepared(given, now, from_lake=from_lake)

    def fold_prepared(self, given: Prepared, now: int, *, from_lake: bool = False) -> Report:
        """Fold a batch in that is prepared already, here or elsewhere."""
        watch = self._watch
        given, working, rows, write = self._folded(given, now, guarded=not from_lake)
        fresh = len(given.rows)
        write.rejects = list(given.rejects)
        write.violations = hourly(given.violations, now)
        write.positions = dict(given.positions)
        write.loads = list(given.loads)
        write.counters |= {"events": fresh, "duplicates": given.repeats}
        if given.echoes:
            write.counters["echoes"] = given.echoes
        if from_lake:
            rows.clear()
        elif given.keys:
            day = now // _US_A_DAY
            if len(self._names) < _MOST_NAMES:
                write.names = sorted(given.names - self._names)
            write.seen = [(minute, digest, day) for minute, digest in given.keys]
        if fresh and not from_lake:
            with watch("lake rows"):
                homes = given.homes(working.home, working.arrived)
                write.lake.append(self._queued("events", given.rows, profile_id=homes))
        self._write(write, rows)
        received = given.rows.column("received_at").cast(pa.int64()).to_pylist()
        people = len(working.changed | working.arrived.keys())
        refused = len(given.rejects)
        return Report(fresh, refused, given.repeats, people, watch.lap(), received)

    def try_fold(self, given: Prepared, now: int) -> Tried:
        """What folding a batch would do to people and segments; nothing is written."""
        given, working, _, write = self._folded(given, now)
        self._watch.lap()
        return tried_of(given, working, write)

    def _folded(
        self, given: Prepared, now: int, *, guarded: bool = True
    ) -> tuple[Prepared, Working, Rows, BatchWrite]:
        """A batch folded, without what was seen before; nothing is written yet."""
        watch = self._watch
        with watch("deduplicate"):
            given = given.without(self._store.seen(given.keys))
        noted: list[Sent] = []
        if guarded:
            given, noted = self._echoes.without(given, now)
        rows = Rows(now)
        working = self._working(rows)
        people = Given(self._store.given)
        matching = self._matching.in_force
        concerned = None if matching else partial(people.concerned, given.joining)
        by = self._deciding, self._rules, watch, concerned
        given = fold_facts(given, working, rows, *by, whole=self._members.tells)
        accounts = self._accounts.fold(given.joining, working, rows, now)
        people.fold(given.claims, given.ids, working)
        people.arrive(working)
        with watch("regroup"):
            if people.dirty:
                working.regroup(people.dirty)
        with watch("buckets"):
            counted = given.counted or self._members.count(given.rows)
            opened = self._members.add_buckets(counted, working.nodes, now)
        write = self._finish(working, rows, opened, now, accounts)
        with watch("encode"):
            write_arrived(given, working, rows, write)
        arrived = len(working.arrived)
        self.mostly_new = 2 * (len(working.created) + arrived) >= len(given.visits) + arrived
        write.waits, write.arrived = people.waits, people.arrived
        write.sent = [*noted, *write.sent]
        return given, working, rows, write

    def reevaluate(
        self, profiles: Sequence[ProfileId], now: int, behind: int | None = None
    ) -> None:
        """Evaluate all segments of these profiles again, without an event.

        With `behind` only of those with a node that was last written in that batch or before.
        """
        rows = Rows(now)
        working = self._working(rows)
        working.load(profiles)
        working.overdue.update(
            number
            for number, profile in working.profiles.items()
            if behind is None or any(node.counted <= behind for node in profile.nodes)
        )
        self._write(self._finish(working, rows, NOTHING_OPENED, now), rows)
        self._watch.lap()

    def redecide(self, profiles: Sequence[ProfileId], now: int, past: PastClaims | None) -> None:
        """Decide the golden records of these profiles again, with the claims of the `past`."""
        rows = Rows(now)
        working = self._working(rows)
        working.load(profiles)
        self._deciding.anew(working, past)
        self._write(self._finish(working, rows, NOTHING_OPENED, now), rows)
        self._watch.lap()

    def refresh(self, found: Sequence[RefreshRow], now: int) -> None:
        """Give profiles what a refresh found for them, and evaluate them."""
        rows = Rows(now)
        working = self._working(rows)
        current = self._store.current_ids([one.profile for one in found])
        working.load(current.values())
        for one in found:
            if one.profile in current:
                keep_refreshed(working, current[one.profile], one.trait, one.value, one.as_of)
        write = self._finish(working, rows, NOTHING_OPENED, now)
        write.refreshed = [one.id for one in found]
        self._write(write, rows)
        self._watch.lap()

    def regroup(self, profiles: Sequence[ProfileId], now: int) -> None:
        """Decide anew who the identifiers of these profiles belong to, by the rules in force."""
        rows = Rows(now)
        working = self._working(rows)
        if working.regroup_all(profiles):
            self._write(self._finish(working, rows, NOTHING_OPENED, now), rows)
        self._watch.lap()

    def try_regroup(self, profiles: Sequence[ProfileId], now: int) -> Trial:
        """What `regroup` would do to these profiles; nothing is written."""
        rows = Rows(now)
        working = self._working(rows)
        write = BatchWrite(self._batch + 1)
        if working.regroup_all(profiles) and working.moved:
            self._deciding.decide(working, rows, now)
            self._members.evaluate(working, rows, write, NOTHING_OPENED, now)
        return trial_of(working, frozenset(profiles), write)

    def match(self, profiles: Sequence[ProfileId], now: int) -> None:
        """Match what is claimed of these profiles with all others, by the model in force."""
        rows = Rows(now)
        working = self._working(rows)
        working.load(profiles)
        self._match(working, rows, working.nodes, now)

    def match_nodes(self, nodes: Collection[NodeId], now: int) -> None:
        """Match what is claimed of these identifiers with all others, whoever's they are by now."""
        rows = Rows(now)
        working = self._working(rows)
        working.load_nodes(set(nodes))
        self._match(working, rows, working.nodes.keys() & set(nodes), now)

    def _match(self, working: Working, rows: Rows, nodes: Collection[NodeId], now: int) -> None:
        working.unmatched.update(nodes)
        self._write(self._finish(working, rows, NOTHING_OPENED, now), rows)
        self._watch.lap()

    def put_accounts(
        self, accounts: Iterable[Account], now: int, calls: Sequence[GroupCall] = ()
    ) -> None:
        """Put accounts folded elsewhere in the place of what is there; by `calls` also who is of them."""
        rows = Rows(now)
        working = self._working(rows)
        working.load_nodes({call.owner for call in calls})
        for call in calls:
            if call.owner in working.nodes and not call.given:
                working.belong(call.owner, call.account, call.time, True)
        told = self._accounts.again(accounts, rows, now)
        self._write(self._finish(working, rows, NOTHING_OPENED, now, told), rows)
        self._watch.lap()

    def fill_index(self, step: Filling) -> None:
        """Only keep the key index, and match nobody: while it is being filled."""
        self._matching.filling = step

    def divide_index(self, records: Sequence[int]) -> None:
        """Divide what too many share in the key index, of records that were put in undivided."""
        self._matching.divide(records)

    def repair(
        self,
        clusters: list[list[Node]],
        now: int,
        rewritten: Led = NOWHERE,
        *,
        taken_back: bool = False,
    ) -> None:
        """Put what a rebuild folded otherwise in the place of what is live; `rewritten` nodes go."""
        rows = Rows(now)
        working = self._working(rows)
        for node in [node for nodes in clusters for node in nodes]:
            node.counted = self._batch + 1
        working.replace(clusters, rewritten, taken_back=taken_back)
        working.unmatched.update(node.id for nodes in clusters for node in nodes)
        self._write(self._finish(working, rows, NOTHING_OPENED, now), rows)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the live definitions count."""
        return self._members.metrics

    @property
    def failing(self) -> dict[Key, str]:
        """The definitions that cannot be used or evaluated, and why."""
        return self._members.failing

    @property
    def filling(self) -> list[Key]:
        """The definitions that wait until their past is counted."""
        return self._members.filling

    @property
    def evaluated(self) -> Plan:
        """What is evaluated of the live definitions: all but what fails, or waits for its past."""
        return self._members.evaluated

    @property
    def defined(self) -> frozenset[Key]:
        """The live definitions that have values or members, evaluated or not."""
        return self._members.defined

    def rely_on(self, counted: Counted) -> None:
        """Say how far the metrics are counted, from the next batch on."""
        self._members.rely_on(counted)

    def settle(self, everybody: bool) -> None:
        """Say whether everybody was evaluated by what is in force: then events change only what they
        can change.
        """
        self._members.settled = everybody

    def _working(self, rows: Rows) -> Working:
        return Working(self._store, self._new_id, rows, self._rules, self._node_key)

    def _finish(
        self,
        working: Working,
        rows: Rows,
        opened: Opened,
        now: int,
        accounts: Sequence[Account] = (),
    ) -> BatchWrite:
        """Golden records, segments and the documents of everything that changed."""
        watch = self._watch
        write = BatchWrite(self._batch + 1)
        with watch("match"):
            write.matches = self._matching.match(working, working.unmatched)
            if working.alike:
                working.regroup(working.alike)
        with watch("golden"):
            self._deciding.decide(working, rows, now)
        with watch("segments"):
            self._members.evaluate(working, rows, write, opened, now)
        with watch("encode"):
            write_documents(working, rows, write, now)
            write.accounts = account_write(accounts, working, rows)
        return write

    def _write(self, write: BatchWrite, rows: Rows) -> None:
        with self._watch("lake rows"):
            for name, found in rows.as_tables():
                write.lake.append(self._queued(name, found))
        with self._watch("write"):
            self._store.write(write)
        self._names.update(write.names)
        self._batch = write.batch
        self._members.batch = write.batch + 1

    def _queued(self, table: str, rows: pa.Table, **columns: Sequence[Any]) -> QueuedRows:
        batch = self._batch + 1
        columns["batch"] = [batch] * len(rows)
        return QueuedRows(batch, table, len(rows), to_ipc(complete(table, rows, columns)))
