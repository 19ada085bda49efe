"""What is to be imported: the file, how it is read, and what its records become."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from anyascii import anyascii

from onefold.app.definitions.source_checks import source_name_fault
from onefold.collect.sources.files.formats import (
    FORMATS,
    format_of,
    found_out,
    read_file,
    settings_of,
)
from onefold.collect.sources.files.packed import Way, read_members
from onefold.collect.sources.files.unpacking import is_packed, members
from onefold.model.definitions import Definitions
from onefold.model.errors import Fault, InvalidInput
from onefold.model.mapping import SourceDefinition
from onefold.model.pulled import Batch, Position

_ENDS = 1 << 20
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


class Wanted(NamedTuple):
    """A file, the source that it is from, its mapping where that is not the source's, and how to read it.

    Without a `source` the file's name is one; `format` and `options` are found out where not told.
    """

    file: Path
    source: str = ""
    mapping: str = ""
    format: str = ""
    options: Mapping[str, Any] = {}


class Reading(NamedTuple):
    """A file that can be read, of a source that is known, with a mapping that is in force."""

    file: Path
    source: str
    mapping: str
    format: str
    settings: msgspec.Struct
    fingerprint: str
    each: Way
    """How files of an archive are read."""

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """Its records behind a position; of an archive, those of all its files."""
        if is_packed(self.file):
            yield from read_members(self.file, self.each, position)
        else:
            yield from read_file(self.file, self.format, self.settings, position)

    def read_as(self) -> str:
        """What was found out about how it is written; empty where there is nothing to find out."""
        return "" if is_packed(self.file) else found_out(self.file, self.format, self.settings)

    def stored(self, position: Position) -> None:
        """What came before this is durable; of that a file need know nothing."""

    def close(self) -> None:
        """Nothing is open between two batches that outlives them."""


def reading_of(wanted: Wanted, definitions: Definitions) -> Reading:
    """What is wanted, checked; every fault."""
    file = wanted.file
    faults: list[Fault] = []
    if not file.is_file():
        what = "is a folder; name a file in it" if file.is_dir() else "there is no such file"
        faults.append(Fault(what, str(file)))
    source = wanted.source or source_name(file.name)
    if fault := source_name_fault(source):
        faults.append(fault)
    known = {one.name: one for one in definitions.sources}.get(source)
    faults += _mapping_faults(wanted.mapping, source, known, definitions)
    if faults:
        raise InvalidInput(f"{file} cannot be imported", faults)
    told = wanted.format or (known.type if known and known.type in FORMATS else "")
    name = told or _format_of(file)
    options = wanted.options
    if known and known.type == name:
        fields = FORMATS[name].settings.__struct_fields__ if name in FORMATS else ()
        kept = {key: value for key, value in known.settings.items() if key in fields}
        options = {**kept, **options}
    return Reading(
        file,
        source,
        wanted.mapping,
        name,
        settings_of(name, options),
        fingerprint_of(file),
        Way(told, options),
    )


def source_name(file: str) -> str:
    """The name of a source for a file of this name, in the letters that such a name may have.

    >>> source_name("客户 2026.csv"), source_name("Kunden-Köln.xlsx"), source_name("….csv")
    ('KeHu-2026', 'Kunden-Koln', 'file')
    """
    return _ODD.sub("-", anyascii(file.partition(".")[0])).strip("-_.")[:63] or "file"


def _format_of(file: Path) -> str:
    """The format of a file, or of the first in an archive."""
    if not is_packed(file):
        return format_of(file)
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        for member in members(file, Path(folder)):
            return format_of(member.path)
    raise InvalidInput(f"{file} cannot be imported", [Fault("has no files", file.name)])


def _mapping_faults(
    mapping: str, source: str, known: SourceDefinition | None, definitions: Definitions
) -> Iterator[Fault]:
    names = [one.name for one in definitions.mappings]
    if mapping and mapping not in names:
        near = difflib.get_close_matches(mapping, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else "define it, and `onefold apply`"
        yield Fault(f"there is no mapping {mapping!r}", "mapping", hint)
    if not mapping and (known is None or known.mapping is None):
        yield Fault(
            f"the source {source!r} has no mapping",
            "mapping",
            "say --mapping NAME, or --source NAME of one that has a mapping;"
            " `onefold mapping suggest FILE` drafts one",
        )


def fingerprint_of(file: Path) -> str:
    """What tells a file from another one of the same name: its size, its beginning and its end."""
    size = file.stat().st_size
    digest = blake2b(str(size).encode(), digest_size=16)
    with file.open("rb") as source:
        digest.update(source.read(_ENDS))
        source.seek(max(0, size - _ENDS))
        digest.update(source.read(_ENDS))
    return digest.hexdigest()
