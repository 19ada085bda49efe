"""Definitions as the API changes them: listed, put or taken out one at a time, or as one text."""

from __future__ import annotations

from typing import Any

import msgspec

from onefold.app.definition_checks import KINDS
from onefold.app.definition_files import Reading, Written, read_text
from onefold.app.definition_meaning import limits_of
from onefold.app.definitions import HIDDEN, SECRET_KEYS, Plan, plan_of, put
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.store import SQLiteStore


class DefinitionRow(msgspec.Struct, frozen=True):
    """A definition in force; secrets in its body are hidden."""

    kind: str
    name: str
    version: int
    body: dict[str, Any]


def definition_list(settings: Settings) -> list[DefinitionRow]:
    """All definitions in force, by kind and name."""
    with open_store(settings, cache_mb=4) as store:
        return [
            DefinitionRow(one.kind, one.name, one.version, _shown(one.body))
            for one in store.registry.definitions()
        ]


def definition_put(
    settings: Settings, kind: str, name: str, body: dict[str, Any], *, actor: str
) -> Plan:
    """Put one definition in force; a secret that is given as it is shown stays as it is."""
    if kind not in KINDS:
        hint = f"use one of {', '.join(KINDS)}"
        raise InvalidInput(
            "the definition cannot be used", [Fault(f"kind {kind!r} is not known", "kind", hint)]
        )
    with open_store(settings, cache_mb=4) as store:
        written = Written(kind, name, _restored(store, kind, name, body), "body")
        return put(store, Reading([written], []), actor, limits=limits_of(settings))


def definition_delete(settings: Settings, kind: str, name: str, *, actor: str) -> DefinitionRow:
    """Take one definition out of force."""
    with open_store(settings, cache_mb=4) as store:
        for one in store.registry.definitions():
            if (one.kind, one.name) == (kind, name):
                put(store, Reading([], []), actor, gone=[(kind, name)])
                return DefinitionRow(kind, name, one.version, _shown(one.body))
    raise NotFound(f"there is no {kind} {name!r}")


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


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if key in SECRET_KEYS else value for key, value in body.items()}


def _restored(store: SQLiteStore, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    hidden = [key for key in SECRET_KEYS if body.get(key) == HIDDEN]
    if not hidden:
        return body
    for one in store.registry.definitions():
        if (one.kind, one.name) == (kind, name):
            kept = {key: one.body[key] for key in hidden if key in one.body}
            return {**body, **kept}
    return body
