"""Loads, the states of pulled sources, and encrypted secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from onefold.model.delivery import Delivery
from onefold.model.errors import Conflict, NotFound
from onefold.model.loads import Load, LoadCount, LoadKind, LoadState, SourceState
from onefold.store.database import Database
from onefold.store.outbox import SQLiteOutbox
from onefold.store.registry import Registry

_json = msgspec.json.Encoder(order="sorted").encode
_LOAD = (
    "select id, source, kind, state, canceling, created_by, started_at, seen_at, ended_at, attempts,"
    " rows, unreadable, bytes, total, events, repeats, rejects, nameless_emails,"
    " nameless_phones, reason, report from loads"
)
_STATE = (
    "select source, position, paused, wanted, failures, ran_at, succeeded_at, due_at, reason,"
    " warning from source_states"
)


Alarms = Callable[[SourceState, SourceState], Iterable[Delivery]]
"""What somebody is to be told, of what the state of a source was and is."""


def _nobody(_was: SourceState, _now: SourceState) -> Iterable[Delivery]:
    return ()


class Loads:
    """The loads of one workspace, and where each pulled source goes on."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._audit = Registry(db).audit

    def begin(self, source: str, kind: LoadKind, at: int, actor: str) -> Load:
        """The load of this source that a crash broke off, or a new one."""
        with self._db.transaction() as connection:
            cut = self._db.one(
                "select id from loads where source = ? and kind = ? and state = 'running'"
                " and canceling = 0",
                source,
                kind,
            )
            if cut is not None:
                connection.execute(
                    "update loads set attempts = attempts + 1, seen_at = ? where id = ?", (at, cut)
                )
                return self.get(cut)
            connection.execute(
                "update loads set state = 'canceled', ended_at = ? where source = ? and kind = ?"
                " and state = 'running'",
                (at, source, kind),
            )
            cursor = connection.execute(
                "insert into loads (source, kind, created_by, started_at, seen_at)"
                " values (?,?,?,?,?)",
                (source, kind, actor, at, at),
            )
            return self.get(int(cursor.lastrowid or 0))

    def get(self, load: int) -> Load:
        """One load; `NotFound` if there is none of this number."""
        rows = self._db.rows(f"{_LOAD} where id = ?", load)
        if not rows:
            raise NotFound(f"there is no load {load}; `onefold load list` shows them")
        return _load(rows[0])

    def page(self, before: int, limit: int, source: str = "") -> list[Load]:
        """Loads with a number below `before`, newest first; of all sources, or of one."""
        rows = self._db.rows(
            f"{_LOAD} where id < ? and (? = '' or source = ?) order by id desc limit ?",
            before,
            source,
            source,
            limit,
        )
        return [_load(row) for row in rows]

    def running(self, source: str = "") -> list[Load]:
        """Loads that were begun and have not ended."""
        rows = self._db.rows(
            f"{_LOAD} where state = 'running' and (? = '' or source = ?) order by id",
            source,
            source,
        )
        return [_load(row) for row in rows]

    def advance(
        self,
        load: int,
        at: int,
        *,
        rows: int,
        unreadable: int = 0,
        size: int = 0,
        total: int | None = None,
        position: dict[str, Any] | None = None,
        report: dict[str, Any] | None = None,
    ) -> None:
        """What was read is in the log: count it, and go on behind it from now on; in one step."""
        told = None if report is None else _json(report).decode()
        with self._db.transaction() as connection:
            connection.execute(
                "update loads set rows = rows + ?, unreadable = unreadable + ?, bytes = bytes + ?,"
                " total = coalesce(?, total), report = coalesce(?, report), seen_at = ?"
                " where id = ?",
                (rows, unreadable, size, total, told, at, load),
            )
            if position is not None:
                (source,) = self._db.rows("select source from loads where id = ?", load)[0]
                connection.execute(
                    "insert into source_states (source, position) values (?,?)"
                    " on conflict (source) do update set position = excluded.position",
                    (source, _json(position).decode()),
                )

    def seen(self, load: int, at: int) -> None:
        """It is still at work, though there is nothing new."""
        with self._db.transaction() as connection:
            connection.execute("update loads set seen_at = ? where id = ?", (at, load))

    def canceling(self, load: int) -> bool:
        """Has somebody asked to stop it?"""
        return bool(self._db.one("select canceling from loads where id = ?", load))

    def cancel(self, load: int, at: int, actor: str) -> None:
        """Ask to stop it; `Conflict` if it has ended."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "update loads set canceling = 1 where id = ? and state = 'running'", (load,)
            )
            if not cursor.rowcount:
                raise Conflict(f"load {load} is {self.get(load).state} already")
            self._audit(at, actor, "load.cancel", str(load), {})

    def finish(
        self,
        load: int,
        at: int,
        state: LoadState,
        reason: str = "",
        report: dict[str, Any] | None = None,
    ) -> None:
        """Say how it ended; without a report, the one that it has stays."""
        told = None if report is None else _json(report).decode()
        with self._db.transaction() as connection:
            connection.execute(
                "update loads set state = ?, ended_at = ?, reason = ?,"
                " report = coalesce(?, report) where id = ? and state = 'running'",
                (state, at, reason, told, load),
            )

    def undo(self, load: int, at: int, actor: str) -> None:
        """From now on it is taken back: what the log still holds of it is not replayed.

        Inside a transaction.
        """
        self._db.connection.execute("update loads set state = 'undone' where id = ?", (load,))
        self._audit(at, actor, "load.undo", str(load), {})

    def count(self, counts: Iterable[LoadCount], rejects: Mapping[str, int]) -> None:
        """Add what a batch of the pipeline had of loads; inside its transaction."""
        connection = self._db.connection
        connection.executemany(
            "update loads set events = events + ?, repeats = repeats + ?,"
            " nameless_emails = nameless_emails + ?, nameless_phones = nameless_phones + ?"
            " where id = ? and source = ? and state <> 'undone'",
            [(*one[2:], one.load, one.source) for one in counts],
        )
        connection.executemany(
            "update loads set rejects = rejects + ? where id = ? and state <> 'undone'",
            [(count, load) for load, count in rejects.items() if load],
        )

    def undone(self) -> set[str]:
        """The loads that were taken back."""
        return {str(one) for (one,) in self._db.rows("select id from loads where state = 'undone'")}


class SourceStates:
    """Where each pulled source goes on, when it runs, and how it went."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._audit = Registry(db).audit
        self._outbox = SQLiteOutbox(db)

    def get(self, source: str) -> SourceState:
        """The state of a source; as if new where it never ran."""
        rows = self._db.rows(f"{_STATE} where source = ?", source)
        return _state(rows[0]) if rows else SourceState(source)

    def all(self) -> dict[str, SourceState]:
        """The states of all sources that ever ran, or were asked to."""
        return {row[0]: _state(row) for row in self._db.rows(_STATE)}

    def pause(self, source: str, at: int, actor: str, *, paused: bool) -> None:
        """Run it no more until it is resumed; what it is at ends soon, and goes on then."""
        with self._db.transaction():
            self._set(source, paused=int(paused), **({} if paused else {"due_at": at}))
            self._audit(at, actor, "source.pause" if paused else "source.resume", source, {})

    def want(self, source: str, at: int, actor: str) -> None:
        """Somebody asks for a run now."""
        with self._db.transaction():
            self._set(source, wanted=at)
            self._audit(at, actor, "source.run", source, {})

    def plan(self, source: str, due_at: int) -> None:
        """When it runs next by itself."""
        with self._db.transaction():
            self._set(source, due_at=due_at)

    def began(self, source: str, at: int) -> None:
        """A run has begun: who asked for one until now has it."""
        with self._db.transaction():
            self._set(source, ran_at=at, wanted=0)

    def ended(
        self,
        source: str,
        at: int,
        reason: str,
        due_at: int,
        alarms: Alarms = _nobody,
    ) -> int:
        """A run has ended, well (no reason) or not; gives how often in a row it failed.

        `alarms` makes of what its state was and is now whatever somebody is to be told.
        """
        with self._db.transaction():
            was = self.get(source)
            failures = was.failures + 1 if reason else 0
            told: dict[str, Any] = {} if reason else {"succeeded_at": at}
            self._set(source, failures=failures, reason=reason, due_at=due_at, **told)
            self._outbox.add(alarms(was, self.get(source)))
        return failures

    def warn(self, source: str, warning: str, alarms: Alarms = _nobody) -> None:
        """What it says though it works; nothing if all is well."""
        with self._db.transaction():
            was = self.get(source)
            self._set(source, warning=warning)
            self._outbox.add(alarms(was, self.get(source)))

    def remove(self, source: str, at: int, actor: str) -> None:
        """Forget all of a source that is no more."""
        with self._db.transaction() as connection:
            connection.execute("delete from source_states where source = ?", (source,))
            self._audit(at, actor, "source.release", source, {})

    def begin_anew(self, source: str, at: int, actor: str) -> None:
        """Forget where it goes on: the next run reads everything."""
        with self._db.transaction():
            self._set(source, position="null")
            self._audit(at, actor, "source.reset", source, {})

    def _set(self, source: str, **values: Any) -> None:
        connection = self._db.connection
        connection.execute("insert or ignore into source_states (source) values (?)", (source,))
        columns = ", ".join(f"{name} = ?" for name in values)
        connection.execute(
            f"update source_states set {columns} where source = ?",  # noqa: S608 - names of ours
            (*values.values(), source),
        )


