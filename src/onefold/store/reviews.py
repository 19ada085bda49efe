"""Links that wait for a person's word."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import NamedTuple

from onefold.model.errors import Conflict, Stale
from onefold.model.profile import NodeId
from onefold.store.database import Database

Hold = tuple[NodeId, NodeId, str, int, int, int, float | None]
"""A link that waits: its ends, why, its rank, from when, since when, and the weight of a match."""

_COLUMNS = (
    "left, right, reason, rank, time, since, state, weight, claimed_by, claimed_until, version"
)


class Review(NamedTuple):
    """A link between two identifiers that was not taken: why, of which rank, from when, since when it waits.

    `weight` is how much the two are alike, if that is what links them. Until `claimed_until` it is with
    `claimed_by`. The version counts all that changed.
    """

    left: NodeId
    right: NodeId
    reason: str
    rank: int
    time: int
    since: int
    state: str
    weight: float | None
    claimed_by: str
    claimed_until: int
    version: int


class Verdict(NamedTuple):
    """What somebody said of a review: of which two, of which weight, whether they are the same, when and who."""

    left: NodeId
    right: NodeId
    weight: float | None
    same: bool
    decided_at: int
    decided_by: str


class Reviews:
    """The review queue of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(self, partitioned: Collection[NodeId], holds: Sequence[Hold]) -> None:
        """These nodes were partitioned anew, and these links wait; within the batch's transaction."""
        connection = self._db.connection
        waits = {hold[:2] for hold in holds}
        if partitioned and self._db.one("select 1 from reviews limit 1") is not None:
            gone = [row for row in self._touching(partitioned) if row not in waits]
            connection.executemany("delete from reviews where left = ? and right = ?", gone)
        connection.executemany(
            "insert into reviews (left, right, reason, rank, time, since, weight)"
            " values (?,?,?,?,?,?,?) on conflict (left, right) do update set"
            " version = version + (reason <> excluded.reason or rank <> excluded.rank"
            " or weight is not excluded.weight or state = 'decided'),"
            # What was decided and waits again was decided in vain, or that was taken back.
            " state = case when state = 'decided' then 'open' else state end, weight = excluded.weight,"
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

    def open(
        self,
        limit: int,
        *,
        reason: str | None = None,
        least: float | None = None,
        most: float | None = None,
        free: tuple[str, int] | None = None,
    ) -> list[Review]:
        """What waits, most doubtful first, then longest; of one reason, or of weights in a range.

        `free` names somebody and a time: only what nobody else is looking at then.
        """
        tests, given = ["state = 'open'"], list[object]()
        for test, value in (("reason = ?", reason), ("weight >= ?", least), ("weight <= ?", most)):
            if value is not None:
                tests.append(test)
                given.append(value)
        if free is not None:
            tests.append("(claimed_by = ? or claimed_until <= ?)")
            given += free
        sql = (
            f"select {_COLUMNS} from reviews where {' and '.join(tests)}"  # noqa: S608 - from here only
            " order by abs(coalesce(weight, 0)), since, left, right limit ?"
        )
        return [Review(*row) for row in self._db.rows(sql, *given, limit)]

    def get(self, left: NodeId, right: NodeId) -> Review | None:
        """The review of two identifiers, in either order, if they wait."""
        sql = f"select {_COLUMNS} from reviews where (left, right) in ((?, ?), (?, ?))"  # noqa: S608
        rows = list(self._db.rows(sql, left, right, right, left))
        return Review(*rows[0]) if rows else None

    def count(self, *, put_off: bool = False) -> int:
        """How many wait, with those that were put off or without."""
        return int(self._db.one("select count(*) from reviews where state = 'open' or ?", put_off))

    def claim(
        self, wanted: Sequence[Review], limit: int, by: str, until: int, now: int
    ) -> list[Review]:
        """Give somebody the first of these that still wait and that nobody else has, until then."""
        found: list[Review] = []
        with self._db.transaction() as connection:
            for one in wanted:
                if len(found) == limit:
                    break
                done = connection.execute(
                    "update reviews set claimed_by = ?, claimed_until = ?, version = version + 1"
                    " where left = ? and right = ? and state = 'open' and version = ?"
                    " and (claimed_by = ? or claimed_until <= ?)",
                    (by, until, one.left, one.right, one.version, by, now),
                )
                if done.rowcount:
                    found.append(
                        one._replace(claimed_by=by, claimed_until=until, version=one.version + 1)
                    )
        return found

    def release(self, by: str) -> int:
        """Give back what somebody has; how many these were."""
        with self._db.transaction() as connection:
            done = connection.execute(
                "update reviews set claimed_by = '', claimed_until = 0, version = version + 1"
                " where claimed_by = ? and state = 'open'",
                (by,),
            )
            return done.rowcount

    def judge(
        self,
        ends: Sequence[tuple[NodeId, NodeId, int | None]],
        same: bool | None,
        by: str,
        now: int,
    ) -> None:
        """Somebody says of these pairs whether they are the same, or takes that back; all or none.

        Each with the version that was looked at, if one was. `Conflict` where another is looking at it.
        """
        with self._db.transaction() as connection:
            for left, right, version in ends:
                review = self.get(left, right)
                _check(review, version, by, now)
                _keep(connection, (left, right), review, same, by, now)

    def reopen(self, at: int, by: str) -> None:
        """What somebody said at that time did not come into the log: it waits again."""
        with self._db.transaction() as connection:
            said = "(select left, right from verdicts where decided_at = ? and decided_by = ?)"
            connection.execute(
                "update reviews set state = 'open', version = version + 1"  # noqa: S608 - from here only
                f" where state = 'decided' and (left, right) in {said}",
                (at, by),
            )
            connection.execute(
                "delete from verdicts where decided_at = ? and decided_by = ?", (at, by)
            )

    def decided(self, at: int) -> list[tuple[NodeId, NodeId]]:
        """The pairs of which something was said at that time that still holds."""
        sql = "select left, right from verdicts where decided_at = ? order by left, right"
        return [(left, right) for left, right in self._db.rows(sql, at)]

    def verdicts(self) -> list[Verdict]:
        """What was said of pairs that have a weight."""
        sql = (
            "select left, right, weight, same, decided_at, decided_by from verdicts"
            " where weight is not null order by left, right"
        )
        return [
            Verdict(left, right, weight, bool(same), at, by)
            for left, right, weight, same, at, by in self._db.rows(sql)
        ]

    def set_state(self, left: NodeId, right: NodeId, state: str) -> bool:
        """Put one off (`later`) or back (`open`); False if it does not wait any more."""
        with self._db.transaction() as connection:
            done = connection.execute(
                "update reviews set state = ?, claimed_by = '', claimed_until = 0,"
                " version = version + 1 where left = ? and right = ?",
                (state, left, right),
            )
            return done.rowcount > 0


def _check(review: Review | None, version: int | None, by: str, now: int) -> None:
    if version is not None and (review is None or review.version != version):
        raise Stale("the review was changed or decided since it was looked at")
    if review is not None and review.claimed_by not in ("", by) and review.claimed_until > now:
        raise Conflict(f"{review.claimed_by} is looking at this review")


def _keep(
    connection: sqlite3.Connection,
    ends: tuple[NodeId, NodeId],
    review: Review | None,
    same: bool | None,
    by: str,
    now: int,
) -> None:
    if same is None:
        connection.execute(
            "delete from verdicts where (left, right) in ((?, ?), (?, ?))", (*ends, *ends[::-1])
        )
    elif review is not None:
        connection.execute(
            "insert or replace into verdicts values (?,?,?,?,?,?,?)",
            (review.left, review.right, review.reason, review.weight, same, now, by),
        )
        connection.execute(
            "update reviews set state = 'decided', version = version + 1"
            " where left = ? and right = ?",
            (review.left, review.right),
        )
