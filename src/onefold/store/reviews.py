"""Links that wait for a person's word."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from onefold.model.profile import NodeId
from onefold.store.database import Database


class Review(NamedTuple):
    """A link between two identifiers that was not taken: why, of which rank, from when, since when it waits."""

    left: NodeId
    right: NodeId
    reason: str
    rank: int
    time: int
    since: int
    state: str


class Reviews:
    """The review queue of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(
        self,
        partitioned: Collection[NodeId],
        holds: Sequence[tuple[NodeId, NodeId, str, int, int, int]],
    ) -> None:
        """These nodes were partitioned anew, and these links wait; within the batch's transaction."""
        connection = self._db.connection
        waits = {hold[:2] for hold in holds}
        if partitioned and self._db.one("select 1 from reviews limit 1") is not None:
            gone = [row for row in self._touching(partitioned) if row not in waits]
            connection.executemany("delete from reviews where left = ? and right = ?", gone)
        connection.executemany(
            "insert into reviews (left, right, reason, rank, time, since) values (?,?,?,?,?,?)"
            " on conflict (left, right) do update set"
            " reason = excluded.reason, rank = excluded.rank, time = excluded.time",
            holds,
        )

    def _touching(self, nodes: Collection[NodeId]) -> set[tuple[NodeId, NodeId]]:
        """The waiting links at these nodes."""
        found: set[tuple[NodeId, NodeId]] = set()
        for end in ("left", "right"):
            sql = f"select left, right from reviews where {end} in ({{keys}})"  # noqa: S608
            found.update(self._db.lookup(sql, sorted(nodes)))
        return found

    def open(self, limit: int, offset: int = 0) -> list[Review]:
        """What waits, longest first."""
        sql = (
            "select left, right, reason, rank, time, since, state from reviews"
            " where state = 'open' order by since, left, right limit ? offset ?"
        )
        return [Review(*row) for row in self._db.rows(sql, limit, offset)]

    def count(self, *, put_off: bool = False) -> int:
        """How many wait, with those that were put off or without."""
        return int(self._db.one("select count(*) from reviews where state = 'open' or ?", put_off))

    def set_state(self, left: NodeId, right: NodeId, state: str) -> bool:
        """Put one off (`later`) or back (`open`); False if it does not wait any more."""
        with self._db.transaction() as connection:
            done = connection.execute(
                "update reviews set state = ? where left = ? and right = ?", (state, left, right)
            )
            return done.rowcount > 0