class Secrets:
    """Encrypted values by name; whoever decrypts them has the key, which is not here."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._changed = Registry(db).changed

    def put(self, name: str, value: bytes, at: int, actor: str) -> None:
        """Keep an encrypted value, in place of an older one."""
        with self._db.transaction() as connection:
            connection.execute(
                "insert or replace into secrets values (?,?,?,?)", (name, value, at, actor)
            )
            self._changed(at, actor, "secret.set", name)

    def get(self, name: str) -> bytes | None:
        """The encrypted value, or None where there is none of this name."""
        return self._db.one("select value from secrets where name = ?", name)  # type: ignore[no-any-return]

    def names(self) -> list[tuple[str, int, str]]:
        """Each name, when it was set last and by whom."""
        return self._db.rows("select name, changed_at, changed_by from secrets order by name")

    def remove(self, name: str, at: int, actor: str) -> None:
        """Forget a value; `NotFound` if there is none of this name."""
        with self._db.transaction() as connection:
            if not connection.execute("delete from secrets where name = ?", (name,)).rowcount:
                raise NotFound(f"there is no secret {name!r}; `onefold secret list` shows them")
            self._changed(at, actor, "secret.remove", name)


def _load(row: tuple[Any, ...]) -> Load:
    values = list(row)
    values[4] = bool(values[4])
    values[-1] = msgspec.json.decode(values[-1])
    return Load(*values)


def _state(row: tuple[Any, ...]) -> SourceState:
    name, position, paused, *rest = row
    return SourceState(name, msgspec.json.decode(position), bool(paused), *rest)
