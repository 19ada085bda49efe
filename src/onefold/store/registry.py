"""Sources, API keys, definitions in force, and the audit log of their changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from onefold.model.access import ApiKey
from onefold.model.errors import Conflict, NotFound
from onefold.model.sources import Source
from onefold.store.database import Database

_json = msgspec.json.Encoder(order="sorted").encode
_SOURCE_SETTINGS = ("default_country", "ip", "events_per_second")


class StoredDefinition(NamedTuple):
    """A definition in force: its kind, name and version, and its body as written."""

    kind: str
    name: str
    version: int
    body: dict[str, Any]


class DefinitionVersion(NamedTuple):
    """A definition as it once was put in force, or taken out (`body` is None); when and by whom."""

    version: int
    body: dict[str, Any] | None
    changed_at: int
    changed_by: str


class AuditEntry(NamedTuple):
    """One change: when, by whom, what was done to what."""

    id: int
    at: int
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


class Registry:
    """What people set up. Every change is written together with its audit entry."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def sources(self) -> list[Source]:
        """All sources, by name."""
        return [_source(row) for row in self._db.rows(f"{_SELECT_SOURCE} order by name")]

    def source(self, name: str) -> Source:
        """The source of this name or id; `NotFound` if there is none."""
        rows = self._db.rows(f"{_SELECT_SOURCE} where name = ? or id = ?", name, name)
        if not rows:
            raise NotFound(f"there is no source {name!r}; `onefold source list` shows them")
        return _source(rows[0])

    def add_source(self, source: Source, at: int, actor: str) -> None:
        """Add a source; `Conflict` where its name or id is taken."""
        values = msgspec.to_builtins(source)
        settings = {name: values[name] for name in _SOURCE_SETTINGS}
        with self._db.transaction() as connection:
            try:
                connection.execute(
                    "insert into sources values (?,?,?,?,?,?,?)",
                    (
                        source.id,
                        source.name,
                        source.kind,
                        source.key_hash,
                        source.enabled,
                        _json(settings).decode(),
                        at,
                    ),
                )
            except sqlite3.IntegrityError as error:
                raise Conflict(f"there is a source {source.name!r} already") from error
            self._changed(at, actor, "source.add", source.name, {"id": source.id})

    def change_source(self, source: Source, at: int, actor: str, action: str) -> None:
        """Replace the settings of a source that is there."""
        values = msgspec.to_builtins(source)
        settings = {name: values[name] for name in _SOURCE_SETTINGS}
        with self._db.transaction() as connection:
            connection.execute(
                "update sources set kind = ?, key_hash = ?, enabled = ?, settings = ? where id = ?",
                (
                    source.kind,
                    source.key_hash,
                    source.enabled,
                    _json(settings).decode(),
                    source.id,
                ),
            )
            self._changed(at, actor, action, source.name, settings)

    def keys(self) -> list[ApiKey]:
        """All API keys, revoked ones too, by name."""
        return [_api_key(row) for row in self._db.rows(f"{_SELECT_KEY} order by name")]

    def key(self, key_id: str) -> ApiKey | None:
        """The API key with this id."""
        rows = self._db.rows(f"{_SELECT_KEY} where id = ?", key_id)
        return _api_key(rows[0]) if rows else None

    def add_key(self, key: ApiKey, actor: str) -> None:
        """Add an API key; `Conflict` where its name is taken."""
        with self._db.transaction() as connection:
            try:
                connection.execute(
                    "insert into keys values (?,?,?,?,?,null)",
                    (key.id, key.name, key.role, key.key_hash, key.created_at),
                )
            except sqlite3.IntegrityError as error:
                raise Conflict(f"there is a key {key.name!r} already") from error
            self._changed(key.created_at, actor, "key.add", key.name, {"role": key.role})

    def revoke_key(self, name: str, at: int, actor: str) -> None:
        """Revoke an API key; `NotFound` if there is none of this name."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "update keys set revoked_at = coalesce(revoked_at, ?) where name = ?", (at, name)
            )
            if not cursor.rowcount:
                raise NotFound(f"there is no key {name!r}; `onefold key list` shows them")
            self._changed(at, actor, "key.revoke", name, {})

    def definitions(self) -> list[StoredDefinition]:
        """All definitions in force, by kind and name."""
        rows = self._db.rows(
            "select kind, name, version, body from definitions where state = 'live'"
            " order by kind, name"
        )
        return [
            StoredDefinition(kind, name, version, msgspec.json.decode(body))
            for kind, name, version, body in rows
        ]

    def definitions_as_of(self, kinds: Sequence[str], at: int) -> list[StoredDefinition]:
        """The definitions of some kinds that were in force at a time (µs), by kind and name."""
        marks = ",".join("?" * len(kinds))
        rows = self._db.rows(
            "select kind, name, max(version), body from definition_versions"  # noqa: S608 - marks
            f" where kind in ({marks}) and changed_at <= ? group by kind, name order by kind, name",
            *kinds,
            at,
        )
        return [
            StoredDefinition(kind, name, version, msgspec.json.decode(body))
            for kind, name, version, body in rows
            if body is not None
        ]

    def definition_versions(self, kind: str, name: str) -> list[DefinitionVersion]:
        """All versions of a definition, the newest first; none if there never was one."""
        rows = self._db.rows(
            "select version, body, changed_at, changed_by from definition_versions"
            " where kind = ? and name = ? order by version desc",
            kind,
            name,
        )
        return [
            DefinitionVersion(
                version, None if body is None else msgspec.json.decode(body), changed_at, changed_by
            )
            for version, body, changed_at, changed_by in rows
        ]

    def version(self) -> int:
        """Grows with every change of sources, keys and definitions."""
        return int(self._db.one("select value from settings where name = 'registry_version'") or 0)

    def put_definitions(
        self,
        changed: Sequence[tuple[str, str, dict[str, Any]]],
        deleted: Sequence[tuple[str, str]],
        at: int,
        actor: str,
        version: int | None = None,
    ) -> bool:
        """Put definitions `(kind, name, body)` in force and take others out, all or none.

        With `version`, only if the registry still is at that one; says whether it was.
        """
        with self._db.transaction() as connection:
            if version is not None and version != self.version():
                return False
            for kind, name, body in changed:
                version = self._next_version(kind, name)
                text = _json(body).decode()
                connection.execute(
                    "insert or replace into definitions values (?,?,?,?,'live',?)",
                    (kind, name, version, text, at),
                )
                connection.execute(
                    "insert into definition_versions values (?,?,?,?,?,?)",
                    (kind, name, version, text, at, actor),
                )
                self._changed(at, actor, f"{kind}.apply", name, {"version": version})
            for kind, name in deleted:
                connection.execute(
                    "delete from definitions where kind = ? and name = ?", (kind, name)
                )
                if kind == "source":
                    connection.execute("delete from refresh_tokens where source = ?", (name,))
                connection.execute(
                    "insert into definition_versions values (?,?,?,null,?,?)",
                    (kind, name, self._next_version(kind, name), at, actor),
                )
                self._changed(at, actor, f"{kind}.delete", name, {})
        return True

    def hide(self, kind: str, name: str, key: str, instead: Any) -> None:
        """Put something else in place of the texts at a key of older versions; nobody is told."""
        with self._db.transaction() as connection:
            for version, text in self._db.rows(
                "select version, body from definition_versions"
                " where kind = ? and name = ? and body is not null",
                kind,
                name,
            ):
                body = msgspec.json.decode(text)
                if key in body and body[key] != instead:
                    connection.execute(
                        "update definition_versions set body = ?"
                        " where kind = ? and name = ? and version = ?",
                        (_json({**body, key: instead}).decode(), kind, name, version),
                    )

    def _next_version(self, kind: str, name: str) -> int:
        last = self._db.one(
            "select max(version) from definition_versions where kind = ? and name = ?", kind, name
        )
        return (last or 0) + 1

    def use_match_model(self, use: bytes | None, at: int, actor: str, version: str) -> None:
        """Put a match model in force, with how claims are read; None takes it out."""
        connection = self._db.connection
        with self._db.transaction():
            if use is None:
                connection.execute("delete from settings where name = 'match_in_force'")
            else:
                connection.execute(
                    "insert or replace into settings values ('match_in_force', ?)", (use,)
                )
            self._changed(at, actor, "match.use", version or "nothing", {})

    def match_model_in_force(self) -> bytes | None:
        """What `use_match_model` was told last."""
        return self._db.one("select value from settings where name = 'match_in_force'")  # type: ignore[no-any-return]

    def hold_list(self, segment: str, version: int, at: int, hold: Callable[[], None]) -> None:
        """Put a version of a segment's list in force; `hold` writes it, in the same transaction."""
        with self._db.transaction():
            hold()
            self._changed(at, "onefold", "segment.list", segment, {"version": version})

    def changed(self, at: int, actor: str, action: str, target: str) -> None:
        """Have all look again at what they go by; inside the transaction of the change."""
        self._changed(at, actor, action, target, {})

    def _changed(
        self, at: int, actor: str, action: str, target: str, detail: dict[str, Any]
    ) -> None:
        self._db.connection.execute(
            "insert or replace into settings values ('registry_version', ?)", (self.version() + 1,)
        )
        self.audit(at, actor, action, target, detail)

    def audit(self, at: int, actor: str, action: str, target: str, detail: dict[str, Any]) -> None:
        """Write one audit entry; inside a transaction it stands or falls with it."""
        self._db.connection.execute(
            "insert into audit (at, actor, action, target, detail) values (?,?,?,?,?)",
            (at, actor, action, target, _json(detail).decode()),
        )

    def audit_entries(self, before: int, limit: int) -> list[AuditEntry]:
        """Audit entries with an id below `before`, newest first."""
        rows = self._db.rows(
            "select id, at, actor, action, target, detail from audit where id < ?"
            " order by id desc limit ?",
            before,
            limit,
        )
        return [AuditEntry._make((*row[:5], msgspec.json.decode(row[5]))) for row in rows]


_SELECT_SOURCE = "select id, name, kind, key_hash, enabled, settings from sources"
_SELECT_KEY = "select id, name, role, key_hash, created_at, revoked_at from keys"


def _source(row: tuple[Any, ...]) -> Source:
    settings = msgspec.json.decode(row[5])
    return Source(
        id=row[0], name=row[1], kind=row[2], key_hash=row[3], enabled=bool(row[4]), **settings
    )


def _api_key(row: tuple[Any, ...]) -> ApiKey:
    return ApiKey(*row)
