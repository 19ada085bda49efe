"""Events that were accepted but could not be used, kept until somebody decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

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


_SELECT = "select id, source, received_at, kind, raw, reasons, state from rejects"


def _reject(row: tuple[int, str, int, str, bytes, str, str]) -> StoredReject:
    return StoredReject(*row[:5], tuple(msgspec.json.decode(row[5])), row[6])
