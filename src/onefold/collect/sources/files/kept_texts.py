"""Texts that are known by their number, kept on disk: a workbook may have more than memory should hold."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

_BITS = 3
_BLOCK = 1 << _BITS
_EACH = 80
"""Bytes that a text takes in memory beside its characters, at most."""
_MOST_BYTES = 12 << 20
_DECODER = msgspec.msgpack.Decoder(list[str])


class KeptTexts:
    """Texts in the order in which they came; those that are asked for again and again are at hand."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._file = tempfile.TemporaryFile(prefix="onefold-")  # noqa: SIM115 - as long as this is
        self._starts = array("Q", [0])
        self._count = self._held = 0
        self._blocks: dict[int, list[str]] = {}
        self._older: dict[int, list[str]] = {}
        self._write(iter(texts))

    def _write(self, texts: Iterator[str]) -> None:
        while block := list(islice(texts, _BLOCK)):
            size = self._file.write(msgspec.msgpack.encode(block))
            self._starts.append(self._starts[-1] + size)
            self._count += len(block)
        self._file.flush()

    def close(self) -> None:
        """Remove them."""
        self._file.close()

    def told(self, written: str) -> str:
        """The text whose number is written so."""
        number = int(written)
        block = self._blocks.get(number >> _BITS) or self._block(number)
        return block[number & _BLOCK - 1]

    def at_hand(self) -> list[list[str]]:
        """Those that are held in memory."""
        return [*self._blocks.values(), *self._older.values()]

    def _block(self, number: int) -> list[str]:
        if not 0 <= number < self._count:
            raise ValueError(f"there is no text {number}, but {self._count:,} in all")
        at = number >> _BITS
        start, end = self._starts[at : at + 2]
        self._held += end - start + _BLOCK * _EACH
        if self._held > _MOST_BYTES:
            self._blocks, self._older = {}, self._blocks
            self._held = end - start + _BLOCK * _EACH
        block = self._older.pop(at, None)
        if block is None:
            block = _DECODER.decode(os.pread(self._file.fileno(), end - start, start))
        self._blocks[at] = block
        return block
