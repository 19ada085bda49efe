"""Which events were processed before: by minute and hash, as long as they may come again."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.store.database import Database
from onefold.store.fresh import Fresh

_MINUTES_A_DAY = 1_440
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
_ASKED = "with asked(m, h) as (values {keys}) select m, h from asked cross join "


class Seen:
    """One row per event: the minute of its client (0: none), a hash, and the day on which it came."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._fresh = Fresh(db, "seen", "minute, hash", (_LOWEST,) * 2, (_HIGHEST,) * 2)

    def among(self, keys: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of the `(minute, hash)` keys that were processed before."""
        # What goes on meanwhile is then seen twice rather than missed.
        fresh = set(self._db.lookup_pairs(_ASKED + "fresh_seen on minute = m and hash = h", keys))
        return fresh.union(self._db.lookup_pairs(_ASKED + "seen on minute = m and hash = h", keys))

    def write(self, seen: Sequence[tuple[int, int, int]], count: int) -> None:
        """Write keys with the day, within a transaction; about `count` are there then."""
        # What came as it happened lies together by its minute. Of others a file brings millions.
        live = [one for one in seen if one[0] >= (one[2] - 1) * _MINUTES_A_DAY]
        others = [one for one in seen if one[0] < (one[2] - 1) * _MINUTES_A_DAY]
        connection = self._db.connection
        connection.executemany("insert or ignore into seen values (?,?,?)", live)
        if others:
            connection.executemany("insert or ignore into fresh_seen values (?,?,?)", others)
            self._fresh.settle(len(others), count)

    def drop(self, keys: Sequence[tuple[int, int]]) -> None:
        """Forget these, which may come again."""
        with self._db.transaction() as connection:
            for sql in (
                "delete from fresh_seen where minute = ? and hash = ?",
                "delete from seen where minute = ? and hash = ?",
            ):
                connection.executemany(sql, keys)

    def forget(self, minute: int, day: int, limit: int) -> int:
        """Forget some of those older than `minute` that arrived before `day`; how many at least."""
        with self._db.transaction() as connection:
            connection.execute("delete from fresh_seen where minute < ? and day < ?", (minute, day))
            cursor = connection.execute(
                "delete from seen where (minute, hash) in (select minute, hash from seen"
                " where minute < ? and day < ? limit ?)",
                (minute, day, limit),
            )
            return cursor.rowcount
