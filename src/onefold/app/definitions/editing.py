"""Definitions as the API changes them: one at a time with versions, or many as one text."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.app.definitions.applying import HIDDEN, Plan, is_hidden, plan_of, put
from onefold.app.definitions.dependencies import Graph, Key, Ref
from onefold.app.definitions.files import Reading, Written, name_fault, read_text
from onefold.app.definitions.meaning import limits_of
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.store import SQLiteStore
from onefold.store.registry import DefinitionVersion


class DefinitionRow(msgspec.Struct, frozen=True):
    """A definition in force; secrets in its body are hidden."""

    kind: str
    name: str
    version: int
    body: dict[str, Any]


class DefinitionView(msgspec.Struct, frozen=True):
    """A definition in force: who changed it last and when (µs), and its direct neighbors.

    `uses` are the definitions that it refers to, `used_by` those that refer to it. The answer to a
    change has `warnings` about names in it that are neither defined nor ever came in.
    """

    kind: str
    name: str
    version: int
    changed_at: int
    changed_by: str
    body: dict[str, Any]
    uses: tuple[Ref, ...]
    used_by: tuple[Ref, ...]
    warnings: tuple[Fault, ...] = ()


class VersionRow(msgspec.Struct, frozen=True):
    """A definition as it was put in force by somebody; `body` is null where it was taken out."""

    version: int
    changed_at: int
    changed_by: str
    body: dict[str, Any] | None


class Dependents(msgspec.Struct, frozen=True):
    """What a change would touch: `direct` refers to it itself, `all` also through others."""

    direct: tuple[Ref, ...]
    all: tuple[Ref, ...]


def definition_list(settings: Settings, kind: str = "") -> list[DefinitionRow]:
    """All definitions in force, by kind and name; or those of one kind."""
    with open_store(settings, cache_mb=4) as store:
        return [
            DefinitionRow(one.kind, one.name, one.version, _shown(one.body))
            for one in store.registry.definitions()
            if kind in ("", one.kind)
        ]


def definition_show(settings: Settings, kind: str, name: str) -> DefinitionView:
    """One definition in force."""
    with open_store(settings, cache_mb=4) as store:
        return _view(store, kind, name)


def definition_versions(settings: Settings, kind: str, name: str) -> list[VersionRow]:
    """All versions of a definition, newest first; also of one that was taken out."""
    with open_store(settings, cache_mb=4) as store:
        return [_row(one) for one in _versions(store, kind, name)]


def definition_version(settings: Settings, kind: str, name: str, version: int) -> VersionRow:
    """One version of a definition."""
    with open_store(settings, cache_mb=4) as store:
        return _row(_version(store, kind, name, version))


def definition_dependents(settings: Settings, kind: str, name: str) -> Dependents:
    """What a change of a definition would touch."""
    with open_store(settings, cache_mb=4) as store:
        graph = _graph(store)
        _must_be_there(graph, (kind, name))
        direct = graph.users[kind, name]
        return Dependents(_refs(direct), _refs(graph.touched_by([(kind, name)])))


def definition_put(
    settings: Settings,
    kind: str,
    name: str,
    body: dict[str, Any],
    *,
    actor: str,
    version: int | None = None,
) -> DefinitionView:
    """Put one definition in force; a secret that is given as it is shown stays as it is.

    With `version` only if it is at that version now: 0 if it must not be there yet.
    """
    with open_store(settings, cache_mb=4) as store:
        return _put_one(settings, store, (kind, name), body, actor, version)


def definition_delete(
    settings: Settings, kind: str, name: str, *, actor: str, version: int | None = None
) -> DefinitionView:
    """Take one definition out of force, unless others need it; gives it as it was."""
    with open_store(settings, cache_mb=4) as store:
        found = _view(store, kind, name)
        expected = {} if version is None else {(kind, name): version}
        put(store, Reading([], []), actor, gone=[(kind, name)], expected=expected)
        return found


def definition_roll_back(
    settings: Settings, kind: str, name: str, to: int, *, actor: str, version: int | None = None
) -> DefinitionView:
    """Put an earlier version in force again, as a new version."""
    with open_store(settings, cache_mb=4) as store:
        body = _version(store, kind, name, to).body
        if body is None:
            raise InvalidInput(f"at version {to} {kind} {name!r} was taken out")
        return _put_one(settings, store, (kind, name), body, actor, version)


def plan_text(settings: Settings, text: str, *, prune: bool) -> Plan:
    """What `apply_text` would change."""
    reading = read_text(text)
    with open_store(settings, cache_mb=4) as store:
        return plan_of(store, reading, prune=prune, limits=limits_of(settings))


def apply_text(settings: Settings, text: str, *, prune: bool, actor: str) -> Plan:
    """Put the definitions of one YAML text in force, all or none."""
    reading = read_text(text)
    with open_store(settings, cache_mb=4) as store:
        return put(store, reading, actor, prune=prune, limits=limits_of(settings))


def _put_one(
    settings: Settings,
    store: SQLiteStore,
    key: Key,
    body: dict[str, Any],
    actor: str,
    version: int | None,
) -> DefinitionView:
    fault = name_fault(*key)
    reading = Reading([Written(*key, body, "body")], [fault] if fault else [])
    expected = {} if version is None else {key: version}
    done = put(store, reading, actor, limits=limits_of(settings), expected=expected)
    return msgspec.structs.replace(_view(store, *key), warnings=done.warnings)


def _view(store: SQLiteStore, kind: str, name: str) -> DefinitionView:
    graph = _graph(store)
    _must_be_there(graph, (kind, name))
    last = store.registry.definition_versions(kind, name)[0]
    return DefinitionView(
        kind,
        name,
        last.version,
        last.changed_at,
        last.changed_by,
        _shown(last.body or {}),
        _refs(graph.uses[kind, name]),
        _refs(graph.users[kind, name]),
    )


def _graph(store: SQLiteStore) -> Graph:
    return Graph({(one.kind, one.name): one.body for one in store.registry.definitions()})


def _must_be_there(graph: Graph, key: Key) -> None:
    if key not in graph.uses:
        raise NotFound(f"there is no {key[0]} {key[1]!r}")


def _versions(store: SQLiteStore, kind: str, name: str) -> list[DefinitionVersion]:
    found = store.registry.definition_versions(kind, name)
    if not found:
        raise NotFound(f"there is no {kind} {name!r}, and never was")
    return found


def _version(store: SQLiteStore, kind: str, name: str, version: int) -> DefinitionVersion:
    for one in _versions(store, kind, name):
        if one.version == version:
            return one
    raise NotFound(f"there is no version {version} of {kind} {name!r}")


def _row(one: DefinitionVersion) -> VersionRow:
    body = None if one.body is None else _shown(one.body)
    return VersionRow(one.version, one.changed_at, one.changed_by, body)


def _refs(keys: tuple[Key, ...] | list[Key]) -> tuple[Ref, ...]:
    return tuple(Ref(*key) for key in keys)


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if is_hidden(key, value) else value for key, value in body.items()}
