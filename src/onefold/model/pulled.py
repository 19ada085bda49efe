"""What is pulled from a system of others: records in batches, and where to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

Change = Literal["read", "insert", "update", "delete"]
Position = dict[str, Any]
"""Where to go on: what JSON can say, understood only by the source that gave it."""


class Record(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One record as the other system has it: a row, an object, a message.

    `stream` is the table, sheet, endpoint or topic that it comes from, and `place` where it stands
    there (`row 17`, an offset, a primary key): the same on every reading. `change` says what happened
    to it, and `time` when, in microseconds since epoch UTC, where the system says so. `before` is
    what it was, as far as a change stream tells. `version` tells what it is now from what it was, where a
    system counts its changes instead of timing them: the same record of the same version says nothing new.
    """

    fields: dict[str, Any]
    stream: str
    place: str
    change: Change = "read"
    time: int | None = None
    before: dict[str, Any] | None = None
    version: str = ""


class Unreadable(msgspec.Struct, frozen=True):
    """Something that is no record: its bytes, where they stood, and every reason."""

    raw: bytes
    stream: str
    place: str
    reasons: tuple[str, ...]


class Batch(msgspec.Struct, frozen=True):
    """What a source gave at once, and the position after it.

    Whoever takes a batch stores its position together with it, so that after a crash everything
    comes exactly once. `total` is how many records are expected in all, None where unknown. Records may be
    made only as they are looked at. `warning` is what its operator must look at though all is read: an alarm
    for as long as it is said.
    """

    records: Sequence[Record]
    position: Position
    unreadable: tuple[Unreadable, ...] = ()
    total: int | None = None
    warning: str = ""


class PulledSource(Protocol):
    """Something that records are pulled from. It gives batches and positions, and stores neither."""

    def batches(self, position: Position | None) -> Iterator[Batch]:
        """All that is there after `position`, None being the beginning.

        A change stream waits for more and then gives an empty batch now and then, so that whoever
        reads can stop. Raises `Unreachable` where the system does not answer, and `InvalidInput`
        where its settings cannot work.
        """

    def stored(self, position: Position) -> None:
        """Everything up to `position` is durable: a broker's offset or a slot may go on."""

    def close(self) -> None:
        """Free connections and files."""


@runtime_checkable
class Releasing(Protocol):
    """A source that keeps something on the other system, which stays there when the source goes."""

    def release(self) -> list[str]:
        """Take it away; what that was."""
