"""Excel and OpenDocument sheets, read by a process of their own.

Those of .xlsx and .xlsm are read as a stream. A workbook of another kind may in a few kilobytes name cells so far
apart that what reads it asks for all memory there is. That ends its process and not ours.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

import msgspec

from onefold.collect.sources.files.unpacking import most_unpacked
from onefold.model.errors import Fault, InvalidInput, TooLarge
from onefold.model.pulled import Batch, Position

_PROGRAM = (sys.executable, "-P", "-m", "onefold.collect.sources.files.sheets")
_MOST_BYTES = 2 << 30
"""Of a workbook, unpacked, where sheets are held in memory; else as much as of an archive, if that is more."""
_HELD = ("content.xml", "xl/workbook.bin")
"""What only such workbooks have: .ods and .xlsb."""
LENGTH = 8
NO_MEMORY = 3
"""What the process that reads ends with when it wants more than it is given."""
_NOT_ONE = (
    (b"<html", "a page (HTML)"),
    (b"<!doctype html", "a page (HTML)"),
    (b"<table", "a page (HTML)"),
    (b"<?xml", "XML"),
)


class ExcelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a workbook is read: `sheets` by name, all without; `header` as the row's number in the sheet.

    Merged cells have their value in each cell of the range, unless `merged` is false.
    """

    sheets: tuple[str, ...] = ()
    header: Annotated[int, msgspec.Meta(ge=0)] | None = None
    columns: tuple[str, ...] = ()
    merged: bool = True


class Asked(msgspec.Struct):
    """What the process is to read, from where."""

    file: str
    settings: ExcelSettings
    position: Position | None


class Told(msgspec.Struct):
    """What it answers: a batch; or what is wrong; or, with neither, that this is all."""

    batch: Batch | None = None
    failed: str = ""
    faults: tuple[Fault, ...] = ()


def read(file: Path, settings: ExcelSettings, position: Position | None) -> Iterator[Batch]:
    """The rows of all sheets."""
    _refuse_bomb(file)
    process = subprocess.Popen(  # noqa: S603 - this very interpreter
        _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.msgpack.encode(Asked(str(file), settings, position)))
        process.stdin.close()
        while True:
            told = _next(process, process.stdout, file)
            if told.failed:
                raise InvalidInput(told.failed, list(_what_it_is(file)) or told.faults)
            if told.batch is None:
                return
            yield told.batch
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _next(process: subprocess.Popen[bytes], answers: IO[bytes], file: Path) -> Told:
    size = int.from_bytes(answers.read(LENGTH), "little")
    text = answers.read(size)
    if size and len(text) == size:
        return msgspec.msgpack.decode(text, type=Told)
    if process.wait() == 1:  # an error of what reads such workbooks
        fault = Fault("cannot be read as it is", file.name, "open it and save it as .xlsx")
    else:
        hint = (
            "its sheets may be too large, or hold a cell far off; save it as .xlsx, or them as CSV"
        )
        fault = Fault("needs more memory than a workbook is given", file.name, hint)
    raise InvalidInput(f"{file} is not read", [fault])


def _what_it_is(file: Path) -> Iterator[Fault]:
    """What is called a workbook is often something else, which spreadsheets open all the same."""
    with file.open("rb") as source:
        start = source.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start:
        yield Fault("is empty", file.name)
    for mark, what in _NOT_ONE:
        if start.startswith(mark):
            yield Fault(f"seems to be {what}", file.name, "open it and save it as .xlsx")
            return
    if start and b"\0" not in start and not start.startswith(b"pk"):
        yield Fault("seems to be text", file.name, "try --format csv, or call it .csv")


def _refuse_bomb(file: Path) -> None:
    if not zipfile.is_zipfile(file):
        return
    try:
        with zipfile.ZipFile(file) as packed:
            size = sum(one.file_size for one in packed.infolist())
            held = any(one in packed.namelist() for one in _HELD)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read", [Fault(str(error), file.name)]) from error
    most = _MOST_BYTES if held else max(_MOST_BYTES, most_unpacked(file.stat().st_size))
    if size > most:
        fault = Fault(f"is {size:,} bytes unpacked; {most:,} are read", file.name)
        raise TooLarge(f"{file} is not read", [fault])
