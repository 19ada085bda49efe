"""The lines of a text file with where each begins, whatever its encoding and however long it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from onefold.collect.sources.files.encodings import marked

PIECE = 256 << 10
LONGEST = 8 << 20
"""A line is cut there, so that a file without line ends does not fill the memory."""
_BROKEN = "onefold-broken"
_FIRST, _LAST = 0xDC00, 0xDCFF
_WIDE = {"utf-16-le": (b"\n\0", b"\r\0"), "utf-16-be": (b"\0\n", b"\0\r")}
_ENDS = re.compile(r".*?(?:\r\n|\r|\n)|.+", re.DOTALL)


class Place(NamedTuple):
    """Where a line begins: so many lines behind a byte of the file that begins one."""

    byte: int
    line: int


BEGINNING = Place(0, 0)


def _keep_broken(error: UnicodeError) -> tuple[str, int]:
    """What cannot be decoded stays: each byte as a character that no text has."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    return "".join(chr(_FIRST + one) for one in bad), error.end


codecs.register_error(_BROKEN, _keep_broken)


def is_broken(text: str) -> bool:
    """Does a text hold bytes that could not be decoded?"""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def raw(text: str, encoding: str) -> bytes:
    """The bytes that a text was read from."""
    if not is_broken(text):
        return text.encode(encoding, "replace")
    parts = [
        bytes([ord(one) - _FIRST])
        if _FIRST <= ord(one) <= _LAST
        else one.encode(encoding, "replace")
        for one in text
    ]
    return b"".join(parts)


def exact(file: Path, encoding: str) -> str:
    """The encoding with its byte order, so that a file can be read from the middle."""
    if encoding.lower().replace("_", "-") != "utf-16":
        return encoding
    with file.open("rb") as source:
        return "utf-16-be" if source.read(2) == codecs.BOM_UTF16_BE else "utf-16-le"


class Lines:
    r"""The lines of a file, each with its end: `\n`, `\r\n`, or `\r`, whichever comes, one beside the other."""

    def __init__(self, file: Path, encoding: str, start: Place = BEGINNING) -> None:
        self._pieces = _decoded(file, exact(file, encoding), start.byte)
        self._skip = start.line
        self._byte = start.byte
        self._text = ""
        self._lines: list[str] = []
        self._at = 0

    def __iter__(self) -> Iterator[tuple[Place, str]]:
        return self

    def __next__(self) -> tuple[Place, str]:
        while self._at >= len(self._lines):
            if not self._more():
                raise StopIteration
        at = self._at
        self._at += 1
        return Place(self._byte, at), self._lines[at]

    def plain(self, quote: str) -> list[str]:
        """The lines up to the end of a piece, if it has neither a quote nor what is no text."""
        while self._at >= len(self._lines):
            if not self._more():
                return []
        text = self._text
        if (quote and quote in text) or "\0" in text or is_broken(text) or not self._ended():
            return []
        return self._lines[self._at :]

    def taken(self) -> Place:
        """The lines that `plain` gave are read; gives where the last of them begins."""
        self._at = len(self._lines)
        return Place(self._byte, self._at - 1)

    def _ended(self) -> bool:
        """Does the piece end with a line, and not where one that is too long was cut?"""
        return len(self._text) < LONGEST // 4 or self._text[-1] in "\r\n"

    def _more(self) -> bool:
        """Read the next piece; lines that were given before are passed over."""
        found = next(self._pieces, None)
        if found is None:
            return False
        self._byte, self._text = found
        self._lines = _split(self._text)
        self._at = min(self._skip, len(self._lines))
        self._skip -= self._at
        return True


def lines(file: Path, encoding: str, start: Place = BEGINNING) -> Iterator[tuple[Place, str]]:
    """Each line with where it begins."""
    return Lines(file, encoding, start)


def _decoded(file: Path, encoding: str, start: int) -> Iterator[tuple[int, str]]:
    """The text of a file from a byte on, in pieces of whole lines."""
    ends = _WIDE.get(encoding, (b"\n", b"\r"))
    with file.open("rb") as source:
        at = start or _mark(source.read(4), encoding)
        source.seek(at)
        for piece in _pieces(source, *ends):
            yield at, piece.decode(encoding, _BROKEN)
            at += len(piece)


def _mark(head: bytes, encoding: str) -> int:
    """How long the byte order mark is."""
    if not marked(head):
        return 0
    return 2 if encoding in _WIDE else 3


def _split(text: str) -> list[str]:
    if text.count("\r") > text.count("\r\n"):
        return _ENDS.findall(text)
    parts = text.split("\n")
    last = parts.pop()
    found = [one + "\n" for one in parts]
    if last:
        found.append(last)
    return found


def _pieces(source: BinaryIO, end: bytes, old_end: bytes) -> Iterator[bytes]:
    """The file in pieces that end with a line."""
    rest = b""
    while piece := source.read(PIECE):
        rest += piece
        # Of what ends with a carriage return the next byte may be the line feed that belongs to it.
        cut = _last(rest, end) or _last(rest[: -len(end)], old_end)
        if not cut and len(rest) >= LONGEST:
            cut = len(rest) - len(rest) % 4
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _last(text: bytes, end: bytes) -> int:
    """Where the last whole line ends."""
    at = text.rfind(end)
    while at >= 0 and at % len(end):
        at = text.rfind(end, 0, at + len(end) - 1)
    return at + len(end) if at >= 0 else 0
