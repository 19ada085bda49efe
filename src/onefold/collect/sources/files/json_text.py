"""JSON and NDJSON of any size: one record at a time, and one that is broken costs no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from onefold.collect.sources.files.encodings import encoding_of
from onefold.collect.sources.files.plain import with_children
from onefold.model.errors import Fault, InvalidInput
from onefold.model.pulled import Batch, Position, Record, Unreadable

_ROWS, _PIECE = 5_000, 1 << 20
_BYTES = 4 << 20
_LONGEST = 64 << 20
_SAMPLE = 1 << 20
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]|,|:|"', re.DOTALL)
_decode = msgspec.json.Decoder().decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Piece(NamedTuple):
    """The byte behind a record, and what it says; or why that is none."""

    byte: int
    text: bytes
    why: str = ""


class JsonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a JSON file is read: where its list of `records` is (`data.customers`), found out without.

    `children` are lists within a record that become records of their own (`lines`, `order.lines`).
    """

    records: str = ""
    children: tuple[str, ...] = ()


def read(file: Path, settings: JsonSettings, position: Position | None) -> Iterator[Batch]:
    """The records of a file; each line one, or the elements of a list."""
    encoding = encoding_of(file)
    if encoding != "utf-8":
        fault = Fault(f"JSON is UTF-8, and this seems to be {encoding}", file.name, "convert it")
        raise InvalidInput(f"{file} cannot be read", [fault])
    with file.open("rb") as source:
        pieces = _lines(source, position) if _is_lines(source, settings) else None
        if pieces is None:
            pieces = _elements(source, file, settings.records, position)
        yield from _batches(pieces, file.name, settings, position)


def _batches(
    pieces: Iterator[Piece],
    stream: str,
    settings: JsonSettings,
    position: Position | None,
) -> Iterator[Batch]:
    number = position["row"] if position else 0
    byte = position["byte"] if position else 0
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    size = 0
    for byte, piece, why in pieces:
        number += 1
        size += len(piece)
        place = f"record {number}"
        if why:
            unreadable.append(Unreadable(piece, stream, place, (why,)))
            continue
        try:
            value = _decode(piece)
        except _BROKEN as error:
            unreadable.append(Unreadable(piece, stream, place, (f"is no JSON: {error}",)))
        else:
            if isinstance(value, dict):
                record = Record(value, stream, place)
                records.extend(with_children(record, settings.children))
            else:
                unreadable.append(Unreadable(piece, stream, place, ("is no object",)))
        if len(records) + len(unreadable) >= _ROWS or size >= _BYTES:
            yield Batch(records, {"byte": byte, "row": number}, tuple(unreadable))
            records, unreadable, size = [], [], 0
    yield Batch(records, {"byte": byte, "row": number}, tuple(unreadable))


def _is_lines(source: BinaryIO, settings: JsonSettings) -> bool:
    """Is each line an object?"""
    source.seek(0)
    first = source.readline(_SAMPLE).removeprefix(b"\xef\xbb\xbf").strip()
    while not first and (line := source.readline(_SAMPLE)):
        first = line.strip()
    if settings.records or not first.startswith(b"{"):
        return False
    try:
        found = _decode(first)
    except _BROKEN:
        # It may be a list over many lines, or the first of many lines that is broken.
        return source.readline(_SAMPLE).lstrip().startswith(b"{")
    second = source.readline(_SAMPLE).strip()
    return bool(second) or not any(isinstance(one, list) for one in found.values())


def _lines(source: BinaryIO, position: Position | None) -> Iterator[Piece]:
    """Each line with the byte behind it."""
    at = position["byte"] if position else 0
    source.seek(at)
    while line := source.readline(_LONGEST):
        at += len(line)
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if text:
            yield Piece(at, text)


