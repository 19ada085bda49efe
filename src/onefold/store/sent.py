"""What systems of others were last told, so that their telling it back is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from onefold.model.profile import NodeId
from onefold.store.database import Database

Digests = dict[str, bytes]
"""Traits with a digest of the value that was sent."""
_KEPT_US = 31 * 86_400_000_000
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, bytes]).decode


class Sent(NamedTuple):
    """What a destination was told of one node, and when."""

    destination: str
    node: NodeId
    at: int
    digests: Mapping[str, bytes]


class SentValues:
    """What the destinations of one workspace were told."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, destinations: Iterable[str], nodes: Sequence[NodeId]) -> list[Sent]:
        """What these destinations were last told of these nodes."""
        sql = "select node, at, digests from sent_values where destination = ? and node in ({keys})"
        return [
            Sent(name, node, at, _decode(digests))
            for name in destinations
            for node, at, digests in self._db.lookup(sql, nodes, name)
        ]

    def write(self, told: Sequence[Sent]) -> None:
        """Note what they are told; inside a batch's transaction. What is a month old goes."""
        connection = self._db.connection
        newest = max(one.at for one in told)
        connection.execute("delete from sent_values where at < ?", (newest - _KEPT_US,))
        connection.executemany(
            "insert or replace into sent_values values (?,?,?,?)",
            [(one.destination, one.node, one.at, _encode(one.digests)) for one in told],
        )
