"""The names of the lake's files: what a reader must know of a file before it opens it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

MIXED = "mixed"
"""The layout of files of which nothing is known."""

_SUFFIX = ".zstd.parquet"


class FileName(NamedTuple):
    """What a file's name says: its part of the table, its columns, how many rows, from which batch.

    `part` is `tail` for what batches appended. What compaction wrote is named by what it holds: a day
    as `20261122` for events, `now` and `past` for profiles. Files of one `layout` have the same columns.
    Each row says what held after `batch`, or after a later one.
    """

    part: str
    layout: str
    rows: int
    batch: int


def file_name(part: str, columns: Iterable[str], rows: int, batch: int) -> str:
    """A new name, of which there is no other; without columns it is of layout `mixed`."""
    return f"{part}-{_layout(columns)}-{rows}-{batch}-{uuid.uuid4().hex}{_SUFFIX}"


@lru_cache(maxsize=4_096)
def parse_file_name(path: str) -> FileName:
    """Read a name. Those of before names said so, and of joined files, are of layout `mixed`."""
    name = path.rsplit("/", 1)[-1]
    parts = name.removesuffix(_SUFFIX).split("-")
    if len(parts) != 5 or not (parts[2].isdecimal() and parts[3].isdecimal()):
        return FileName("tail", MIXED, 0, 0)
    return FileName(parts[0], parts[1], int(parts[2]), int(parts[3]))


def _layout(columns: Iterable[str]) -> str:
    text = "\n".join(columns)
    return blake2b(text.encode(), digest_size=6).hexdigest() if text else MIXED


def by_layout(files: Iterable[str]) -> dict[str, list[str]]:
    """Files that have the same columns together; those of which that is not known as `mixed`."""
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(parse_file_name(file).layout, []).append(file)
    return groups
