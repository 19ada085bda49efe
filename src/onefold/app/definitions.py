"""Definitions: written ones compared with what is in force, and put in force, all or none."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from onefold.app.definition_checks import faults_of
from onefold.app.definition_files import Reading, Written, read_definitions
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput
from onefold.store import SQLiteStore

SECRET_KEYS = ("secret", "secrets", "headers")
HIDDEN = "(hidden)"


class Change(msgspec.Struct, frozen=True):
    """What applying would do, or did, to one definition."""

    action: Literal["create", "change", "delete"]
    kind: str
    name: str
    diff: str


class Plan(msgspec.Struct, frozen=True):
    """All differences between written definitions and those in force."""

    changes: tuple[Change, ...]


class _Shown(yaml.SafeDumper):
    """Writes texts of several lines as people do."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Shown.add_representer(str, _represent)


def plan(settings: Settings, directory: Path, *, prune: bool = False) -> Plan:
    """Compare the definitions below a directory with those in force; changes nothing."""
    reading = read_definitions(directory)
    with open_store(settings, cache_mb=4) as store:
        return plan_of(store, reading, prune=prune)


def apply(settings: Settings, directory: Path, *, prune: bool = False, actor: str = "cli") -> Plan:
    """Put the definitions below a directory in force, all or none.

    With `prune`, definitions that are in force but stand in no file are taken out.
    """
    reading = read_definitions(directory)
    with open_store(settings, cache_mb=4) as store:
        return put(store, reading, actor, prune=prune)


def put(store: SQLiteStore, reading: Reading, actor: str, *, prune: bool = False) -> Plan:
    """Put definitions in force; `InvalidInput` lists every fault, and then nothing is changed."""
    difference = plan_of(store, reading, prune=prune)
    bodies = {(one.kind, one.name): one.body for one in reading.written}
    changed = [
        (one.kind, one.name, bodies[one.kind, one.name])
        for one in difference.changes
        if one.action != "delete"
    ]
    deleted = [(one.kind, one.name) for one in difference.changes if one.action == "delete"]
    store.registry.put_definitions(changed, deleted, now_us(), actor)
    return difference


def plan_of(store: SQLiteStore, reading: Reading, *, prune: bool = False) -> Plan:
    """How definitions differ from those in force; `InvalidInput` if any cannot be used."""
    live = {(one.kind, one.name): one.body for one in store.registry.definitions()}
    there = {(one.kind, one.name) for one in reading.written} | (set() if prune else live.keys())
    faults = [*reading.faults, *_own_faults(reading.written)]
    faults += _missing(reading.written, {name for kind, name in there if kind == "segment"})
    if faults:
        raise InvalidInput("the definitions cannot be used", faults)
    changes = []
    for one in reading.written:
        before = live.pop((one.kind, one.name), None)
        if before != one.body:
            action: Literal["create", "change"] = "create" if before is None else "change"
            changes.append(Change(action, one.kind, one.name, _diff(before, one.body)))
    if prune:
        changes.extend(
            Change("delete", kind, name, _diff(body, None)) for (kind, name), body in live.items()
        )
    return Plan(tuple(changes))


def _own_faults(written: list[Written]) -> Iterator[Fault]:
    """What is wrong with each definition, and those that are written twice."""
    seen: dict[tuple[str, str], str] = {}
    for one in written:
        first = seen.setdefault((one.kind, one.name), one.where)
        if first != one.where:
            yield Fault(f"{one.kind} {one.name!r} stands in {first} already", one.where)
        for fault in faults_of(one.kind, one.body):
            yield Fault(fault.message, one.place(fault.where), fault.hint)


def _missing(written: list[Written], segments: set[str]) -> Iterator[Fault]:
    """Destinations that wait for segments which nobody has defined."""
    for one in written:
        if one.kind != "destination" or not isinstance(one.body.get("segments"), list):
            continue
        for name in one.body["segments"]:
            if isinstance(name, str) and name not in segments:
                near = difflib.get_close_matches(name, segments, 1)
                hint = f"did you mean {near[0]!r}?" if near else "define it too"
                yield Fault(f"there is no segment {name!r}", f"{one.where}: segments", hint)


def _diff(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), "in force", "written", n=1)
    return "\n".join(line.rstrip("\n") for line in lines)


def _lines(body: dict[str, Any] | None) -> list[str]:
    if body is None:
        return []
    shown = {key: HIDDEN if key in SECRET_KEYS else value for key, value in body.items()}
    return yaml.dump(shown, Dumper=_Shown, allow_unicode=True, sort_keys=True).splitlines()
