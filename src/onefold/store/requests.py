"""What other processes ask of the worker, because only one may own the store's profiles."""

from __future__ import annotations

from typing import NamedTuple

from onefold.store.database import Database


class Request(NamedTuple):
    """Something to do."""

    id: int
    action: str


class Requests:
    """The requests of one workspace and their answers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, action: str, at: int) -> int:
        """Ask; gives the number of the request."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "insert into requests (action, argument, created_at) values (?, '', ?)",
                (action, at),
            )
            return int(cursor.lastrowid or 0)

    def waiting(self) -> list[Request]:
        """What is still to be done, oldest first."""
        rows = self._db.rows("select id, action from requests where state <> 'done' order by id")
        return [Request(*row) for row in rows]

    def start(self, request: int) -> None:
        """Say that it is being done."""
        with self._db.transaction() as connection:
            connection.execute("update requests set state = 'started' where id = ?", (request,))

    def started(self, request: int) -> bool:
        """Is it being done, or done?"""
        return bool(self._db.one("select state <> 'waiting' from requests where id = ?", request))

    def finish(self, request: int, result: str) -> None:
        """Answer a request."""
        with self._db.transaction() as connection:
            connection.execute(
                "update requests set state = 'done', result = ? where id = ?", (result, request)
            )

    def result(self, request: int) -> str | None:
        """The answer, or None while there is none."""
        answer = self._db.one(
            "select result from requests where id = ? and state = 'done'", request
        )
        return None if answer is None else str(answer)
