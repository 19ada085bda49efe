"""Definitions: written ones compared with what is in force, and put in force, all or none."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import yaml

from onefold.app.definitions.checks import faults_of
from onefold.app.definitions.dependencies import Graph, Key, Ref
from onefold.app.definitions.entities import entities_of, schema_in
from onefold.app.definitions.files import Reading, Written, read_definitions
from onefold.app.definitions.identity_checks import name_faults
from onefold.app.definitions.meaning import (
    LIMITS,
    Bodies,
    Limits,
    faults_together,
    limits_of,
    removal_faults,
    too_many,
    unreadable,
    warnings_of,
)
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Conflict, Fault, InvalidInput, Stale
from onefold.store import SQLiteStore

HIDDEN = "(hidden)"
_HIDDEN_KEYS = ("secret", "secrets", "headers")


def is_hidden(key: str, value: object) -> bool:
    """Is it shown to nobody? What only names secrets may be seen."""
    if key not in _HIDDEN_KEYS:
        return False
    if isinstance(value, dict) and value.keys() != {"secret"}:
        return any(is_hidden(key, one) for one in value.values())
    if isinstance(value, list):
        return any(is_hidden(key, one) for one in value)
    return not isinstance(value, dict)


class Change(msgspec.Struct, frozen=True):
    """What applying would do, or did, to one definition; `touches` are those that refer to it."""

    action: Literal["create", "change", "delete"]
    kind: str
    name: str
    diff: str
    touches: tuple[Ref, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """All differences between written definitions and those in force.

    `warnings` are about names that are neither defined nor ever came in.
    """

    changes: tuple[Change, ...]
    warnings: tuple[Fault, ...] = ()


class _Shown(yaml.SafeDumper):
    """Writes texts of several lines as people do."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Shown.add_representer(str, _represent)


def apply(settings: Settings, directory: Path, *, prune: bool = False, actor: str = "cli") -> Plan:
    """Put the definitions below a directory in force, all or none.

    With `prune`, definitions that are in force but stand in no file are taken out.
    """
    reading = read_definitions(directory)
    with open_store(settings, cache_mb=4) as store:
        return put(store, reading, actor, prune=prune, limits=limits_of(settings))


def put(
    store: SQLiteStore,
    reading: Reading,
    actor: str,
    *,
    prune: bool = False,
    gone: Sequence[Key] = (),
    limits: Limits = LIMITS,
    expected: Mapping[Key, int] = MappingProxyType({}),
) -> Plan:
    """Put definitions in force; `InvalidInput` lists every fault, and then nothing is changed.

    `expected` says at which version some must be, 0 for one that must not be there yet.
    """
    while True:
        version = store.registry.version()
        _compare_versions(store, expected)
        difference = plan_of(store, reading, prune=prune, gone=gone, limits=limits)
        bodies = {(one.kind, one.name): one.body for one in restored(store, reading).written}
        changed = [
            (one.kind, one.name, bodies[one.kind, one.name])
            for one in difference.changes
            if one.action != "delete"
        ]
        deleted = [(one.kind, one.name) for one in difference.changes if one.action == "delete"]
        if not (changed or deleted):
            return difference
        # What was checked may have been changed by somebody else meanwhile; then check again.
        if store.registry.put_definitions(changed, deleted, now_us(), actor, version):
            return difference


def _compare_versions(store: SQLiteStore, expected: Mapping[Key, int]) -> None:
    """Raise if a definition is not at the version that is expected."""
    if not expected:
        return
    live = {(one.kind, one.name): one.version for one in store.registry.definitions()}
    for key, version in expected.items():
        there = live.get(key, 0)
        if there and not version:
            raise Conflict(f"there is a {key[0]} {key[1]!r} already")
        if there != version:
            now = f"is at version {there}" if there else "is not there"
            raise Stale(f"{key[0]} {key[1]!r} {now}, no longer at version {version}")


