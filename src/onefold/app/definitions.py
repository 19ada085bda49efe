"""Definitions: YAML files compared with what is in force, put in force, and loaded from there."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import yaml

from onefold.activate.webhook_settings import settings_from
from onefold.app.in_force import DESTINATION_KEYS
from onefold.app.workspace import now_us, open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput, NotFound
from onefold.segment import parse_rule
from onefold.store import SQLiteStore

_SEGMENT = {"rule", "description"}
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


class Written(NamedTuple):
    """One definition as it stands in a file."""

    kind: str
    name: str
    body: dict[str, Any]
    where: str
    places: Mapping[str, str] = {}

    def place(self, where: str) -> str:
        """Where a fault stands whose own `where` begins with the key that it is about."""
        place = self.places.get(where.partition(" ")[0], self.where)
        return f"{place}: {where}" if where else place


def plan(settings: Settings, directory: Path, *, prune: bool = False) -> Plan:
    """Compare the definitions below a directory with those in force; changes nothing."""
    with open_store(settings, cache_mb=4) as store:
        return plan_of(store, read_definitions(directory), prune)


def apply(settings: Settings, directory: Path, *, prune: bool = False, actor: str = "cli") -> Plan:
    """Put the definitions below a directory in force, all or none.

    With `prune`, definitions that are in force but stand in no file are taken out.
    """
    written = read_definitions(directory)
    with open_store(settings, cache_mb=4) as store:
        return put(store, written, actor, prune=prune)


def put(store: SQLiteStore, written: list[Written], actor: str, *, prune: bool = False) -> Plan:
    """Put checked definitions in force."""
    difference = plan_of(store, written, prune)
    bodies = {(one.kind, one.name): one.body for one in written}
    changed = [
        (one.kind, one.name, bodies[one.kind, one.name])
        for one in difference.changes
        if one.action != "delete"
    ]
    deleted = [(one.kind, one.name) for one in difference.changes if one.action == "delete"]
    store.registry.put_definitions(changed, deleted, now_us(), actor)
    return difference


def read_definitions(directory: Path) -> list[Written]:
    """All definitions in the YAML files of a directory and below; `InvalidInput` lists all faults."""
    if not directory.is_dir():
        raise NotFound(f"there is no directory {directory}")
    faults: list[Fault] = []
    written: list[Written] = []
    for path in sorted([*directory.rglob("*.yaml"), *directory.rglob("*.yml")]):
        where = str(path.relative_to(directory))
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            faults.append(Fault(f"is not UTF-8: {error.reason}", where))
            continue
        written.extend(_documents(text, where, faults))
    return checked(written, faults)


def read_text(text: str, where: str = "body") -> list[Written]:
    """The definitions in one YAML text."""
    faults: list[Fault] = []
    return checked(list(_documents(text, where, faults)), faults)


def checked(written: list[Written], faults: list[Fault]) -> list[Written]:
    """The same definitions if nothing is wrong with any; else every fault at once."""
    seen: dict[tuple[str, str], str] = {}
    for one in written:
        first = seen.setdefault((one.kind, one.name), one.where)
        if first != one.where:
            faults.append(Fault(f"{one.kind} {one.name!r} stands in {first} already", one.where))
        faults.extend(
            Fault(fault.message, one.place(fault.where), fault.hint)
            for fault in KINDS[one.kind](one.body)
        )
    if faults:
        raise InvalidInput("the definitions cannot be used", faults)
    return written


def _not_yaml(error: yaml.YAMLError, where: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Fault(f"is not YAML: {' '.join(str(error).split())}", where)
    place = f"{where}:{mark.line + 1}"
    return Fault(f"is not YAML: {getattr(error, 'problem', None) or 'cannot be read'}", place)


def _documents(text: str, where: str, faults: list[Fault]) -> Iterator[Written]:
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        bodies = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        faults.append(_not_yaml(error, where))
        return
    for node, body in zip(nodes, bodies, strict=True):
        if body is None:
            continue
        place = f"{where}:{node.start_mark.line + 1}"
        fault = _head_fault(body)
        if fault:
            faults.append(Fault(fault.message, place, fault.hint))
        else:
            lines = {str(key.value): f"{where}:{key.start_mark.line + 1}" for key, _ in node.value}
            yield Written(body.pop("kind"), body.pop("name"), body, place, lines)


def _head_fault(body: object) -> Fault | None:
    kinds = ", ".join(KINDS)
    if not isinstance(body, dict):
        return Fault("is no definition", hint="write keys such as kind, name and rule")
    kind, name = body.get("kind"), body.get("name")
    if kind not in KINDS:
        return Fault(f"kind {kind!r} is not known", hint=f"use one of {kinds}")
    if not isinstance(name, str) or not name.strip() or len(name) > 100:
        return Fault("has no name", hint="write `name:` with up to 100 characters")
    return None


def _segment_faults(body: dict[str, Any]) -> Iterator[Fault]:
    yield from _unknown_keys(body, _SEGMENT)
    rule = body.get("rule")
    if not isinstance(rule, str):
        yield Fault("has no rule", "rule", "write `rule:` with a condition as text")
        return
    try:
        parse_rule(rule)
    except InvalidInput as error:
        for fault in error.faults or (Fault(error.message),):
            yield Fault(fault.message, f"rule {fault.where}".strip(), fault.hint)


def _destination_faults(body: dict[str, Any]) -> Iterator[Fault]:
    own = {key: value for key, value in body.items() if key not in DESTINATION_KEYS}
    if body.get("type") != "webhook":
        yield Fault(f"type {body.get('type')!r} is not known", "type", "use webhook")
        return
    segments = body.get("segments", [])
    if not isinstance(segments, list) or not all(isinstance(one, str) for one in segments):
        yield Fault("must be a list of segment names", "segments")
    if not isinstance(body.get("enabled", True), bool):
        yield Fault("must be true or false", "enabled")
    try:
        settings_from(own, os.environ)
    except InvalidInput as error:
        yield from error.faults or (Fault(error.message),)


KINDS: Mapping[str, Callable[[dict[str, Any]], Iterator[Fault]]] = {
    "segment": _segment_faults,
    "destination": _destination_faults,
}


def _unknown_keys(body: dict[str, Any], known: set[str]) -> Iterator[Fault]:
    for key in body:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
            yield Fault(f"{key!r} is not known", str(key), hint)


def _missing(written: list[Written], segments: set[str]) -> Iterator[Fault]:
    """Destinations that wait for segments which nobody has defined."""
    for one in written:
        for name in one.body.get("segments", ()) if one.kind == "destination" else ():
            if name not in segments:
                near = difflib.get_close_matches(name, segments, 1)
                hint = f"did you mean {near[0]!r}?" if near else "define it too"
                yield Fault(f"there is no segment {name!r}", f"{one.where}: segments", hint)


def plan_of(store: SQLiteStore, written: list[Written], prune: bool) -> Plan:
    """How definitions differ from those in force; `InvalidInput` if they name what is not there."""
    live = {(one.kind, one.name): one.body for one in store.registry.definitions()}
    there = {(one.kind, one.name) for one in written} | (set() if prune else live.keys())
    if faults := list(_missing(written, {name for kind, name in there if kind == "segment"})):
        raise InvalidInput("the definitions cannot be used", faults)
    changes = []
    for one in written:
        before = live.pop((one.kind, one.name), None)
        if before != one.body:
            action: Literal["create", "change"] = "create" if before is None else "change"
            changes.append(Change(action, one.kind, one.name, _diff(before, one.body)))
    if prune:
        changes.extend(
            Change("delete", kind, name, _diff(body, None)) for (kind, name), body in live.items()
        )
    return Plan(tuple(changes))


def _diff(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), "in force", "written", n=1)
    return "\n".join(line.rstrip("\n") for line in lines)


def _lines(body: dict[str, Any] | None) -> list[str]:
    if body is None:
        return []
    shown = {key: HIDDEN if key in SECRET_KEYS else value for key, value in body.items()}
    return yaml.dump(shown, Dumper=_Shown, allow_unicode=True, sort_keys=True).splitlines()