class _Tokens:
    """The brackets, commas and texts of a stream, with where they stand."""

    def __init__(self, source: BinaryIO, at: int) -> None:
        source.seek(at)
        self._source = source
        self._buffer = b""
        self._start = at
        self._place = 0

    def next(self) -> tuple[int, bytes] | None:
        """The byte at which the next token stands, and the token."""
        while True:
            found = _TOKEN.search(self._buffer, self._place)
            if found is not None and found[0] != b'"':
                self._place = found.end()
                return self._start + found.start(), found[0]
            piece = self._source.read(_PIECE)
            if not piece:
                return None
            if found is None:
                self._place = len(self._buffer)
            self._buffer += piece

    def taken(self, start: int, end: int) -> bytes:
        """The bytes between two places that were passed."""
        return self._buffer[start - self._start : end - self._start]

    def forget(self, until: int) -> None:
        """Free what stands before."""
        if until - self._start > _PIECE:
            self._buffer = self._buffer[until - self._start :]
            self._place -= until - self._start
            self._start = until

    def held(self) -> int:
        return self._place


def _elements(
    source: BinaryIO, file: Path, path: str, position: Position | None
) -> Iterator[Piece]:
    """Each element of the list, or each object of a file without one; then what shows that it was not all."""
    begin = _begin(source, path)
    if begin is None and path:
        hint = "say where the records are: records: data.customers"
        raise InvalidInput(
            f"{file} cannot be read", [Fault(f"there is no list at {path}", file.name, hint)]
        )
    at = position["byte"] if position else begin or 0
    tokens = _Tokens(source, at)
    depth, start = 0, at
    while (token := tokens.next()) is not None:
        place, text = token
        first = text[0]
        end = 0
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
            if depth < 0 and begin is not None:
                if element := tokens.taken(start, place).strip():
                    yield Piece(place, element)
                if not path:
                    yield from _others(tokens, place)
                return
            end = place + 1 if begin is None and depth <= 0 else 0
        elif first == 0x2C and not depth and begin is not None:
            end = place + 1
        if end:
            if element := tokens.taken(start, end).strip().removesuffix(b",").strip():
                yield Piece(end, element)
            start = end
            tokens.forget(start)
        if tokens.held() > _LONGEST:
            break
    yield from _rest(tokens.taken(start, start + _PIECE).strip(), start, begin is None)


def _rest(rest: bytes, at: int, is_whole: bool) -> Iterator[Piece]:
    """What stands behind the last record of a file that does not end as it began."""
    try:
        _decode(rest)
    except _BROKEN:
        if rest or not is_whole:
            yield Piece(at, rest, "is no JSON: it is not closed, and the file is read no further")
        return
    yield Piece(at, rest)
    if not is_whole:
        yield Piece(at, b"", "the file ends before its list does: is it all there?")


def _others(tokens: _Tokens, at: int) -> Iterator[Piece]:
    """Another list of records behind the one that was read: nobody said which of them is meant."""
    before = b""
    while (token := tokens.next()) is not None:
        place, text = token
        if before == b"[" and text == b"{":
            yield Piece(at, b"", "the file has another list, which is not read: say `records`")
            return
        before = text
        tokens.forget(place)


def _begin(source: BinaryIO, path: str) -> int | None:
    """The byte behind the bracket that opens the list of records; None if there is no such list."""
    tokens = _Tokens(source, 0)
    wanted = path.split(".") if path else []
    keys: list[Any] = []
    last = b""
    opened = -1
    token = tokens.next()
    while token is not None:
        place, text = token
        if opened >= 0 and text in (b"{", b"]"):
            return opened
        opened = -1
        if text == b"[":
            inner = [one for one in keys if one is not None]
            if path and inner == wanted:
                return place + 1
            if not path and all(isinstance(one, str | None) for one in keys):
                opened = place + 1
                if not keys:  # of a list that is the file itself all elements are told
                    return opened
            keys.append(0)
        elif text == b"{" and not keys and last == b"}":
            return None  # one object after the other
        else:
            _follow(keys, text, last)
        last = text
        tokens.forget(place)
        token = tokens.next()
    return None


def _follow(keys: list[Any], text: bytes, last: bytes) -> None:
    """Keep in `keys` where a token stands: in which field of each object, 0 for a list."""
    if text == b"{":
        keys.append(None)
    elif text[0] in b"]}":
        if keys:
            keys.pop()
    elif text == b":" and keys and keys[-1] != 0:
        with suppress(*_BROKEN):  # a name that is none leads nowhere
            keys[-1] = str(_decode(last))
    elif text == b"," and keys and isinstance(keys[-1], str):
        keys[-1] = None
