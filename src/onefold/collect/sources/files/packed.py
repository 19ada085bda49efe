"""The records of a file, or of all files in an archive, each read as what it is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from onefold.collect.sources.files.formats import format_of, read_file, settings_of
from onefold.collect.sources.files.unpacking import members
from onefold.model.errors import InvalidInput, TooLarge
from onefold.model.pulled import Batch, Position, Unreadable


class Way(NamedTuple):
    """How files are read: as what (found out of each where empty), and what is said about that."""

    format: str
    options: Mapping[str, Any]


def read_members(file: Path, way: Way, position: Position | None) -> Iterator[Batch]:
    """All records behind a position; one of several files that cannot be read is told, and the next one read."""
    start = position or {"member": 0, "place": None}
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        for number, member in enumerate(members(file, Path(folder))):
            if number < start["member"]:
                continue
            place = start.get("place") if number == start["member"] else None
            try:
                kind = way.format or format_of(member.path)
                settings = settings_of(kind, way.options)
                for batch in read_file(member.path, kind, settings, place):
                    told = {"member": number, "place": batch.position}
                    yield Batch(batch.records, told, batch.unreadable, batch.total)
            except (InvalidInput, TooLarge) as error:
                if not member.among_others:
                    raise
                lost = (told_as_lost(member.path.name, error),)
                yield Batch([], {"member": number + 1, "place": None}, lost)


def told_as_lost(name: str, error: InvalidInput | TooLarge) -> Unreadable:
    """A file that cannot be read, as what is no record."""
    reasons = tuple(map(str, error.faults)) or (error.message,)
    return Unreadable(b"", name, "the file", reasons)
