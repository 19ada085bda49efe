"""What a first reading found, kept in a file until it is durable elsewhere.

Who reads a table through another's program cannot see, after a crash in mid-reading, what was deleted since. So
nothing is given before all was read: then a crash before that is as if nothing had been, and one after it
goes on in this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Record, Unreadable

_ENDING, _UNFINISHED = ".first-reading", ".unfinished"


class Spooled(msgspec.Struct, frozen=True):
    """What came at once."""

    records: list[Record]
    unreadable: tuple[Unreadable, ...] = ()


class Spool:
    """A file that is written once, then read."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._unfinished = folder / _UNFINISHED
        self._raw = self._unfinished.open("wb")
        self._file = zstandard.ZstdCompressor().stream_writer(self._raw, closefd=False)
        self.batches = 0

    def add(self, records: list[Record], unreadable: tuple[Unreadable, ...]) -> None:
        """Keep what came, if anything did."""
        if records or unreadable:
            self._file.write(msgspec.json.encode(Spooled(records, unreadable)) + b"\n")
            self._file.flush()
            self.batches += 1

    def finish(self) -> str:
        """Durable from now on, under this name."""
        self._file.flush(zstandard.FLUSH_FRAME)
        os.fsync(self._raw.fileno())
        self._raw.close()
        name = f"{os.urandom(8).hex()}{_ENDING}"
        self._unfinished.rename(self._folder / name)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return name

    def close(self) -> None:
        """Drop what was not finished."""
        if not self._raw.closed:
            self._raw.close()
            self._unfinished.unlink(missing_ok=True)


def spooled(folder: Path, name: str, first: int) -> Iterator[Spooled]:
    """What a finished file holds, from one of its batches on."""
    try:
        raw = (folder / Path(name).name).open("rb")
    except FileNotFoundError as error:
        hint = "`onefold source reset NAME`, and everything is read anew"
        fault = Fault(f"{name} is not in {folder}", "data", hint)
        raise InvalidInput("what the first reading found is gone", [fault]) from error
    read = msgspec.json.Decoder(Spooled).decode
    with raw, zstandard.ZstdDecompressor().stream_reader(raw) as plain:
        for number, line in enumerate(_lines(plain)):
            if number >= first:
                yield read(line)


def drop_all(folder: Path, but: str = "") -> None:
    """Remove what is needed no more."""
    for file in folder.glob(f"*{_ENDING}"):
        if file.name != but:
            file.unlink(missing_ok=True)


def _lines(plain: zstandard.ZstdDecompressionReader) -> Iterator[bytes]:
    begun = b""
    while part := plain.read(1 << 20):
        *lines, begun = (begun + part).split(b"\n")
        yield from lines
