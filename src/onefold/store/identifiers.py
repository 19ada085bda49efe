"""Which profile each identifier belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from onefold.model.profile import NodeId, ProfileId
from onefold.store.database import Database
from onefold.store.fresh import Fresh

_BEFORE_ALL, _BEHIND_ALL = (b"",), (b"\xff" * 17,)


class Identifiers:
    """The owners of identifiers, by node."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._fresh = Fresh(db, "identifiers", "node", _BEFORE_ALL, _BEHIND_ALL)

    def owners(self, nodes: Sequence[NodeId]) -> dict[NodeId, ProfileId]:
        """Which profile each known node belongs to."""
        # In the order of the tree: pages are then found where the last look left them.
        asked = sorted(nodes)
        # What goes on meanwhile is then seen twice rather than missed.
        sql = "select node, profile from fresh_identifiers where node in ({keys})"
        fresh = dict(self._db.lookup(sql, asked))
        if fresh:
            asked = [node for node in asked if node not in fresh]
        sql = "select node, profile from identifiers where node in ({keys})"
        return dict(self._db.lookup(sql, asked)) | fresh

    def write(
        self, owned: Sequence[tuple[NodeId, ProfileId]], forgotten: Sequence[NodeId], count: int
    ) -> None:
        """Write who owns what now, within a transaction; `count` identifiers are there then."""
        connection = self._db.connection
        sql = "insert or replace into fresh_identifiers values (?,?)"
        # In the order of the tree: a page is then met once.
        connection.executemany(sql, sorted(owned, key=itemgetter(0)))
        for sql in (
            "delete from fresh_identifiers where node = ?",
            "delete from identifiers where node = ?",
        ):
            connection.executemany(sql, [(node,) for node in forgotten])
        if owned:
            self._fresh.settle(len(owned), count)
