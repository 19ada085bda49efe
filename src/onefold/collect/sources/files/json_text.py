"""JSON and NDJSON of any size: one record at a time, and one that is broken costs no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

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
    pieces: Iterator[tuple[int, bytes]],
    stream: str,
    settings: JsonSettings,
    position: Position | None,
) -> Iterator[Batch]:
    number = position["row"] if position else 0
    byte = position["byte"] if position else 0
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    size = 0
    for byte, piece in pieces:
        number += 1
        size += len(piece)
        place = f"record {number}"
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


def _lines(source: BinaryIO, position: Position | None) -> Iterator[tuple[int, bytes]]:
    """Each line with the byte behind it."""
    at = position["byte"] if position else 0
    source.seek(at)
    while line := source.readline(_LONGEST):
        at += len(line)
        text = line.removeprefix(b"\xef\xbb\xbf").strip()
        if text:
            yield at, text


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
) -> Iterator[tuple[int, bytes]]:
    """Each element of the list with the byte behind it."""
    at = position["byte"] if position else _begin(source, file, path)
    tokens = _Tokens(source, at)
    depth, start = 0, at
    while (token := tokens.next()) is not None:
        place, text = token
        first = text[0]
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
            if depth < 0:
                if element := tokens.taken(start, place).strip():
                    yield place, element
                return
        elif first == 0x2C and not depth:
            if element := tokens.taken(start, place).strip():
                yield place + 1, element
            start = place + 1
            tokens.forget(start)
        if tokens.held() > _LONGEST:
            break
    rest = tokens.taken(start, start + _PIECE).strip()
    if rest:
        yield start, rest


def _begin(source: BinaryIO, file: Path, path: str) -> int:
    """The byte behind the bracket that opens the list of records."""
    tokens = _Tokens(source, 0)
    wanted = path.split(".") if path else []
    keys: list[Any] = []
    last = b""
    first = tokens.next()
    while first is not None:
        place, text = first
        if text == b"[":
            inner = [one for one in keys if one is not None]
            if inner == wanted if path else all(isinstance(one, str | None) for one in keys):
                return place + 1
            keys.append(0)
        elif text == b"{":
            keys.append(None)
        elif text[0] in b"]}":
            if keys:
                keys.pop()
        elif text == b":" and keys and keys[-1] != 0:
            keys[-1] = str(_decode(last))
        elif text == b"," and keys and isinstance(keys[-1], str):
            keys[-1] = None
        last = text
        tokens.forget(place)
        first = tokens.next()
    where = f"at {path}" if path else "in it"
    fault = Fault(f"there is no list {where}", file.name, "say where: records: data.customers")
    raise InvalidInput(f"{file} cannot be read", [fault])
