"""The buckets of one node, each metric's decoded only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, KeysView, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from onefold.model.profile import NodeId
from onefold.segment import prune
from onefold.segment.buckets import Buckets, Kept, add_buckets
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
        found = self._all.get(metric)
        if type(found) is dict:
            return found
        return default if found is None else self[metric]

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
        for metric, found in more.items():
            kept = oldest.get(metric)
            if kept is None:
                continue
            known = self._all.get(metric)
            if known is None:
                known = self._all[metric] = dict(found)
            else:
                if type(known) is not dict:
                    known = self._all[metric] = _decode_one(known)
                add_buckets(known, found)
            if kept.oldest is not None and min(known) < kept.oldest:
                left = {metric: known}
                prune(left, oldest)
                self._all.pop(metric)
                self._all |= left

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
