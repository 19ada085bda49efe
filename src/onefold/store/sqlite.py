"""The store on SQLite: what the pipeline reads and writes.

Keys, definitions, rejects and deliveries are in the modules beside this one; all
share one `Database`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from onefold.model.delivery import Delivery
from onefold.model.loads import LoadCount
from onefold.model.plans import Breach
from onefold.model.profile import LAST_PROFILE, NodeId, ProfileId
from onefold.model.records import Reject
from onefold.store.accounts import AccountStore, AccountWrite
from onefold.store.database import WAIT_SECONDS, Database
from onefold.store.given import GivenStore
from onefold.store.identifiers import Identifiers
from onefold.store.jobs import Jobs
from onefold.store.loads import Loads, Secrets, SourceStates
from onefold.store.matching import Matches, MatchWrite
from onefold.store.outbox import SQLiteOutbox
from onefold.store.rates import RateStore
from onefold.store.refresh_tokens import RefreshTokens
from onefold.store.registry import Registry
from onefold.store.rejects import Rejects
from onefold.store.reviews import Hold, Reviews
from onefold.store.seen import Seen
from onefold.store.sent import Sent, SentValues
from onefold.store.violations import Violations


class QueuedRows(NamedTuple):
    """Rows of one batch for one lake table, as an Arrow IPC stream."""

    batch: int
    table: str
    rows: int
    data: bytes


class BatchWrite(msgspec.Struct, gc=False):
    """Everything that one batch changes; written in one transaction."""

    batch: int
    positions: dict[str, int] = {}
    seen: list[tuple[int, int, int]] = []
    new_profiles: list[tuple[ProfileId, int, bytes]] = []
    documents: list[tuple[bytes, ProfileId]] = []
    documents_due: list[tuple[bytes, int, ProfileId]] = []
    removed: list[ProfileId] = []
    aliases: list[tuple[ProfileId, ProfileId]] = []
    reclaimed: list[ProfileId] = []
    identifiers: list[tuple[NodeId, ProfileId]] = []
    entered: list[tuple[str, ProfileId, int]] = []
    left: list[tuple[str, ProfileId]] = []
    deliveries: list[Delivery] = []
    rejects: list[Reject] = []
    loads: list[LoadCount] = []
    lake: list[QueuedRows] = []
    counters: dict[str, int] = {}
    waits: list[tuple[NodeId, str, bytes]] = []
    arrived: list[NodeId] = []
    refreshed: list[int] = []
    tag_values: dict[tuple[str, str], int] = {}
    names: list[tuple[str, str]] = []
    partitioned: Collection[NodeId] = ()
    holds: Sequence[Hold] = ()
    matches: MatchWrite | None = None
    forgotten: list[NodeId] = []
    vanished: list[ProfileId] = []
    accounts: AccountWrite | None = None
    violations: Mapping[tuple[int, Breach], int] = {}
    sent: list[Sent] = []


_WRITES = (
    ("new_profiles", "insert into profiles values (?,?,?)"),
    ("documents", "update profiles set document = ? where id = ?"),
    ("documents_due", "update profiles set document = ?, due = ? where id = ?"),
    ("aliases", "insert or replace into aliases values (?,?)"),
    ("entered", "insert or replace into members values (?,?,?)"),
    ("left", "delete from members where segment = ? and profile = ?"),
    ("lake", "insert into lake_queue values (?,?,?,?)"),
    ("names", "insert or ignore into names_seen values (?,?)"),
    ("waits", "insert or replace into waiting_claims values (?,?,?)"),
)


class SQLiteStore:
    """The store of one workspace in one file. Not thread-safe: one instance per thread."""

    def __init__(
        self, path: str | Path, *, cache_mb: int = 64, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.path = path
        self.db = Database(path, cache_mb=cache_mb, wait_seconds=wait_seconds)
        self.db.migrate()
        self.registry = Registry(self.db)
        self.outbox = SQLiteOutbox(self.db)
        self.rejects = Rejects(self.db)
        self.given = GivenStore(self.db)
        self.jobs = Jobs(self.db)
        self.loads = Loads(self.db)
        self.violations = Violations(self.db)
        self.rates = RateStore(self.db)
        self.sent = SentValues(self.db)
        self.source_states = SourceStates(self.db)
        self.secrets = Secrets(self.db)
        self.refresh_tokens = RefreshTokens(self.db)
        self.reviews = Reviews(self.db)
        self.matches = Matches(self.db)
        self.accounts = AccountStore(self.db)
        self._identifiers = Identifiers(self.db, lambda: self.counters().get("identifiers", 0))
        self._seen = Seen(self.db, lambda: self.counters().get("events", 0))

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def batch(self) -> int:
        """The number of the last batch written; 0 before the first."""
        return int(self.db.one("select value from settings where name = 'batch'") or 0)

    def positions(self) -> dict[str, int]:
        """The next offset to process, per partition of the log."""
        return dict(self.db.rows("select partition, position from positions"))

    def seen(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of the `(minute, hash)` keys that were processed before."""
        return self._seen.among(keys)

    def unsee(self, keys: Sequence[tuple[int, int]]) -> None:
        """Forget these of the `(minute, hash)` keys: their events may come again."""
        self._seen.drop(keys)

    def profiles_of(self, nodes: Sequence[NodeId]) -> dict[NodeId, ProfileId]:
        """Which profile each known node belongs to."""
        return self._identifiers.owners(nodes)

    def documents(self, profiles: Sequence[ProfileId]) -> dict[ProfileId, bytes]:
        """The stored documents of profiles."""
        sql = "select id, document from profiles where id in ({keys})"
        return dict(self.db.lookup(sql, sorted(profiles)))

    def current_id(self, profile: ProfileId) -> ProfileId | None:
        """The id that a profile goes by today; follows merges. None where there never was one."""
        found = self.db.one("select profile from aliases where id = ?", profile)
        if found is not None:
            return int(found)
        return self.db.one("select id from profiles where id = ?", profile)  # type: ignore[no-any-return]

    def current_ids(self, profiles: Sequence[ProfileId]) -> dict[ProfileId, ProfileId]:
        """The ids that profiles go by today; follows merges. Those that never were are left out."""
        asked = sorted(set(profiles))
        merged = dict(self.db.lookup("select id, profile from aliases where id in ({keys})", asked))
        there = self.db.lookup("select id, id from profiles where id in ({keys})", asked)
        return dict(there) | merged

    def aliases_of(self, profile: ProfileId) -> list[ProfileId]:
        """The ids that lead to a profile today."""
        return [row[0] for row in self.db.rows("select id from aliases where profile = ?", profile)]

    def memberships_of(self, profile: ProfileId) -> dict[str, int]:
        """The segments that a profile is in, and since when."""
        return dict(self.db.rows("select segment, since from members where profile = ?", profile))

    def members_of(self, segment: str) -> list[ProfileId]:
        """The profiles in a segment."""
        sql = "select profile from members where segment = ?"
        return [row[0] for row in self.db.connection.execute(sql, (segment,))]

    def due(self, now: int, limit: int) -> list[ProfileId]:
        """Profiles with a time window that ends by `now`, earliest first."""
        sql = "select id from profiles where due > 0 and due <= ? order by due limit ?"
        return [row[0] for row in self.db.rows(sql, now, limit)]

    def newest_id(self) -> ProfileId:
        """The greatest profile id ever given; 0 before the first."""
        return max(
            self.db.one("select max(id) from profiles") or 0,
            self.db.one("select max(id) from aliases") or 0,
        )

    def put_off(self, profile: ProfileId, now: int, until: int) -> None:
        """Look at the time windows of a profile later, if they are due, whatever its document says."""
        with self.db.transaction() as connection:
            connection.execute(
                "update profiles set due = ? where id = ? and due > 0 and due <= ?",
                (until, profile, now),
            )

    def profile_ids(
        self, after: ProfileId, limit: int, until: ProfileId = LAST_PROFILE
    ) -> list[ProfileId]:
        """All profiles in the order of their ids, to the one `until`, a page at a time."""
        sql = "select id from profiles where id > ? and id <= ? order by id limit ?"
        return [row[0] for row in self.db.rows(sql, after, until, limit)]

    def pages(self, size: int) -> Iterator[dict[ProfileId, bytes]]:
        """The stored documents of all profiles in the order of their ids, a page at a time."""
        after = 0
        while page := self.profile_ids(after, size):
            yield self.documents(page)
            after = page[-1]

    def write(self, batch: BatchWrite) -> None:
        """Write a batch, all of it or nothing."""
        with self.db.transaction() as connection:
            for field, sql in _WRITES:
                rows = getattr(batch, field)
                if rows:
                    connection.executemany(sql, rows)
            for sql, ids in (
                ("delete from profiles where id = ?", batch.removed),
                ("delete from aliases where id = ?", batch.reclaimed),
                ("delete from aliases where profile = ?", batch.vanished),
                ("delete from waiting_claims where node = ?", batch.arrived),
                ("delete from refresh_values where id = ?", batch.refreshed),
            ):
                connection.executemany(sql, [(one,) for one in ids])
            self.reviews.write(batch.partitioned, batch.holds)
            if batch.matches is not None:
                self.matches.write(batch.matches)
            if batch.accounts is not None:
                self.accounts.write(batch.accounts, batch.forgotten)
            if batch.sent:
                self.sent.write(batch.sent)
            if batch.violations:
                self.violations.write(batch.violations)
            self._write_sizes(batch)
            self._write_tag_values(batch.tag_values)
            rejected = self.rejects.write(batch.rejects)
            self.loads.count(batch.loads, rejected)
            self.outbox.add(batch.deliveries)
            counters = self._add_counters({**batch.counters, "rejects": rejected.total()})
            self._seen.write(batch.seen, counters.get("events", 0))
            known = counters.get("identifiers", 0)
            self._identifiers.write(batch.identifiers, batch.forgotten, known)
            self._write_progress(batch.batch, batch.positions)
        self._seen.committed(batch.batch)
        self._identifiers.committed(batch.batch)

    def _add_counters(self, added: Mapping[str, int]) -> dict[str, int]:
        counters = self.counters()
        for name, number in added.items():
            counters[name] = counters.get(name, 0) + number
        self.db.connection.execute(
            "insert or replace into settings values ('counters', ?)", (_json(counters),)
        )
        return counters

    def _write_progress(self, batch: int, positions: Mapping[str, int]) -> None:
        connection = self.db.connection
        connection.executemany(
            "insert or replace into positions values (?,?)", list(positions.items())
        )
        connection.execute("insert or replace into settings values ('batch', ?)", (batch,))

    def _write_sizes(self, batch: BatchWrite) -> None:
        sizes = Counter(segment for segment, _, _ in batch.entered)
        sizes.subtract(segment for segment, _ in batch.left)
        self.db.connection.executemany(
            "insert into segment_sizes values (?,?)"
            " on conflict (segment) do update set members = members + excluded.members",
            list(sizes.items()),
        )

    def _write_tag_values(self, changed: Mapping[tuple[str, str], int]) -> None:
        self.db.connection.executemany(
            "insert into tag_values values (?,?,?)"
            " on conflict (tag, value) do update set profiles = profiles + excluded.profiles",
            [(*key, number) for key, number in changed.items() if number],
        )

    def segment_sizes(self) -> dict[str, int]:
        """How many profiles are in each segment."""
        return dict(self.db.rows("select segment, members from segment_sizes where members > 0"))

    def queued(self, limit_bytes: int) -> list[QueuedRows]:
        """What waits for the lake, oldest batch first: whole batches, about so many bytes."""
        found: list[QueuedRows] = []
        total = 0
        cursor = self.db.connection.execute(
            "select batch, name, rows, data from lake_queue order by batch, name"
        )
        for row in cursor:
            if total >= limit_bytes and found and row[0] != found[-1].batch:
                break
            found.append(QueuedRows(*row))
            total += len(row[3])
        cursor.close()
        return found

    def queued_for(self, table: str) -> list[QueuedRows]:
        """What waits for one table of the lake, oldest batch first."""
        sql = "select batch, name, rows, data from lake_queue where name = ? order by batch"
        return [QueuedRows(*row) for row in self.db.rows(sql, table)]

    def unqueue(self, batch: int, written: Mapping[str, int]) -> None:
        """Everything up to this batch is in the lake; note the last batch of each table there."""
        with self.db.transaction() as connection:
            connection.execute("delete from lake_queue where batch <= ?", (batch,))
            held = _json({**self.lake_batches(), **written})
            connection.execute(
                "insert or replace into settings values ('lake_batches', ?)", (held,)
            )

    def lake_batches(self) -> dict[str, int]:
        """The last batch that each of the lake's tables was given, as far as the store knows."""
        stored = self.db.one("select value from settings where name = 'lake_batches'")
        return msgspec.json.decode(stored, type=dict[str, int]) if stored else {}

    def queue_size(self) -> tuple[int, int]:
        """Batches and rows that wait for the lake."""
        row = self.db.rows("select count(distinct batch), coalesce(sum(rows), 0) from lake_queue")
        return int(row[0][0]), int(row[0][1])

    def queued_bytes(self) -> int:
        """How much waits for the lake."""
        return int(self.db.one("select coalesce(sum(length(data)), 0) from lake_queue"))

    def forget_seen(self, minute: int, day: int, limit: int) -> int:
        """Expire deduplication rows older than `minute` that arrived before `day`."""
        return self._seen.forget(minute, day, limit)

    def setting(self, name: str) -> Any:
        """A value kept for the workspace as a whole, or None."""
        return self.db.one("select value from settings where name = ?", name)

    def set_setting(self, name: str, value: bytes | int | str | None) -> None:
        """Keep a value for the workspace as a whole; None forgets it."""
        with self.db.transaction() as connection:
            if value is None:
                connection.execute("delete from settings where name = ?", (name,))
            else:
                connection.execute("insert or replace into settings values (?,?)", (name, value))

    def beat(self, process: str, pid: int, at: int, state: Mapping[str, Any]) -> None:
        """Keep the last sign of life of a process."""
        with self.db.transaction() as connection:
            connection.execute(
                "insert or replace into heartbeats values (?,?,?,?)",
                (process, pid, at, _json(state).decode()),
            )

    def heartbeats(self) -> dict[str, tuple[int, int, dict[str, Any]]]:
        """Of each process: its pid, when it last wrote, and what it said."""
        rows = self.db.rows("select process, pid, at, state from heartbeats")
        return {name: (pid, at, msgspec.json.decode(state)) for name, pid, at, state in rows}

    def names_seen(self) -> set[tuple[str, str]]:
        """The names that came in: `("event", name)` and `("trait", name)`."""
        return set(self.db.rows("select kind, name from names_seen"))

    def undo_load(self, load: int, at: int, actor: str) -> None:
        """From now on a load is taken back, and what it brought is not among the running totals."""
        with self.db.transaction():
            found = self.loads.get(load)
            if found.state != "undone":
                self._add_counters({"events": -found.events, "rejects": -found.rejects})
            self.loads.undo(load, at, actor)

    def counters(self) -> dict[str, int]:
        """Running totals since the workspace began: events, duplicates, profiles, merges …"""
        stored = self.db.one("select value from settings where name = 'counters'")
        return msgspec.json.decode(stored, type=dict[str, int]) if stored else {}


_json = msgspec.json.Encoder().encode
