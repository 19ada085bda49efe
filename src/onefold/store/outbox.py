"""Deliveries that wait to be sent, on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from onefold.model.delivery import DeadLetter, Delivery, Outcome
from onefold.store.database import Database

_COLUMNS = "id, destination, profile, key, payload, created_at, attempts, next_at"
_DUE = f"""
select {_COLUMNS} from deliveries as one
where state = 'waiting' and destination = ? and next_at <= ? {{excluding}}
and not exists (
  select 1 from deliveries as earlier
  where earlier.state = 'waiting' and earlier.destination = one.destination
  and earlier.profile = one.profile and earlier.id < one.id
)
order by next_at, id limit ?
"""  # noqa: S608 - only names of columns are put in


class SQLiteOutbox:
    """The outbox of one workspace; used by one thread at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Let these wait; inside the transaction of what they tell."""
        self._db.connection.executemany(
            "insert into deliveries (destination, profile, key, payload, created_at, next_at)"
            " values (?,?,?,?,?,?)",
            [
                (one.destination, one.profile, one.key, one.payload, one.created_at, one.next_at)
                for one in deliveries
            ],
        )

    def due(
        self, destination: str, now: int, limit: int, excluding: Collection[int] = ()
    ) -> list[Delivery]:
        """The first waiting delivery of each profile that may be sent now, longest due first."""
        marks = ",".join("?" * len(excluding))
        sql = _DUE.format(excluding=f"and profile not in ({marks})" if excluding else "")
        rows = self._db.rows(sql, destination, now, *excluding, limit)
        return [Delivery(*row) for row in rows]

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Write what became of deliveries; those that no longer wait are left alone."""
        delivered = [(one.id,) for one in outcomes if one.result == "delivered"]
        retried = [
            (one.attempts, one.at, one.reason, one.id) for one in outcomes if one.result == "retry"
        ]
        dead = [
            (one.attempts, one.at, one.reason, one.id) for one in outcomes if one.result == "dead"
        ]
        with self._db.transaction() as connection:
            connection.executemany(
                "delete from deliveries where id = ? and state = 'waiting'", delivered
            )
            connection.executemany(
                "update deliveries set attempts = ?, next_at = ?, reason = ?"
                " where id = ? and state = 'waiting'",
                retried,
            )
            connection.executemany(
                "update deliveries set attempts = ?, finished_at = ?, reason = ?, state = 'dead'"
                " where id = ? and state = 'waiting'",
                dead,
            )

    def dead(self, destination: str, after: int = 0, limit: int = 100) -> list[DeadLetter]:
        """Dead letters with an id above `after`; of all destinations where it is empty."""
        rows = self._db.rows(
            f"select {_COLUMNS}, reason, finished_at from deliveries"  # noqa: S608
            " where state = 'dead' and id > ? and (destination = ? or ? = '') order by id limit ?",
            after,
            destination,
            destination,
            limit,
        )
        return [DeadLetter(Delivery(*row[:8]), row[8], row[9]) for row in rows]

    def revive(self, ids: Collection[int], now: int) -> int:
        """Put dead letters back, due now, with no attempts made."""
        with self._db.transaction() as connection:
            cursor = connection.executemany(
                "update deliveries set state = 'waiting', attempts = 0, next_at = ?,"
                " created_at = ?, reason = '', finished_at = null where id = ? and state = 'dead'",
                [(now, now, one) for one in ids],
            )
            return cursor.rowcount

    def clock_went_back(self, by: int, now: int) -> None:
        """What was planned by a clock that has gone back since is due as much earlier."""
        with self._db.transaction() as connection:
            connection.execute(
                "update deliveries set next_at = max(?, next_at - ?)"
                " where state = 'waiting' and next_at > ?",
                (now, by, now),
            )

    def waiting(self) -> dict[str, int]:
        """How many deliveries wait, per destination."""
        return dict(
            self._db.rows(
                "select destination, count(*) from deliveries where state = 'waiting'"
                " group by destination"
            )
        )
