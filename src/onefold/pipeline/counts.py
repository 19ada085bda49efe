"""The buckets of one node, each metric's decoded only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, KeysView, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from onefold.model.profile import NodeId
from onefold.segment import merge_into, prune
from onefold.segment.buckets import Buckets, Kept
from onefold.segment.kinds import Bucket

Found = dict[int, Bucket]


class Past(Protocol):
    """What was counted of the time before a metric was counted live.

    It belongs to each node that was last written in the batch `ready_at` or before.
    """

    ready_at: int

    def buckets(self, nodes: Sequence[NodeId]) -> Mapping[NodeId, Buckets]:
        """Of these nodes, those that have a past."""


def _nobody(metrics: Collection[str]) -> None:
    """Nobody wants to know."""


class Counted(msgspec.Struct, frozen=True):
    """How far the metrics are counted.

    What a node holds of a metric is void if the node was last written in the batch `since` or
    before. Definitions that need what is `filling` or `failing`, which says why, are not evaluated.
    `lost` is told, before anything else is written, which metrics a batch could not be counted for.
    """

    since: Mapping[str, int] = {}
    filling: frozenset[str] = frozenset()
    failing: Mapping[str, str] = {}
    pasts: tuple[Past, ...] = ()
    lost: Callable[[Collection[str]], None] = _nobody


_decode_all = msgspec.msgpack.Decoder(dict[str, dict[int, Bucket]]).decode
_decode_names = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode
_decode_one = msgspec.msgpack.Decoder(Found).decode
_encode = msgspec.msgpack.Encoder().encode


class Counts(Mapping[str, Found]):
    """By metric id. With a thousand metrics, an event pays only for those that count it."""

    def __init__(self, encoded: msgspec.Raw) -> None:
        self._all: dict[str, Any] = _decode_names(encoded)

    def __getitem__(self, metric: str) -> Found:
        found = self._all[metric]
        if type(found) is not dict:
            found = self._all[metric] = _decode_one(found)
        return found  # type: ignore[no-any-return]

    def get(self, metric: str, default: Any = None) -> Any:
        return self[metric] if metric in self._all else default

    def keys(self) -> KeysView[str]:
        return self._all.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, more: Buckets, oldest: Mapping[str, Kept]) -> None:
        """Add what was counted; drop of these metrics what can matter no more, and unused ones."""
        for metric in self._all.keys() - oldest.keys():
            del self._all[metric]
        touched = {metric: self[metric] for metric in more if metric in self._all}
        merge_into(touched, more)
        prune(touched, oldest)
        for metric in more:
            if metric in touched:
                self._all[metric] = touched[metric]
            else:
                self._all.pop(metric, None)

    def drop(self, void: Collection[str]) -> bool:
        """Forget these metrics; say whether there was anything of them."""
        names = self._all.keys() & void
        for name in names:
            del self._all[name]
        return bool(names)

    def encoded(self) -> msgspec.Raw:
        """As a profile's document holds them."""
        return msgspec.Raw(_encode(self._all))


def decode_buckets(encoded: msgspec.Raw) -> Buckets:
    """All of them at once."""
    return _decode_all(encoded)


def encode_buckets(buckets: Buckets) -> msgspec.Raw:
    """The way back."""
    return msgspec.Raw(_encode(buckets))
