"""What is not said by sources: claims that wait for somebody, lists, what refreshes found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from onefold.model.profile import NodeId, ProfileId
from onefold.store.database import Database


class RefreshRow(NamedTuple):
    """A value that a refresh found, on its way to the profile."""

    id: int
    trait: str
    profile: ProfileId
    value: Any
    as_of: int


class ListRow(NamedTuple):
    """One version of a segment's list: what was uploaded, and how far it is."""

    segment: str
    version: int
    kind: str
    rows: int
    refused: int
    state: str
    created_at: int
    created_by: str


class RefreshState(NamedTuple):
    """The last refresh of a tag: of which version, as of when, and what came out."""

    tag: str
    version: int
    as_of: int
    seconds: float
    profiles: int
    changed: int


class GivenStore:
    """Given values of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def waiting(self, nodes: Sequence[NodeId]) -> list[tuple[NodeId, bytes]]:
        """The claims that wait for these nodes."""
        if self._db.one("select 1 from waiting_claims limit 1") is None:
            return []
        sql = "select node, statement from waiting_claims where node in ({keys})"
        return list(self._db.lookup(sql, nodes))

    def refreshed(self, limit: int) -> list[RefreshRow]:
        """Values that wait for their profiles, oldest first."""
        rows = self._db.rows(
            "select id, trait, profile, value, as_of from refresh_values order by id limit ?",
            limit,
        )
        return [RefreshRow._make((*row[:3], msgspec.json.decode(row[3]), row[4])) for row in rows]

    def add_refreshed(self, rows: Sequence[tuple[str, ProfileId, str, int]]) -> None:
        """Put `(trait, profile, JSON of the value, as of)` on their way to the profiles."""
        with self._db.transaction() as connection:
            connection.executemany(
                "insert into refresh_values (trait, profile, value, as_of) values (?,?,?,?)", rows
            )

    def refresh_queue(self) -> int:
        """How many values are on their way."""
        return int(self._db.one("select count(*) from refresh_values") or 0)

    def drop_refreshed(self, trait: str) -> None:
        """Forget what is on its way from an earlier refresh."""
        with self._db.transaction() as connection:
            connection.execute("delete from refresh_values where trait = ?", (trait,))

    def forget_refreshed(self, row: int) -> None:
        """Drop one value that is on its way."""
        with self._db.transaction() as connection:
            connection.execute("delete from refresh_values where id = ?", (row,))

    def note_refresh(
        self, tag: str, version: int, as_of: int, seconds: float, profiles: int, changed: int
    ) -> None:
        """Remember how a refresh went."""
        with self._db.transaction() as connection:
            connection.execute(
                "insert or replace into refreshes values (?,?,?,?,?,?)",
                (tag, version, as_of, seconds, profiles, changed),
            )

    def refreshes(self) -> dict[str, RefreshState]:
        """The last refresh of each tag that had one."""
        rows = self._db.rows(
            "select tag, version, as_of, seconds, profiles, changed from refreshes"
        )
        return {row[0]: RefreshState(*row) for row in rows}

    def lists(self) -> list[ListRow]:
        """All versions of all lists."""
        rows = self._db.rows(
            "select segment, version, kind, rows, refused, state, created_at, created_by from lists"
            " order by segment, version"
        )
        return [ListRow(*row) for row in rows]

    def list_versions(self) -> dict[str, int]:
        """Of each segment, the version of its list that is in force."""
        rows = self._db.rows(
            "select segment, max(version) from lists where state = 'live' group by segment"
        )
        return dict(rows)

    def tag_values(self, tag: str) -> dict[str, int]:
        """How many profiles have each value of a tag."""
        rows = self._db.rows(
            "select value, profiles from tag_values where tag = ? and profiles > 0 order by value",
            tag,
        )
        return dict(rows)
