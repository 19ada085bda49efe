"""Match models, and the index in which a record finds those who may be the same person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec

from onefold.model.profile import NodeId
from onefold.store.database import Database


class MatchRecord(NamedTuple):
    """A record in the index: its number, the identifier that it is about, and what it says."""

    id: int
    node: NodeId
    record: bytes


class MatchWrite(msgspec.Struct, gc=False):
    """What a batch changes in the index; keys are `(key, number of the record)`."""

    records: list[MatchRecord] = []
    gone: list[int] = []
    added: list[tuple[int, int]] = []
    removed: list[tuple[int, int]] = []


class StoredModel(NamedTuple):
    """A match model: its version and file, when and by whom it came in."""

    version: str
    body: bytes
    created_at: int
    created_by: str


class Matches:
    """The match models and the key index of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add_model(self, model: StoredModel) -> None:
        """Keep a model; one that is there already stays."""
        with self._db.transaction() as connection:
            connection.execute("insert or ignore into match_models values (?,?,?,?)", model)

    def models(self) -> list[StoredModel]:
        """All models, the newest first."""
        sql = "select version, body, created_at, created_by from match_models"
        return [StoredModel(*row) for row in self._db.rows(f"{sql} order by created_at desc")]

    def model(self, version: str) -> StoredModel | None:
        """The model of this version."""
        sql = "select version, body, created_at, created_by from match_models where version = ?"
        rows = self._db.rows(sql, version)
        return StoredModel(*rows[0]) if rows else None

    def newest(self) -> int:
        """The greatest number of a record; 0 before the first."""
        return int(self._db.one("select max(id) from match_records") or 0)

    def count(self) -> int:
        """How many records the index holds."""
        return int(self._db.one("select count(*) from match_records") or 0)

    def sharing(self, key: int, limit: int) -> list[int]:
        """The numbers of records with this key, so many at most."""
        sql = "select record from match_keys where key = ? limit ?"
        return [row[0] for row in self._db.connection.execute(sql, (key, limit))]

    def of_nodes(self, nodes: Collection[NodeId]) -> list[MatchRecord]:
        """The records about these identifiers, as far as there are some."""
        sql = "select id, node, record from match_records where node in ({keys})"
        return [MatchRecord(*row) for row in self._db.lookup(sql, sorted(nodes))]

    def records(self, numbers: Collection[int]) -> list[MatchRecord]:
        """The records of these numbers."""
        sql = "select id, node, record from match_records where id in ({keys})"
        return [MatchRecord(*row) for row in self._db.lookup(sql, sorted(numbers))]

    def page(self, after: int, limit: int) -> list[MatchRecord]:
        """All records in the order of their numbers, a page at a time."""
        sql = "select id, node, record from match_records where id > ? order by id limit ?"
        return [MatchRecord(*row) for row in self._db.rows(sql, after, limit)]

    def numbers(self, after: int, limit: int) -> list[int]:
        """The numbers of all records, in their order, a page at a time."""
        sql = "select id from match_records where id > ? order by id limit ?"
        return [row[0] for row in self._db.rows(sql, after, limit)]

    def write(self, change: MatchWrite) -> None:
        """Write what a batch changes, within its transaction."""
        connection = self._db.connection
        connection.executemany(
            "delete from match_keys where key = ? and record = ?", change.removed
        )
        connection.executemany("delete from match_records where id = ?", _single(change.gone))
        connection.executemany(
            "insert or replace into match_records values (?,?,?)", change.records
        )
        connection.executemany(
            "insert or ignore into match_keys values (?,?)", sorted(change.added)
        )

    def keep(self, change: MatchWrite) -> None:
        """Write a change of the index alone, in a transaction of its own."""
        with self._db.transaction():
            self.write(change)

    def clear(self) -> None:
        """Forget all records and keys, within a transaction of its own."""
        with self._db.transaction() as connection:
            connection.execute("delete from match_keys")
            connection.execute("delete from match_records")


def _single(values: Iterable[int]) -> Sequence[tuple[int]]:
    return [(one,) for one in values]
