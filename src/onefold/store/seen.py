"""Which events were processed before: by minute and hash, as long as they may come again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from onefold.store.absent import Absent, Keys
from onefold.store.database import Database
from onefold.store.fresh import Fresh

_MINUTES_A_DAY = 1_440
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
_HASH_BYTES = 8
_ASKED = "with asked(m, h) as (values {keys}) select m, h from asked cross join "


SeenKey = tuple[int, int]


class Seen:
    """One row per event: the minute of its client (0: none), a hash, and the day on which it came."""

    def __init__(self, db: Database, held: Callable[[], int]) -> None:
        """`held` says about how many there are."""
        self._db = db
        self._fresh = Fresh(db, "seen", "minute, hash", (_LOWEST,) * 2, (_HIGHEST,) * 2)
        self._absent = Absent(db, Keys(self._all, held, _hashes, _HASH_BYTES))

    def among(self, keys: Sequence[SeenKey]) -> set[SeenKey]:
        """Those of the `(minute, hash)` keys that were processed before."""
        return self._absent.among(keys, self._found)

    def _all(self) -> Iterator[list[Any]]:
        # What goes on meanwhile is so seen twice rather than missed.
        for table in ("fresh_seen", "seen"):
            yield from self._db.pages(f"select minute, hash from {table}")  # noqa: S608

    def _found(self, keys: Sequence[SeenKey]) -> set[SeenKey]:
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
        self._absent.write([one[:2] for one in seen])

    def committed(self, batch: int) -> None:
        """That transaction was this batch, and holds."""
        self._absent.committed(batch)

    def drop(self, keys: Sequence[SeenKey]) -> None:
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


def _hashes(keys: Sequence[SeenKey]) -> bytes:
    return array("q", [digest for _, digest in keys]).tobytes()
