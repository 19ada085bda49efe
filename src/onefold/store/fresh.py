"""A small table before a large one, for keys that come in no order."""

from __future__ import annotations

from math import isqrt
from typing import Any

from onefold.store.database import Database

_MOVED_AT_ONCE = 1_024
_SHARE = 64


class Fresh:
    """What was written to `fresh_TABLE` a moment ago and goes on to the large `TABLE`; until then it holds.

    Keys that are hashes lie on as many pages of a large tree as they are, so every batch would write most of
    the tree anew. In a small one they lie on few; and as they go on in the order of the keys, a page of the
    large one takes many at once.
    """

    def __init__(
        self, db: Database, table: str, key: str, first: tuple[Any, ...], last: tuple[Any, ...]
    ) -> None:
        self._db = db
        self._first = self._at = first
        self._last = last
        self._held: int | None = None
        marks = ",".join("?" * len(first))
        # Names of tables and columns, never what somebody said.
        behind = f"from fresh_{table} where ({key}) > ({marks})"
        some = f"{behind} and ({key}) <= ({marks})"
        self._count = f"select count(*) from fresh_{table}"  # noqa: S608
        self._end = f"select {key} {behind} order by {key} limit 1 offset {_MOVED_AT_ONCE - 1}"
        self._copy = f"insert or replace into {table} select * {some} order by {key}"
        self._drop = f"delete {some}"

    def settle(self, written: int, large: int) -> None:
        """So many rows were written, in this transaction; of some that are too many for beside so `large`
        a table, go on.

        The root makes both trees have about as many pages for a batch of some thousand rows.
        """
        self._held = self._counted() if self._held is None else self._held + written
        most = _SHARE * isqrt(large)
        while self._held > most:
            self._held = self._move(self._held)

    def _move(self, held: int) -> int:
        """Move the next rows in their order; how many are left."""
        connection = self._db.connection
        end = connection.execute(self._end, self._at).fetchone()
        bounds = (*self._at, *(end or self._last))
        connection.execute(self._copy, bounds)
        moved = connection.execute(self._drop, bounds).rowcount
        self._at = end or self._first
        # Once round it is counted anew: others may have written, and batches been taken back.
        return held - moved if end else self._counted()

    def _counted(self) -> int:
        return int(self._db.one(self._count))
