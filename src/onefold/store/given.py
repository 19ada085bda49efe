"""What is not said by sources: claims that wait for somebody, lists, what refreshes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class TagDay(NamedTuple):
    """How many of all profiles had each value of a tag, on a day (numbered from 1970-01-01, UTC)."""

    day: int
    profiles: int
    counts: dict[str, int]


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

    def all_waiting(self) -> list[tuple[NodeId, str, bytes]]:
        """All claims that wait for somebody to appear."""
        rows = self._db.rows("select node, message_id, statement from waiting_claims")
        return [(node, message_id, statement) for node, message_id, statement in rows]

    def replace_waiting(self, rows: Sequence[tuple[NodeId, str, bytes]]) -> None:
        """These claims wait, and no others."""
        with self._db.transaction() as connection:
            connection.execute("delete from waiting_claims")
            connection.executemany("insert into waiting_claims values (?,?,?)", rows)

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

    def add_list(self, segment: str, kind: str, at: int, actor: str) -> int:
        """Begin the next version of a segment's list; gives its number."""
        with self._db.transaction() as connection:
            last = self._db.one("select max(version) from lists where segment = ?", segment)
            version = int(last or 0) + 1
            connection.execute(
                "insert into lists (segment, version, kind, created_at, created_by)"
                " values (?,?,?,?,?)",
                (segment, version, kind, at, actor),
            )
            return version

    def list_loaded(
        self, segment: str, version: int, rows: int, refused: int, partition: str, behind: int
    ) -> None:
        """All of a list is in the log; it holds once what lies before `behind` is folded."""
        with self._db.transaction() as connection:
            connection.execute(
                "update lists set state = 'loaded', rows = ?, refused = ?, log_partition = ?,"
                " behind = ? where segment = ? and version = ?",
                (rows, refused, partition, behind, segment, version),
            )

    def lists_to_hold(self, positions: Mapping[str, int]) -> list[tuple[str, int]]:
        """Segments and versions of lists that are folded as a whole and do not hold yet."""
        rows = self._db.rows(
            "select segment, version, log_partition, behind from lists where state = 'loaded'"
            " order by version"
        )
        return [row[:2] for row in rows if positions.get(row[2], 0) >= row[3]]

    def hold_list(self, segment: str, version: int) -> None:
        """From now on this version holds; within a transaction."""
        self._db.connection.execute(
            "update lists set state = case when version = ? then 'live' else 'replaced' end"
            " where segment = ? and version <= ? and state <> 'waiting'",
            (version, segment, version),
        )

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

    def note_day(self, day: int, profiles: int) -> None:
        """Keep how the values of all tags are distributed on a day, once."""
        with self._db.transaction() as connection:
            connection.execute(
                "insert or ignore into tag_days select tag, ?, json_object('total', ?, 'counts',"
                " json_group_object(value, profiles)) from tag_values where profiles > 0"
                " group by tag",
                (day, profiles),
            )

    def tag_day(self, tag: str, day: int) -> TagDay | None:
        """How a tag's values were distributed on a day or the last one before it, else the first."""
        rows = self._db.rows(
            "select day, counts from tag_days where tag = ? order by day > ?, abs(day - ?) limit 1",
            tag,
            day,
            day,
        )
        if not rows:
            return None
        known = msgspec.json.decode(rows[0][1])
        return TagDay(rows[0][0], known["total"], known["counts"])