def plan_of(
    store: SQLiteStore,
    reading: Reading,
    *,
    prune: bool = False,
    gone: Sequence[Key] = (),
    limits: Limits = LIMITS,
) -> Plan:
    """How definitions differ from those in force; `InvalidInput` if they cannot be used.

    With `prune`, what is in force and not written is taken out; without it only `gone` is.
    """
    reading = restored(store, reading)
    live = _live(store)
    written = {(one.kind, one.name): one for one in reading.written}
    out = [key for key in live if key not in written] if prune else list(gone)
    bodies = {key: body for key, body in live.items() if key not in out}
    bodies |= {key: one.body for key, one in written.items()}
    if excess := list(too_many(live, bodies, limits)):
        raise InvalidInput("there would be more definitions than may be in force", excess)
    before, after = Graph(live), Graph(bodies)
    changed = {key: one for key, one in written.items() if live.get(key) != one.body}
    entities = entities_of(bodies)
    own = [*reading.faults, *_own_faults(reading.written, entities)]
    users = {user for key in out for user in before.users.get(key, ())}  # these are told already
    own += _left_behind(live, bodies, {*written, *users}, entities)
    broken = {key for key, one in written.items() if unreadable(*key, one.body, entities)}
    together = faults_together(after, bodies, changed, out, broken)
    needed = list(removal_faults(before, out))
    if faults := [*own, *together, *needed]:
        if needed == faults:
            raise Conflict("what others need cannot be taken out", needed)
        raise InvalidInput("the definitions cannot be used", faults)
    changes = [
        Change(
            "change" if key in live else "create",
            *key,
            _diff(live.get(key), one.body),
            _refs(after.touched_by([key])),
        )
        for key, one in changed.items()
    ]
    changes += [Change("delete", *key, _diff(live[key], None)) for key in out]
    warnings = warnings_of(after, bodies, changed, store.names_seen())
    return Plan(tuple(changes), tuple(warnings))


def _live(store: SQLiteStore) -> dict[Key, dict[str, Any]]:
    return {(one.kind, one.name): one.body for one in store.registry.definitions()}


def restored(store: SQLiteStore, reading: Reading) -> Reading:
    """A secret that is given as it is shown stays as it is."""
    if not any(HIDDEN in one.body.values() for one in reading.written):
        return reading
    live = _live(store)
    return Reading([_with_secrets(one, live) for one in reading.written], reading.faults)


def _with_secrets(one: Written, live: Mapping[Key, dict[str, Any]]) -> Written:
    kept = live.get((one.kind, one.name), {})
    body = {
        key: kept.get(key, value) if key in _HIDDEN_KEYS and value == HIDDEN else value
        for key, value in one.body.items()
    }
    return one._replace(body=body)


def _refs(keys: Iterable[Key]) -> tuple[Ref, ...]:
    return tuple(Ref(*key) for key in keys)


def _left_behind(
    live: Mapping[Key, dict[str, Any]],
    bodies: Mapping[Key, dict[str, Any]],
    judged: Collection[Key],
    entities: Bodies,
) -> Iterator[Fault]:
    """Mappings in force that changed entities leave without what they need."""
    if entities == entities_of(live):
        return
    for key, body in bodies.items():
        if key[0] not in ("mapping", "source") or key in judged:
            continue
        if reason := unreadable(*key, body, entities):
            place = f"{key[0]} {key[1]}, in force"
            yield Fault(f"would no longer be readable: {reason}", place, "change it too")


def _own_faults(written: list[Written], entities: Bodies) -> Iterator[Fault]:
    """What is wrong with each definition, and those that are written twice."""
    schema = schema_in(entities)
    seen: dict[Key, str] = {}
    for one in written:
        first = seen.setdefault((one.kind, one.name), one.where)
        if first != one.where:
            yield Fault(f"{one.kind} {one.name!r} stands in {first} already", one.where)
        shape = [
            *faults_of(one.kind, one.body, schema),
            *name_faults(one.kind, one.name, one.body),
        ]
        if not shape and (reason := unreadable(one.kind, one.name, one.body, entities)):
            shape = [Fault(f"cannot be read: {reason}")]
        for fault in shape:
            yield Fault(fault.message, one.place(fault.where), fault.hint)


def _diff(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), "in force", "written", n=1)
    return "\n".join(line.rstrip("\n") for line in lines)


def _lines(body: dict[str, Any] | None) -> list[str]:
    if body is None:
        return []
    shown = {key: HIDDEN if is_hidden(key, value) else value for key, value in body.items()}
    return yaml.dump(shown, Dumper=_Shown, allow_unicode=True, sort_keys=True).splitlines()
