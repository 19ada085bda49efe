"""Records into the event log, as they came: what every source, import and door does with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from onefold.eventlog import EventLog
from onefold.model.mapping import RECORDS, LoadedUnreadable
from onefold.model.pulled import Batch, Record, Unreadable
from onefold.model.records import Accepted, encode_accepted

_TOGETHER = 1_000
_LARGE = 4 << 20
_LARGEST = 32 << 20
_SHOWN = 4 << 10


def append_batch(
    log: EventLog, source: str, batch: Batch, *, at: int, load: str = "", mapping: str = ""
) -> int:
    """Put a batch into the log; it is durable on return. Gives how many bytes that were.

    `source` is the id that its events will have, `load` the run that brought them, `mapping` the name of
    the mapping where it is not that of the source. The same batch twice counts once. Each record came a
    microsecond after the one before it, the first one `at`: of two that say no time the later one counts.
    """
    payloads = payloads_of(source, batch, at=at, load=load, mapping=mapping)
    if payloads:
        log.append(payloads)
    return sum(map(len, payloads))


def payloads_of(
    source: str, batch: Batch, *, at: int, load: str = "", mapping: str = ""
) -> list[bytes]:
    """What the log is given of a batch: its records in order, and what was none."""
    shared = {"load": load, "mapping": mapping}
    unreadable = [_unreadable(one) for one in batch.unreadable]
    bodies: list[tuple[int, bytes]] = []
    for start in range(0, len(batch.records), _TOGETHER):
        some = batch.records[start : start + _TOGETHER]
        _add_bodies(some, at + start, shared, bodies, unreadable)
    for start in range(0, len(unreadable), _TOGETHER):
        none = unreadable[start : start + _TOGETHER]
        bodies.append((at, _encode({**shared, "records": [], "unreadable": none})))
    return [encode_accepted(Accepted(source, came, RECORDS, body)) for came, body in bodies]


def _add_bodies(
    records: Sequence[Record],
    at: int,
    shared: dict[str, str],
    bodies: list[tuple[int, bytes]],
    unreadable: list[LoadedUnreadable],
) -> None:
    """These records as few bodies, each with when its first one came; one that no body can hold is told as unreadable."""
    body = b""
    try:
        body = _encode({**shared, "records": records})
    except (ValueError, TypeError, RecursionError) as error:
        if len(records) == 1:
            body = _encode_one(records[0], shared, str(error), unreadable)
    if len(records) > 1 and (not body or len(body) > _LARGE):
        middle = len(records) // 2
        _add_bodies(records[:middle], at, shared, bodies, unreadable)
        _add_bodies(records[middle:], at + middle, shared, bodies, unreadable)
    elif len(body) > _LARGEST:
        reason = f"the record has {len(body):,} bytes, at most {_LARGEST:,} are taken"
        unreadable.append(_told(records[0], reason))
    elif body:
        bodies.append((at, body))


def _encode_one(
    record: Record, shared: dict[str, str], reason: str, unreadable: list[LoadedUnreadable]
) -> bytes:
    """A record that does not encode as it is: with its texts mended, or not at all."""
    try:
        return _encode({**shared, "records": [_mended(msgspec.structs.asdict(record))]})
    except (ValueError, TypeError, RecursionError):
        unreadable.append(_told(record, f"the record cannot be written as JSON: {reason}"))
        return b""


def _mended(value: Any) -> Any:
    """The same with U+FFFD for what no text can hold, and names of fields as texts."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_mended(str(name)): _mended(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(inner) for inner in value]
    return value


def _unreadable(one: Unreadable) -> LoadedUnreadable:
    stream, place = _mended(one.stream), _mended(one.place)
    return LoadedUnreadable(one.raw[:_LARGE], stream, place, [_mended(why) for why in one.reasons])


def _told(record: Record, reason: str) -> LoadedUnreadable:
    raw = ascii(record.fields)[:_SHOWN].encode()
    return LoadedUnreadable(raw, _mended(record.stream), _mended(record.place), [_mended(reason)])


_encode = msgspec.json.Encoder(enc_hook=str).encode
