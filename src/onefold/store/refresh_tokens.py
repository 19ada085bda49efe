"""Refresh tokens that came in place of those that sources are given; encrypted by whoever hands them in."""

from __future__ import annotations

from onefold.model.errors import NotFound
from onefold.store.database import Database

_DAY = 86_400_000_000
_REPLACED_FOR = 90 * _DAY
"""For how long a token is kept after its source was given another: who slips may go back to the first."""


class RefreshTokens:
    """Tokens by the hash of what a definition gave; sources that are given the same share what came of it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, given: bytes, source: str, at: int) -> tuple[bytes | None, int]:
        """What came in place of a token, which is asked about from now on; and since when an answer is missing.

        `NotFound` where there is no such source (any more): for that nothing would be kept.
        """
        with self._db.transaction() as connection:
            if not self._db.one(
                "select count(*) from definitions where kind = 'source' and name = ?", source
            ):
                raise NotFound(f"there is no definition of the source {source!r} any more")
            rows = self._db.rows(
                "select value, asked_at from refresh_tokens where given = ?"
                " order by changed_at desc limit 1",
                given,
            )
            value, asked_at = rows[0] if rows else (None, 0)
            connection.execute(
                "insert or ignore into refresh_tokens values (?,?,?,?,?)",
                (given, source, value, at, at),
            )
            connection.execute(
                "update refresh_tokens set asked_at = ? where given = ?", (at, given)
            )
            connection.execute(
                "delete from refresh_tokens where source = ? and given <> ? and changed_at < ?",
                (source, given, at - _REPLACED_FOR),
            )
        return value, asked_at

    def keep(self, given: bytes, value: bytes | None, at: int) -> None:
        """It was exchanged for this one; None where it stays good."""
        with self._db.transaction() as connection:
            connection.execute(
                "update refresh_tokens set value = coalesce(?, value), asked_at = 0, changed_at = ?"
                " where given = ?",
                (value, at, given),
            )

    def unasked(self, given: bytes, asked_at: int) -> None:
        """The answer exchanged nothing: what was missing before (0: nothing) still is."""
        with self._db.transaction() as connection:
            connection.execute(
                "update refresh_tokens set asked_at = ? where given = ?", (asked_at, given)
            )

    def forget(self, given: bytes) -> None:
        """Nothing is kept of what came of this one."""
        with self._db.transaction() as connection:
            connection.execute("delete from refresh_tokens where given = ?", (given,))
