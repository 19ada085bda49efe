"""Events that were accepted but could not be used, kept until somebody decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from onefold.model.mapping import UNREADABLE
from onefold.model.records import Reject
from onefold.store.database import Database


class StoredReject(NamedTuple):
    """One reject with every reason. `state` is `open` or `replayed`."""

    id: int
    source: str
    received_at: int
    kind: str
    raw: bytes
    reasons: tuple[str, ...]
    state: str


class Rejects:
    """The rejects of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(self, rejects: Iterable[Reject]) -> Counter[str]:
        """Keep those that are not kept already, inside a transaction; gives how many, by load."""
        execute = self._db.connection.execute
        kept: Counter[str] = Counter()
        for one in rejects:
            values = (one.source, one.received_at, one.kind, one.raw, _json(one.reasons).decode())
            kept[one.load] += execute(_INSERT, (*values, _digest(one), one.load)).rowcount
        return kept

    def reasons(self, load: int) -> list[tuple[list[str], int]]:
        """The reasons for which something of a load was rejected, and how often."""
        rows = self._db.rows(
            "select reasons, count(*) from rejects where load = ? group by reasons", str(load)
        )
        return [(msgspec.json.decode(told), count) for told, count in rows]

    def forget(self, load: int) -> int:
        """Forget what was rejected of a load; gives how many that were."""
        with self._db.transaction() as connection:
            return connection.execute("delete from rejects where load = ?", (str(load),)).rowcount

    def list(
        self, *, after: int = 0, limit: int = 100, source: str = "", state: str = "open"
    ) -> list[StoredReject]:
        """Rejects with an id above `after`, in order; of one source, if named."""
        rows = self._db.rows(
            f"{_SELECT} where state = ? and id > ? and (source = ? or ? = '') order by id limit ?",
            state,
            after,
            source,
            source,
            limit,
        )
        return [_reject(row) for row in rows]

    def get(self, reject: int) -> StoredReject | None:
        """One reject."""
        rows = self._db.rows(f"{_SELECT} where id = ?", reject)
        return _reject(rows[0]) if rows else None

    def replayed(self, ids: Sequence[int], at: int, actor: str) -> None:
        """Close rejects whose bytes went into the log again, with an audit entry."""
        with self._db.transaction() as connection:
            connection.executemany(
                "update rejects set state = 'replayed' where id = ?", [(one,) for one in ids]
            )
            connection.execute(
                "insert into audit (at, actor, action, target, detail)"
                " values (?,?,'reject.replay','rejects',?)",
                (at, actor, msgspec.json.encode({"ids": list(ids)[:1000]}).decode()),
            )


def _digest(one: Reject) -> bytes:
    """The same for the same bytes when they come again: of a load, whenever they are read."""
    if one.load:
        # What cannot be read may look alike at two places, which the reasons tell.
        told = f"{one.source}\0{one.load}\0{one.kind}\0"
        told += "\0".join(one.reasons) if one.kind == UNREADABLE else ""
    else:
        told = f"{one.source}\0{one.received_at}\0{one.kind}\0"
    return blake2b(told.encode() + one.raw, digest_size=16).digest()


_INSERT = (
    "insert or ignore into rejects (source, received_at, kind, raw, reasons, digest, load)"
    " values (?,?,?,?,?,?,?)"
)
_json = msgspec.json.Encoder().encode
_SELECT = "select id, source, received_at, kind, raw, reasons, state from rejects"


def _reject(row: tuple[int, str, int, str, bytes, str, str]) -> StoredReject:
    return StoredReject(*row[:5], tuple(msgspec.json.decode(row[5])), row[6])
