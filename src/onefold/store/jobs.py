"""Long work, and what other processes ask of the worker: asked for, done, told about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from onefold.model.errors import Conflict, NotFound
from onefold.model.job import Job, JobState
from onefold.store.database import Database
from onefold.store.registry import Registry

_json = msgspec.json.Encoder(order="sorted").encode
_SELECT = (
    "select id, kind, subject, state, done, total, step, canceling, created_at, created_by,"
    " started_at, finished_at, reason from jobs"
)
_OPEN = "state in ('waiting', 'running')"
_ATTEMPTS = 3
OWN = "onefold"
"""Who asks for what follows by itself from something else; it is not written down again."""


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._audit = Registry(db).audit

    def add(self, kind: str, subject: str, argument: dict[str, Any], at: int, actor: str) -> int:
        """Ask for work; gives the number of the job."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "insert into jobs (kind, subject, argument, created_at, created_by)"
                " values (?,?,?,?,?)",
                (kind, subject, _json(argument).decode(), at, actor),
            )
            job = int(cursor.lastrowid or 0)
            if actor != OWN:
                self._audit(at, actor, "job.add", str(job), {"kind": kind, "subject": subject})
            return job

    def get(self, job: int) -> Job:
        """One job with all that is known of it; `NotFound` if there is none of this number."""
        rows = self._db.rows(f"{_SELECT} where id = ?", job)
        if not rows:
            raise NotFound(f"there is no job {job}; `onefold job list` shows them")
        ((argument, result),) = self._db.rows("select argument, result from jobs where id = ?", job)
        return msgspec.structs.replace(
            _job(rows[0]),
            argument=msgspec.json.decode(argument),
            result=None if result is None else msgspec.json.decode(result),
        )

    def newest(self, kind: str) -> Job | None:
        """The job of a kind that was asked for last, without argument and result."""
        rows = self._db.rows(f"{_SELECT} where kind = ? order by id desc limit 1", kind)
        return _job(rows[0]) if rows else None

    def page(self, before: int, limit: int, *, only_open: bool = False) -> list[Job]:
        """Jobs with a number below `before`, newest first, without argument and result."""
        which = f" and {_OPEN}" if only_open else ""
        rows = self._db.rows(
            f"{_SELECT} where id < ?{which} order by id desc limit ?",
            before,
            limit,
        )
        return [_job(row) for row in rows]

    def open(self, kinds: Collection[str]) -> list[Job]:
        """Jobs of these kinds that wait or run, oldest first."""
        rows = self._db.rows(f"{_SELECT} where {_OPEN} order by id")
        return [_job(row) for row in rows if row[1] in kinds]

    def latest(self, kind: str, subject: str) -> Job | None:
        """The newest job of a kind about a subject."""
        rows = self._db.rows(
            f"{_SELECT} where kind = ? and subject = ? order by id desc limit 1", kind, subject
        )
        return _job(rows[0]) if rows else None

    def start(self, job: int, at: int) -> bool:
        """Say that it is being done; False if it no longer waits."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "update jobs set state = 'running', started_at = coalesce(started_at, ?),"
                " attempts = attempts + 1 where id = ? and state = 'waiting'",
                (at, job),
            )
            return cursor.rowcount > 0

    def progress(self, job: int, done: int, total: int, step: str) -> None:
        """Say how far it is."""
        with self._db.transaction() as connection:
            connection.execute(
                "update jobs set done = ?, total = ?, step = ? where id = ?",
                (done, total, step, job),
            )

    def canceling(self, job: int) -> bool:
        """Has somebody asked to stop it?"""
        return bool(self._db.one("select canceling from jobs where id = ?", job))

    def position(self, job: int) -> Any:
        """Where to go on with it after a crash, as `keep` was told; None at its beginning."""
        return msgspec.json.decode(
            self._db.one("select position from jobs where id = ?", job) or "null"
        )

    def keep(self, job: int, position: Any) -> None:
        """Remember where to go on with it after a crash; what came before need not come again."""
        with self._db.transaction() as connection:
            connection.execute(
                "update jobs set position = ?, attempts = 0 where id = ?",
                (_json(position).decode(), job),
            )

    def finish(
        self, job: int, at: int, state: JobState, result: Any = None, reason: str = ""
    ) -> None:
        """Say how it ended."""
        with self._db.transaction() as connection:
            connection.execute(
                "update jobs set state = ?, result = ?, reason = ?, finished_at = ?,"
                " done = case when ? = 'done' then max(done, total) else done end where id = ?",
                (state, _json(result).decode(), reason, at, state, job),
            )

    def cancel(self, job: int, at: int, actor: str) -> None:
        """Ask to stop it: at once if it still waits; `Conflict` if it has ended."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "update jobs set canceling = 1 where id = ? and finished_at is null", (job,)
            )
            if not cursor.rowcount:
                raise Conflict(f"job {job} is {self.get(job).state} already")
            connection.execute(
                "update jobs set state = 'canceled', finished_at = ?"
                " where id = ? and state = 'waiting'",
                (at, job),
            )
            self._audit(at, actor, "job.cancel", str(job), {})

    def put_back(self, job: int) -> None:
        """What was begun waits again; that it was begun is no attempt."""
        with self._db.transaction() as connection:
            connection.execute(
                "update jobs set state = 'waiting', attempts = attempts - 1 where id = ?", (job,)
            )

    def recover(self, kinds: Collection[str], at: int) -> None:
        """What a process was doing when it ended waits again, unless that may be what ended it."""
        for one in self.open(kinds):
            if one.state == "running":
                with self._db.transaction() as connection:
                    connection.execute(
                        "update jobs set state = case"
                        " when canceling then 'canceled' when attempts >= ? then 'failed'"
                        " else 'waiting' end,"
                        " reason = case when attempts >= ? and not canceling"
                        " then 'the process that did it ended' else '' end,"
                        " finished_at = case when canceling or attempts >= ? then ? end"
                        " where id = ?",
                        (_ATTEMPTS, _ATTEMPTS, _ATTEMPTS, at, one.id),
                    )

    def forget(self, before: int) -> None:
        """Drop jobs that ended before a time."""
        with self._db.transaction() as connection:
            connection.execute("delete from jobs where finished_at < ?", (before,))


def _job(row: tuple[Any, ...]) -> Job:
    values = dict(zip(Job.__struct_fields__, row, strict=False))
    return msgspec.convert({**values, "canceling": bool(row[7])}, Job)
