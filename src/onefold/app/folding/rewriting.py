"""Identifiers written anew, in the past too, after the rules changed by which they are written.

What names a node is a function of an event and of the rules. With other rules the same events name
other nodes: so the lake's events are given the owners that they have now, everything is folded again,
and what comes out is put in the place of the live profiles. Old ids lead to the new profiles.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from onefold.app.evaluation.backfill import Filling
from onefold.app.folding.rebuild import rebuild_with
from onefold.app.folding.refold import FIELDS, event_pages
from onefold.app.job_kinds import REGROUP
from onefold.app.lake.compaction import EVENTS_ORDER, ROWS_A_GROUP
from onefold.app.lake.tables import add_views, tables_now
from onefold.app.lake.writer import drain
from onefold.app.locks import hold
from onefold.app.long_work import Work, begin, end, patiently
from onefold.app.workspace import node_key, spill_path
from onefold.config import Settings
from onefold.engine import DuckEngine, files_sql
from onefold.lake import parse_file_name
from onefold.lake.delta import DeltaLake
from onefold.lake.names import MIXED
from onefold.model.errors import Damaged
from onefold.model.identity import IdentifierRule, IdentityRules, Protection
from onefold.model.profile import NodeId
from onefold.model.records import Event, Identifier
from onefold.pipeline import Pipeline
from onefold.resolve import node_id
from onefold.standardize import Writing
from onefold.store import SQLiteStore

_WRITTEN = "identity_writing"
_SUBJECT = "how identifiers are written"
_OWNERS = pa.schema(
    [("source", pa.string()), ("message_id", pa.string()), ("at", pa.int64()), ("to", pa.binary())]
)
log = structlog.get_logger(__name__)


class Rules(msgspec.Struct, frozen=True):
    """What decides how identifiers are written."""

    kinds: tuple[IdentifierRule, ...] = ()
    brands: dict[str, str] = {}
    sign_outs: tuple[str, ...] = ()

    @staticmethod
    def of(rules: IdentityRules) -> Rules:
        """Those among the identity rules."""
        kinds = tuple(
            IdentifierRule(
                one.name,
                normalize=one.normalize,
                validate=one.validate,
                scope=one.scope,
                sources=one.sources,
                traits=one.traits,
            )
            for one in rules.writing
        )
        scopes = {one.scope for one in kinds}
        guard = rules.protection
        return Rules(
            kinds,
            guard.brands if "brand" in scopes else {},
            guard.sign_outs if "session" in scopes else (),
        )

    def writing(self) -> Writing:
        """Identifiers by these rules."""
        kinds = {one.name: one for one in self.kinds}
        guard = Protection(brands=self.brands, sign_outs=self.sign_outs)
        return Writing(IdentityRules(kinds, guard))


class Rewriting:
    """Brings everything that is stored to the rules by which identifiers are written now.

    The owner of the store does it, between two batches; events wait in the log meanwhile.
    """

    def __init__(self, settings: Settings, store: SQLiteStore, lake: DeltaLake) -> None:
        self._settings = settings
        self._store = store
        self._lake = lake

    def use(self, identity: IdentityRules, pipeline: Pipeline, filling: Filling) -> bool:
        """Rewrite, unless what is stored was written by these rules; say whether it had to."""
        rules = Rules.of(identity)
        kept = self._store.setting(_WRITTEN)
        before = msgspec.json.decode(kept, type=Rules) if kept else Rules()
        if rules == before:
            return False
        work = begin(self._store, REGROUP, _SUBJECT) if self._store.batch() else None
        if work is not None:
            # Half written by other rules is no state to stay in.
            drain(self._store, self._lake)
            found = _Rewritten(node_key(self._store), before.writing(), rules.writing())
            self._look(found, work)
            if found.owners:
                self._give_owners(found)
            if found.nodes:
                tell = patiently(work)
                rebuild_with(
                    self._settings, self._store, pipeline, filling, tell, rewritten=found.nodes
                )
            end(self._store, work, {"events": found.events, "identifiers": len(found.nodes)})
            log.info("identifiers_rewritten", events=found.events, identifiers=len(found.nodes))
        self._store.set_setting(_WRITTEN, msgspec.json.encode(rules))
        return True

    def _look(self, found: _Rewritten, work: Work) -> None:
        engine = DuckEngine(threads=2, memory_mb=512, spill=spill_path(self._settings))
        tell = patiently(work)
        try:
            add_views(engine, tables_now(self._store, self._lake))
            query = f"select {FIELDS} from all_events"  # noqa: S608 - only names of columns
            done = 0
            for events in event_pages(engine, query, []):
                for event in events:
                    found.add(event)
                done += len(events)
                tell(done, 0, "looking at events")
        finally:
            engine.close()

    def _give_owners(self, found: _Rewritten) -> None:
        """Write the lake's files anew in which events have other owners now."""
        engine = DuckEngine(threads=1, memory_mb=1024, spill=spill_path(self._settings))
        try:
            with hold(self._settings.data / "compaction.lock", threading.Event()):
                engine.keep("owners", found.table())
                for file in self._lake.snapshot("events")[1]:
                    if new := self._with_owners(engine, file):
                        self._lake.replace("events", [file], [new])
        finally:
            engine.close()

    def _with_owners(self, engine: DuckEngine, file: str) -> str | None:
        """The same file with the new owners; None if none of its events has one."""
        rows = f"{files_sql('events', [file])} e"
        joined = (
            f"{rows} {{}} join owners o on e.source = o.source and e.message_id = o.message_id"
            ' and epoch_us(e."time") = o.at'
        )
        [(count,)] = engine.rows("owned", f"select count(*) from {joined.format('')}", {})  # noqa: S608
        if not count:
            return None
        name, schema = parse_file_name(file), pq.read_schema(file).names
        total = pq.read_metadata(file).num_rows
        columns = () if name.layout == MIXED else schema
        path = self._lake.new_path("events", name.part, columns, total, name.batch)
        listed = ", ".join(
            'coalesce(o."to", e.owner) as owner' if one == "owner" else f'e."{one}"'
            for one in schema
        )
        order = EVENTS_ORDER if "profile_id" in schema else '"time"'
        query = f"select {listed} from {joined.format('left')} order by {order}"  # noqa: S608
        if engine.write(query, path, ROWS_A_GROUP) != total:
            path.unlink()
            raise Damaged(f"{Path(file).name} would not hold the same events: left as it was")
        return str(path)


