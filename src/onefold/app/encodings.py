"""What text files are encoded in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PIECE = 1 << 20


def marked(start: bytes) -> str:
    """The encoding that a byte order mark at the start of a file tells of; empty without one."""
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")


def decoded(file: Path, encoding: str) -> Iterator[str]:
    """The text of a file, piece by piece; `UnicodeError` where it is not of this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with file.open("rb") as source:
        while piece := source.read(PIECE):
            yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)
