"""The buckets of one node, each metric's decoded only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, KeysView, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from onefold.model.profile import NodeId
from onefold.segment import prune
from onefold.segment.buckets import Buckets, Kept, add_buckets
from onefold.segment.kinds import Bucket
from onefold.segment.packed import RUN, pack, unpack

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


_WORD = 8
_decode_all = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode
_decode_run = msgspec.msgpack.Decoder(bytes).decode
_decode_one = msgspec.msgpack.Decoder(Found).decode
_encode = msgspec.msgpack.Encoder().encode


class Counts(Mapping[str, Found]):
    """The buckets of one node by metric id, each read only when somebody asks for it.

    `run` holds counts and numbers as words (`segment.packed`), which are read for many nodes at once; `rest` is
    all else, decoded or not.
    """

    __slots__ = ("_read", "rest", "run")

    def __init__(self, encoded: msgspec.Raw) -> None:
        self.rest: dict[str, Any] = _decode_all(encoded)
        self.run: bytes = _decode_run(self.rest.pop(RUN)) if RUN in self.rest else b""
        self._read: dict[str, Any] | None = None

    @classmethod
    def of(cls, run: bytes) -> Counts:
        """Nothing but a run."""
        one = cls.__new__(cls)
        one.run, one.rest, one._read = run, {}, None
        return one

    def __getitem__(self, metric: str) -> Found:
        found = self._all[metric]
        if type(found) is not dict:
            found = self._all[metric] = _decode_one(found)
        return found  # type: ignore[no-any-return]

    def get(self, metric: str, default: Any = None) -> Any:
        if metric in self.rest and self._read is None:  # the run need not be read for it
            found = self.rest[metric]
            return found if type(found) is dict else _decode_one(found)
        return self[metric] if metric in self._all else default

    def keys(self) -> KeysView[str]:
        return self._all.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def _all(self) -> dict[str, Any]:
        if self._read is None:
            self._read = {**self.rest, **unpack(self.run)}
        return self._read

    def put(self, run: bytes) -> None:
        """Hold this run instead; of nothing it has one word."""
        self.run, self._read = run if len(run) > _WORD else b"", None

    def add(self, more: Buckets, oldest: Mapping[str, Kept]) -> None:
        """Add what is not in the run; drop of these metrics what can matter no more, and unused ones."""
        for metric in self.rest.keys() - oldest.keys():
            del self.rest[metric]
        for metric, found in more.items():
            kept = oldest.get(metric)
            if kept is None:
                continue
            known = self.rest.get(metric, {})
            known = self.rest[metric] = known if type(known) is dict else _decode_one(known)
            add_buckets(known, found)
            if kept.oldest is not None and min(known) < kept.oldest:
                left = {metric: known}
                prune(left, oldest)
                self.rest.pop(metric)
                self.rest |= left
        self._read = None

    def encoded(self) -> msgspec.Raw:
        """As a profile's document holds them."""
        held = {RUN: self.run, **self.rest} if self.run else self.rest
        return msgspec.Raw(_encode(held))


def decode_buckets(encoded: msgspec.Raw) -> Buckets:
    """All of them at once."""
    counts = Counts(encoded)
    return {metric: counts[metric] for metric in counts}


def encode_buckets(buckets: Mapping[str, Mapping[int, Bucket]]) -> msgspec.Raw:
    """The way back."""
    return msgspec.Raw(_encode(pack(buckets)))
