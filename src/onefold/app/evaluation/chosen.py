"""The file of who must be evaluated: some at once, others when time alone will change something.

Numbers of eight bytes: how many at once, how many later, the profiles of the first in order, then
the moments of the others, ascending, and their profiles.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from onefold.model.errors import Busy
from onefold.model.profile import ProfileId

_WIDTH = 8


class ChosenFile:
    """Reads such a file; nothing of it is in memory but what is asked for."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._numbers = memoryview(self._map).cast("q")
        self.now, self.later = self._numbers[0], self._numbers[1]

    def page(self, start: int, size: int) -> list[ProfileId]:
        """Profiles to be evaluated at once, from the `start`-th on."""
        return self._numbers[2 + start : 2 + min(start + size, self.now)].tolist()

    def due(self, start: int, moment: int, size: int) -> list[ProfileId]:
        """Profiles that something changes of by a moment (µs UTC), from the `start`-th on."""
        moments = self._numbers[2 + self.now : 2 + self.now + self.later]
        end = bisect_right(moments, moment, start, max(start, min(start + size, self.later)))
        first = 2 + self.now + self.later
        return self._numbers[first + start : first + end].tolist()

    def rest(self, start: int) -> pa.Table:
        """All that are for later, from the `start`-th on: `profile` and `due`."""
        first = 2 + self.now
        columns = [
            self._numbers[first + start : first + self.later],
            self._numbers[first + self.later + start : first + 2 * self.later],
        ]
        arrays = [
            pa.Array.from_buffers(pa.int64(), len(one), [None, pa.py_buffer(one.tobytes())])
            for one in columns
        ]
        return pa.table({"due": arrays[0], "profile": arrays[1]})

    def close(self) -> None:
        """Close the file."""
        self._numbers.release()
        self._map.close()


def write_chosen(path: Path, now: pa.Table, later: pa.Table) -> None:
    """Write the file; it is there when all of it is. `now` has one column, `later` `due` and `profile`."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("wb") as file:
            for number in (now.num_rows, later.num_rows):
                file.write(number.to_bytes(_WIDTH, "little"))
            for column in (now["profile"], later["due"], later["profile"]):
                file.writelines(_bytes(column.chunks))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError as error:
        raise Busy(f"who must be evaluated cannot be written: {error}") from error


def _bytes(chunks: Sequence[pa.Array]) -> list[memoryview]:
    return [
        memoryview(one.buffers()[1])[one.offset * _WIDTH : (one.offset + len(one)) * _WIDTH]
        for one in chunks
        if len(one)
    ]
