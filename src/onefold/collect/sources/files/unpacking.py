"""Files in archives, each written out under a name of ours, within bounds.

What an archive calls its files is only told, never a path that is written to.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from onefold.model.errors import Fault, InvalidInput, TooLarge

_PIECE = 1 << 20
_SMALL = 100 << 20
_RATIO = 200
_LARGEST = 64 << 30
_MOST_FILES = 1_000
_ALONE: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_NOT_OPENED = (".7z", ".rar", ".tar", ".tgz", ".zst")
_BESIDE = (".DS_Store", "Thumbs.db", "desktop.ini")
_ARCHIVES = (".zip", *_ALONE, *_NOT_OPENED)
BROKEN = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error,
    lzma.LZMAError,
)  # fmt: skip
"""What unpacking raises, each way of packing its own: damaged, cut off, or packed as nobody knows."""


class Member(NamedTuple):
    """A file to be read: what it is called, where it lies, and whether it came in an archive of several."""

    name: str
    path: Path
    among_others: bool = False


def is_packed(file: Path) -> bool:
    """Is it an archive, or a file that is packed?"""
    return file.suffix.lower() in _ARCHIVES


def members(file: Path, folder: Path) -> Iterator[Member]:
    """The files of an archive, one at a time, or the file itself; what was written is removed again."""
    suffix = file.suffix.lower()
    if suffix in _NOT_OPENED or (suffix in _ALONE and Path(file.stem).suffix.lower() in _ARCHIVES):
        opened = ", ".join((".zip", *_ALONE))
        raise _refused(
            file, Fault(f"is not unpacked, only {opened} are", file.name, "unpack it first")
        )
    if suffix in _ALONE:
        yield from _unzipped(file, folder)
    elif suffix == ".zip":
        yield from _of_zip(file, folder)
    else:
        yield Member(file.name, file)


def _unzipped(file: Path, folder: Path) -> Iterator[Member]:
    path = folder / file.stem
    try:
        with _ALONE[file.suffix.lower()](file, "rb") as source:
            _write(source, path, file, file.stat().st_size)
        yield Member(file.stem, path)
    except BROKEN as error:
        raise _broken(file, file.name, error) from error
    finally:
        path.unlink(missing_ok=True)


def _of_zip(file: Path, folder: Path) -> Iterator[Member]:
    told = file.name
    try:
        with zipfile.ZipFile(file) as archive:
            inside = [one for one in archive.infolist() if _is_wanted(one)]
            if fault := _fault(inside):
                raise _refused(file, Fault(fault, file.name))
            for number, one in enumerate(inside):
                told = f"{file.name}/{one.filename}"
                name = PurePosixPath(one.filename).name or "file"
                place = folder / str(number)
                place.mkdir()
                path = place / name
                with archive.open(one) as source:
                    _write(source, path, file, one.compress_size)
                yield Member(told, path, len(inside) > 1)
                path.unlink()
                place.rmdir()
    except BROKEN as error:
        raise _broken(file, told, error) from error


def _is_wanted(one: zipfile.ZipInfo) -> bool:
    """Is it a file, and none that a file manager put beside them?"""
    parts = PurePosixPath(one.filename).parts
    beside = "__MACOSX" in parts or (parts and parts[-1] in _BESIDE)
    return not (one.is_dir() or beside or (parts and parts[-1].startswith("._")))


def _fault(inside: list[zipfile.ZipInfo]) -> str:
    """Why an archive is not opened."""
    if len(inside) > _MOST_FILES:
        return f"has {len(inside):,} files, at most {_MOST_FILES:,} are read"
    for one in inside:
        parts = PurePosixPath(one.filename.replace("\\", "/")).parts
        if not parts or ".." in parts or one.filename.startswith(("/", "\\")) or ":" in parts[0]:
            return f"has a file that leads out of it: {one.filename!r}"
        if PurePosixPath(one.filename).suffix.lower() in _ARCHIVES:
            return f"has an archive within: {one.filename!r}"
        if one.flag_bits & 1:
            return f"is encrypted: {one.filename!r}"
    return ""


def most_unpacked(packed: int) -> int:
    """How many bytes may come of so many that are packed; more is a bomb."""
    return min(_LARGEST, max(_SMALL, packed * _RATIO))


def _write(source: IO[bytes], path: Path, file: Path, packed: int) -> None:
    """Write out what is unpacked, as long as it is no bomb."""
    most = most_unpacked(packed)
    size = 0
    with path.open("wb") as target:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                path.unlink()
                fault = Fault(f"unpacks to more than {most:,} bytes", file.name, "unpack it first")
                raise TooLarge(f"{file} is not read", [fault])
            target.write(piece)


def _broken(file: Path, told: str, error: BaseException) -> InvalidInput:
    hint = "is it damaged, or not all there? Fetch it again, or unpack it first"
    return _refused(file, Fault(f"cannot be unpacked: {error}", told, hint))


def _refused(file: Path, fault: Fault) -> InvalidInput:
    return InvalidInput(f"{file} is not read", [fault])
