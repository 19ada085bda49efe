"""Which profile each identifier belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from onefold.model.profile import NodeId, ProfileId
from onefold.store.absent import Absent, Keys
from onefold.store.database import Database
from onefold.store.fresh import Fresh

_BEFORE_ALL, _BEHIND_ALL = (b"",), (b"\xff" * 17,)
_NODE_BYTES = 16


class Identifiers:
    """The owners of identifiers, by node."""

    def __init__(self, db: Database, held: Callable[[], int]) -> None:
        """`held` says about how many there are."""
        self._db = db
        self._fresh = Fresh(db, "identifiers", "node", _BEFORE_ALL, _BEHIND_ALL)
        self._absent = Absent(db, Keys(self._all, held, b"".join, _NODE_BYTES))

    def owners(self, nodes: Sequence[NodeId]) -> dict[NodeId, ProfileId]:
        """Which profile each known node belongs to."""
        return self._absent.among(nodes, self._found)

    def _all(self) -> Iterator[list[NodeId]]:
        # What goes on meanwhile is so seen twice rather than missed.
        for table in ("fresh_identifiers", "identifiers"):
            for rows in self._db.pages(f"select node from {table}"):  # noqa: S608
                yield [node for (node,) in rows]

    def _found(self, nodes: Sequence[NodeId]) -> dict[NodeId, ProfileId]:
        # In the order of the tree: pages are then found where the last look left them.
        asked = sorted(nodes)
        sql = "select node, profile from fresh_identifiers where node in ({keys})"
        fresh = dict(self._db.lookup(sql, asked))
        if fresh:
            asked = [node for node in asked if node not in fresh]
        sql = "select node, profile from identifiers where node in ({keys})"
        return dict(self._db.lookup(sql, asked)) | fresh

    def write(
        self,
        owned: Sequence[tuple[NodeId, ProfileId]],
        forgotten: Sequence[NodeId],
        count: int,
    ) -> None:
        """Write who owns what now, within a transaction; `count` identifiers are there then."""
        connection = self._db.connection
        sql = "insert or replace into fresh_identifiers values (?,?)"
        # In the order of the tree: a page is then met once. And `sqlite3` asks the protocol of adapters for
        # each `bytes`, which takes a third of the time of writing it, but not for a `bytearray`.
        rows = [(bytearray(node), one) for node, one in sorted(owned, key=itemgetter(0))]
        connection.executemany(sql, rows)
        for sql in (
            "delete from fresh_identifiers where node = ?",
            "delete from identifiers where node = ?",
        ):
            connection.executemany(sql, [(node,) for node in forgotten])
        if owned:
            self._fresh.settle(len(owned), count)
        self._absent.write([node for node, _ in owned])

    def committed(self, batch: int) -> None:
        """That transaction was this batch, and holds."""
        self._absent.committed(batch)
