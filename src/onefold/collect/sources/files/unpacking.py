"""Files in archives, each written out under a name of ours, within bounds.

What an archive calls its files is only told, never a path that is written to.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from onefold.model.errors import Fault, InvalidInput, TooLarge

_PIECE = 1 << 20
_SMALL = 100 << 20
_RATIO = 200
_LARGEST = 64 << 30
_MOST_FILES = 1_000
_ARCHIVES = (".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz")


class Member(NamedTuple):
    """A file to be read: what it is called, and where it lies."""

    name: str
    path: Path


def is_packed(file: Path) -> bool:
    """Is it an archive that is opened?"""
    return file.suffix.lower() in (".gz", ".zip")


def members(file: Path, folder: Path) -> Iterator[Member]:
    """The files of an archive, one at a time, or the file itself; what was written is removed again."""
    suffix = file.suffix.lower()
    if suffix == ".gz":
        yield from _unzipped(file, folder)
    elif suffix == ".zip":
        yield from _of_zip(file, folder)
    else:
        yield Member(file.name, file)


def _unzipped(file: Path, folder: Path) -> Iterator[Member]:

    path = folder / file.stem
    try:
        with gzip.open(file, "rb") as source:
            _write(source, path, file, file.stat().st_size)
        yield Member(file.stem, path)
    except (OSError, EOFError) as error:
        raise _refused(file, f"cannot be unpacked: {error}") from error
    finally:
        path.unlink(missing_ok=True)


def _of_zip(file: Path, folder: Path) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(file) as archive:
            inside = [one for one in archive.infolist() if not one.is_dir()]
            if fault := _fault(inside):
                raise _refused(file, fault)
            for number, one in enumerate(inside):
                name = PurePosixPath(one.filename).name
                place = folder / str(number)
                place.mkdir()
                path = place / name
                with archive.open(one) as source:
                    _write(source, path, file, one.compress_size)
                yield Member(f"{file.name}/{one.filename}", path)
                path.unlink()
                place.rmdir()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _refused(file, f"cannot be unpacked: {error}") from error


def _fault(inside: list[zipfile.ZipInfo]) -> str:
    """Why an archive is not opened."""
    if len(inside) > _MOST_FILES:
        return f"has {len(inside):,} files, at most {_MOST_FILES:,} are read"
    for one in inside:
        parts = PurePosixPath(one.filename.replace("\\", "/")).parts
        if ".." in parts or one.filename.startswith(("/", "\\")) or ":" in parts[0]:
            return f"has a file that leads out of it: {one.filename!r}"
        if PurePosixPath(one.filename).suffix.lower() in _ARCHIVES:
            return f"has an archive within: {one.filename!r}"
        if one.flag_bits & 1:
            return f"is encrypted: {one.filename!r}"
    return ""


def _write(source: IO[bytes] | gzip.GzipFile, path: Path, file: Path, packed: int) -> None:
    """Write out what is unpacked, as long as it is no bomb."""
    most = min(_LARGEST, max(_SMALL, packed * _RATIO))
    size = 0
    with path.open("wb") as target:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                path.unlink()
                fault = Fault(f"unpacks to more than {most:,} bytes", file.name, "unpack it first")
                raise TooLarge(f"{file} is not read", [fault])
            target.write(piece)


def _refused(file: Path, reason: str) -> InvalidInput:
    return InvalidInput(f"{file} is not read", [Fault(reason, file.name)])
