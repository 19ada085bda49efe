"""Definitions in force written back into their files, which otherwise stay as somebody wrote them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from onefold.app.definitions.applying import HIDDEN, is_hidden
from onefold.app.definitions.dependencies import Key
from onefold.app.definitions.files import Reading, definition_files, plain, read_text
from onefold.app.definitions.yaml_editing import (
    Document,
    Edit,
    documents,
    edited,
    end_of,
    mapping_edits,
    without,
    written,
)
from onefold.app.workspace import open_store
from onefold.config import Settings
from onefold.model.errors import Fault, InvalidInput

_KEPT = frozenset({"kind", "name", "tests"})
_PLURALS = {
    "property": "properties",
    "entity": "entities",
    "golden": "golden",
    "identity": "identity",
}
Bodies = Mapping[Key, dict[str, Any]]


class FileChange(msgspec.Struct, frozen=True):
    """What was done to a definition in a file."""

    file: str
    action: Literal["create", "change", "delete"]
    kind: str
    name: str


class Exported(msgspec.Struct, frozen=True):
    """All that had to be changed in a folder."""

    changes: tuple[FileChange, ...]


def export(settings: Settings, directory: Path, *, check: bool = False) -> Exported:
    """Make the files of a folder say what is in force; with `check` only say what would change.

    Definitions stay in the files in which they stand, new ones get a file, and those that are no
    longer in force are removed. A secret that stands in no file is not written into one.
    """
    with open_store(settings, cache_mb=4) as store:
        live = {(one.kind, one.name): one.body for one in store.registry.definitions()}
    files = (
        {path: _text(path) for path in definition_files(directory)} if directory.is_dir() else {}
    )
    places = _places(files, directory)
    changes: list[FileChange] = []
    for path, text in files.items():
        page = _Page(path.relative_to(directory).as_posix(), text, live)
        if page.changes and not check:
            _write(path, page.after)
        changes += page.changes
    new = {key: body for key, body in live.items() if key not in places}
    for path, key, text in _new_files(directory, places, new, files):
        if not check:
            _write(path, (_text(path) if path.exists() else "") + text)
        changes.append(FileChange(path.relative_to(directory).as_posix(), "create", *key))
    return Exported(tuple(changes))


class _Page:
    """One file: its text afterwards, and what changed in it."""

    def __init__(self, name: str, text: str, live: Bodies) -> None:
        self.changes: list[FileChange] = []
        self.after = text
        numbered = [(_key_of(one), number, one) for number, one in enumerate(documents(text))]
        found = [(key, one) for key, _, one in numbered if key]
        gone = [number for key, number, _ in numbered if key and key not in live]
        edits: list[Edit] = []
        whole: list[Edit] = []
        for key, one in found:
            before = plain(one.value)
            if key not in live:
                self.changes.append(FileChange(name, "delete", *key))
                continue
            wanted = _with_secrets_hidden(live[key], before)
            if wanted == {name: before[name] for name in before if name not in _KEPT}:
                continue
            self.changes.append(FileChange(name, "change", *key))
            kept = {name: before[name] for name in before if name in _KEPT}
            edits += mapping_edits(text, one.node, wanted, _KEPT)
            whole.append(Edit(_start(one), end_of(one.node), written({**kept, **wanted}).rstrip()))
        if self.changes:
            wanted_bodies = {key: live[key] for key, _ in found if key in live}
            self.after = edited(text, edits)
            if not _says(self.after, wanted_bodies, text):
                self.after = edited(text, whole)
            self.after = without(self.after, gone)


def _says(text: str, wanted: Bodies, before: str) -> bool:
    """Does a text that was edited say what it should, and still all else that it said?"""
    try:
        now, then = _bodies(read_text(text)), _bodies(read_text(before))
    except yaml.YAMLError:
        return False
    for key, body in wanted.items():
        then[key] = _with_secrets_hidden(body, then[key])
    return now == then


def _bodies(reading: Reading) -> dict[Key, dict[str, Any]]:
    return {(one.kind, one.name): one.body for one in reading.written}


def _start(one: Document) -> int:
    return one.node.start_mark.index if one.node.start_mark else one.start


def _key_of(one: Document) -> Key | None:
    value = one.value
    if not isinstance(value, dict):
        return None
    kind, name = value.get("kind"), value.get("name")
    return (kind, name) if isinstance(kind, str) and isinstance(name, str) else None


def _with_secrets_hidden(body: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """As it may be written: a secret only where the very same one stands already."""
    return {
        key: HIDDEN if is_hidden(key, value) and before.get(key) != value else value
        for key, value in body.items()
    }


def _places(files: Mapping[Path, str], directory: Path) -> dict[Key, Path]:
    """In which file each definition stands; refuses what cannot be read, before anything is written."""
    faults: list[Fault] = []
    places: dict[Key, Path] = {}
    for path, text in files.items():
        reading = read_text(text, path.relative_to(directory).as_posix())
        faults += reading.faults
        for one in reading.written:
            if (one.kind, one.name) in places:
                faults.append(Fault(f"{one.kind} {one.name!r} stands in two places", one.where))
            places[one.kind, one.name] = path
    if faults:
        raise InvalidInput("the files cannot be written to", faults)
    return places


def _new_files(
    directory: Path, places: Mapping[Key, Path], new: Bodies, files: Mapping[Path, str]
) -> Iterator[tuple[Path, Key, str]]:
    """Where definitions go that stand in no file: with the others of their kind, or on their own."""
    taken = {path.as_posix().lower() for path in files}
    for (kind, name), body in new.items():
        text = written({"kind": kind, "name": name, **_with_secrets_hidden(body, {})})
        together = Counter(path for key, path in places.items() if key[0] == kind)
        if len(together) == 1 and together.total() > 1:
            (path,) = together
            first = "" if files[path].endswith("\n") else "\n"
            yield path, (kind, name), f"{first}---\n{text}"
            continue
        folder = directory / _PLURALS.get(kind, f"{kind}s")
        stem = re.sub(r"[^\w-]+", "-", name).strip("-")[:60] or kind
        path = folder / f"{stem}.yaml"
        number = 1
        while path.as_posix().lower() in taken or path.exists():
            number += 1
            path = folder / f"{stem}-{number}.yaml"
        taken.add(path.as_posix().lower())
        yield path, (kind, name), text


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        fault = Fault(f"is not UTF-8: {error.reason}", str(path))
        raise InvalidInput("the files cannot be written to", [fault]) from error


def _write(path: Path, text: str) -> None:
    """Whole or not at all; an empty file is removed."""
    if not text.strip():
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(text.encode("utf-8"))
    beside.replace(path)
