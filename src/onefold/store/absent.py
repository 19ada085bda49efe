"""Keys of a large table that are surely not there, known without a look at it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from onefold.store.database import Database

if TYPE_CHECKING:
    from onefold.store.bloom import BloomFilter

K = TypeVar("K")
Found = TypeVar("Found", bound=Collection[object])
_FEW = 2_000
_SHARE = 8
_MOST = 1 << 23
_BATCH = "select value from settings where name = 'batch'"


class Keys(NamedTuple, Generic[K]):
    """Keys that are hashes: `all` that there are, some at a time, about how many that are (`held`), and how
    they are bytes (`packed`), each so many (`width`).
    """

    all: Callable[[], Iterator[Sequence[K]]]
    held: Callable[[], int]
    packed: Callable[[Sequence[K]], bytes]
    width: int


class Absent(Generic[K]):
    """Spares a store most looks for hashes that its tables do not hold, by a filter in memory.

    To ask a large tree for a hash that it does not hold reads a page. The filter is made of all keys once
    that pays: after an eighth as many were asked for in vain. It holds as long as nobody else
    writes batches.
    """

    def __init__(self, db: Database, keys: Keys[K]) -> None:
        self._db = db
        self._keys = keys
        self._filter: BloomFilter | None = None
        self._until = 0
        self._vain = 0

    def among(self, keys: Sequence[K], find: Callable[[Sequence[K]], Found]) -> Found:
        """What is found of those of the keys that may be there."""
        if len(keys) < _FEW:
            return find(keys)
        self._look_after_filter()
        if self._filter is not None:
            return find(list(compress(keys, self._filter.may_hold(self._keys.packed(keys)))))
        found = find(keys)
        self._vain += len(keys) - len(found)
        return found

    def _look_after_filter(self) -> None:
        batch, held = int(self._db.one(_BATCH) or 0), self._keys.held()
        if self._until != batch or held > _MOST:
            self._filter = None  # somebody else has written, or it would hold too many
        if self._filter is None and self._vain * _SHARE >= held and held <= _MOST:
            # What others write meanwhile is of a later batch.
            self._filter, self._until, self._vain = self._made(), batch, 0

    def write(self, keys: Sequence[K]) -> None:
        """These keys are written, within a transaction."""
        if self._filter is not None:
            self._filter.add(self._keys.packed(keys))

    def committed(self, batch: int) -> None:
        """That transaction was this batch, and holds."""
        if self._until + 1 != batch:
            self._filter = None
        self._until = batch

    def _made(self) -> BloomFilter:
        # Most commands look for few keys, and never need numpy, which takes 0.1 s to import.
        from onefold.store.bloom import BloomFilter  # noqa: PLC0415

        made = BloomFilter(self._keys.width)
        for some in self._keys.all():
            made.add(self._keys.packed(some))
        return made
