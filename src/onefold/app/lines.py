"""What the processes beside one another write to each other: one record, one line of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)


def as_line(record: msgspec.Struct) -> bytes:
    """A record as one line; paths, as settings hold them, are texts in it."""
    return msgspec.json.encode(record, enc_hook=str) + b"\n"


def from_line(line: bytes, kind: type[Record]) -> Record:
    """The record in a line."""
    return msgspec.json.decode(line, type=kind, dec_hook=_path)


def _path(wanted: type, text: Any) -> Any:
    return wanted(text) if issubclass(wanted, Path) else text