class _Rewritten:
    """The events of which an identifier is written otherwise now."""

    def __init__(self, key: bytes, before: Writing, after: Writing) -> None:
        self._key = key
        self._before = before
        self._after = after
        self._to: dict[Identifier, Identifier] = {}
        self.owners: dict[tuple[str, str, int], NodeId] = {}
        self.events = 0

    @property
    def nodes(self) -> dict[NodeId, NodeId]:
        """Each node that some event names otherwise now, and one that it names instead."""
        return {self._node(one): self._node(to) for one, to in self._to.items()}

    def add(self, event: Event) -> None:
        """Look at one event."""
        before, after = self._before, self._after
        if not (before.concerns(event) or after.concerns(event)):
            return
        old, old_pairs = before.written(event)
        new, new_pairs = after.written(event)
        if (old, old_pairs) == (new, new_pairs):
            return
        self.events += 1
        sent = [*event.identifiers, *(one for pair in event.asserted for one in pair)]
        became = {before.one(one, event): after.one(one, event) for one in sent}
        here = {*new, *(one for pair in new_pairs for one in pair)}
        for one in {*old, *(one for pair in old_pairs for one in pair)} - here:
            to = became.get(one, new[0])
            if one not in self._to or to < self._to[one]:
                self._to[one] = to
        for one in here:
            # It stays, but its profile and its links are others: they are put in, too.
            self._to.setdefault(one, one)
        if old[0] != new[0]:
            self.owners[event.source, event.message_id, event.time] = self._node(new[0])

    def table(self) -> pa.Table:
        """The events with other owners."""
        rows = [(*key, to) for key, to in self.owners.items()]
        return pa.table(
            [
                pa.array(column, field.type)
                for column, field in zip(zip(*rows, strict=True), _OWNERS, strict=True)
            ],
            schema=_OWNERS,
        )

    def _node(self, identifier: Identifier) -> NodeId:
        return node_id(self._key, identifier)
