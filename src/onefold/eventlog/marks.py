"""A position kept in a small file, which other processes read while it is being written."""

from __future__ import annotations

import os
from pathlib import Path
from struct import Struct
from typing import NamedTuple

_LAYOUT = Struct("<QQQ")
_SALT = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_TRIES = 5


class Position(NamedTuple):
    """A position, and the first offset of the segment that it stands in."""

    offset: int
    base: int = 0


def _check(position: Position) -> int:
    return (position.offset * 3 ^ position.base * 5 ^ _SALT) & _MASK


class Mark:
    """One position in one file, with a check against half-written values.

    It is written in place and not synced: after a power loss an older value may stand here.
    """

    def __init__(self, path: Path, writable: bool) -> None:
        mode = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        self.fd = os.open(path, mode | os.O_CLOEXEC, 0o640)

    def get(self) -> Position | None:
        """The position, or None if there is none that can be trusted."""
        for _ in range(_TRIES):
            data = os.pread(self.fd, _LAYOUT.size, 0)
            if len(data) < _LAYOUT.size:
                return None
            offset, base, check = _LAYOUT.unpack(data)
            if check == (offset * 3 ^ base * 5 ^ _SALT) & _MASK:
                return Position(offset, base)
        return None

    def set(self, position: Position) -> None:
        """Keep this position."""
        os.pwrite(self.fd, _LAYOUT.pack(position.offset, position.base, _check(position)), 0)

    def close(self) -> None:
        """Close the file, and with it any lock on it."""
        os.close(self.fd)


def read_mark(path: Path) -> Position | None:
    """The position in this file, or None without one."""
    try:
        mark = Mark(path, writable=False)
    except FileNotFoundError:
        return None
    try:
        return mark.get()
    finally:
        mark.close()
