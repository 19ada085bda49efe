"""A Bloom filter (Bloom, Space/time trade-offs in hash coding with allowable errors, 1970)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_BITS = 1 << 26
_PLACES = np.arange(4, dtype=np.uint32)
_Places = npt.NDArray[np.uint32]


class BloomFilter:
    """Which of many hashes may be there; of those that are, it misses none.

    It takes 8 MiB. Of hashes that are not there it takes 0.1 % for such as may be while it holds 3 million,
    2 % while it holds 8 million. They are given one behind the other, as bytes; of each
    the first eight count.
    """

    def __init__(self, hash_bytes: int) -> None:
        self._words = hash_bytes // 8
        self._bytes = np.zeros(_BITS >> 3, np.uint8)

    def add(self, hashes: bytes) -> None:
        """Add these."""
        places = self._places(hashes)
        np.bitwise_or.at(self._bytes, places >> 3, _bits(places))

    def may_hold(self, hashes: bytes) -> list[bool]:
        """Of each, whether it may be there."""
        places = self._places(hashes)
        held: list[bool] = (self._bytes[places >> 3] & _bits(places)).all(axis=1).tolist()
        return held

    def _places(self, hashes: bytes) -> _Places:
        # Two halves of a hash give as many places as one likes (Kirsch and Mitzenmacher, 2006).
        halves = np.frombuffer(hashes, "<u4").reshape(-1, 2 * self._words)
        low, high = halves[:, :1], halves[:, 1:2] | np.uint32(1)
        return (low + _PLACES * high) & np.uint32(_BITS - 1)


def _bits(places: _Places) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (places & np.uint32(7)).astype(np.uint8))
