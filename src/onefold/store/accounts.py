"""Accounts, and the identifiers whose owners belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from onefold.model.profile import NodeId, ProfileId
from onefold.store.database import Database

# As everywhere, the small tree of identifiers holds, whatever the large one says.
_MEMBERS = (
    "select account, m.node as node, coalesce(f.profile, i.profile) as profile from account_members m"
    " left join fresh_identifiers f on f.node = m.node left join identifiers i on i.node = m.node"
    " where coalesce(f.profile, i.profile) is not null"
)


class AccountWrite(msgspec.Struct, gc=False):
    """What a batch changes: documents of accounts, with when a correction ends next; of identifiers all accounts that they are of now, and
    whether their owners live with somebody.
    """

    documents: list[tuple[str, bytes, int]] = []
    members: list[tuple[NodeId, list[str]]] = []
    living: list[tuple[NodeId, bool]] = []


class MemberNode(NamedTuple):
    """An identifier of somebody who belongs to an account, and whose it is."""

    node: NodeId
    profile: ProfileId


class AccountStore:
    """The accounts of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def documents(self, accounts: Sequence[str]) -> dict[str, bytes]:
        """The stored documents of accounts."""
        sql = "select id, document from accounts where id in ({keys})"
        return dict(self._db.lookup(sql, sorted(accounts)))

    def page(self, after: str, limit: int) -> list[tuple[str, bytes]]:
        """All accounts in the order of their ids, a page at a time."""
        sql = "select id, document from accounts where id > ? order by id limit ?"
        return [(name, document) for name, document in self._db.rows(sql, after, limit)]

    def due(self, now: int, limit: int) -> list[bytes]:
        """The documents of accounts of which a correction has ended by now, some at a time."""
        sql = "select document from accounts where until > 0 and until <= ? order by until limit ?"
        return [document for (document,) in self._db.rows(sql, now, limit)]

    def members(self, account: str, after: NodeId, limit: int) -> list[MemberNode]:
        """The identifiers of an account's members in their order, a page at a time."""
        sql = (
            f"select node, profile from ({_MEMBERS}) where account = ? and node > ?"  # noqa: S608
            " order by node limit ?"
        )
        return [MemberNode(*row) for row in self._db.rows(sql, account, after, limit)]

    def sizes(self, accounts: Sequence[str]) -> dict[str, int]:
        """How many profiles belong to each of some accounts."""
        sql = (
            f"select account, count(distinct profile) from ({_MEMBERS})"  # noqa: S608
            " where account in ({keys}) group by account"
        )
        return dict(self._db.lookup(sql, sorted(accounts)))

    def count(self) -> int:
        """How many accounts there are."""
        return int(self._db.one("select count(*) from accounts") or 0)

    def living(self, after: NodeId, limit: int) -> list[NodeId]:
        """The identifiers whose owners live with somebody, in their order, a page at a time."""
        sql = "select node from household_nodes where node > ? order by node limit ?"
        return [row[0] for row in self._db.rows(sql, after, limit)]

    def remove(self, accounts: Sequence[str]) -> None:
        """Forget accounts of which nothing is said any more."""
        with self._db.transaction() as connection:
            rows = [(one,) for one in accounts]
            connection.executemany("delete from accounts where id = ?", rows)

    def write(self, change: AccountWrite, forgotten: Sequence[NodeId]) -> None:
        """Write what a batch changes, within its transaction; `forgotten` identifiers are gone."""
        connection = self._db.connection
        connection.executemany("insert or replace into accounts values (?,?,?)", change.documents)
        gone = [(node,) for node in [*forgotten, *(node for node, _ in change.members)]]
        connection.executemany("delete from account_members where node = ?", gone)
        rows = [(account, node) for node, accounts in change.members for account in accounts]
        connection.executemany("insert into account_members values (?,?)", rows)
        alone = [*forgotten, *(node for node, together in change.living if not together)]
        connection.executemany(
            "delete from household_nodes where node = ?", [(node,) for node in alone]
        )
        connection.executemany(
            "insert or ignore into household_nodes values (?)",
            [(node,) for node, together in change.living if together],
        )
