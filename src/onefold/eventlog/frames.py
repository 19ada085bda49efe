"""How a record stands in a segment: header, payload, and how to find the next one after damage.

    magic 4 | payload length 4 | check 4 | guard 4 | payload

`check` is the CRC-32 of the payload, started from offset and length: a record is only good at
the very offset it was written to, so bytes inside a payload that look like a record never pass.
`guard` says cheaply whether a header is plausible before a payload is read for its sake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct

from isal.isal_zlib import crc32

from onefold.eventlog import LogRecord
from onefold.model.errors import Fault, TooLarge

MAGIC = b"\xf1\xd0\x9e\xa7"
HEADER = Struct("<4sIII")
HEADER_BYTES = HEADER.size
MAX_RECORD_BYTES = 64 << 20
CHUNK_BYTES = 1 << 20
_MASK = 0xFFFFFFFF

Reads = Callable[[int, int], bytes]
"""Gives `count` bytes from a position in the partition, fewer at the end of the segment."""


def _guard(offset: int, length: int, check: int) -> int:
    return (check ^ length ^ offset ^ (offset >> 32) ^ 0x5BD1E995) & _MASK


def frame(payloads: Sequence[bytes], offset: int, parts: list[bytes]) -> int:
    """Add headers and payloads to `parts`; return the offset behind them."""
    pack = HEADER.pack
    for payload in payloads:
        length = len(payload)
        check = crc32(payload, (offset + length) & _MASK)
        parts.append(pack(MAGIC, length, check, _guard(offset, length, check)))
        parts.append(payload)
        offset += HEADER_BYTES + length
    return offset


def framed_bytes(payloads: Sequence[bytes]) -> int:
    """How many bytes the payloads take in a segment; refuses one that no reader would take."""
    for number, payload in enumerate(payloads):
        if len(payload) > MAX_RECORD_BYTES:
            fault = Fault(f"{len(payload)} bytes", where=f"payload {number}")
            raise TooLarge(f"a payload may have {MAX_RECORD_BYTES} bytes at most", [fault])
    return sum(map(len, payloads)) + HEADER_BYTES * len(payloads)


def split(
    block: bytes, partition: str, offset: int, records: list[LogRecord], max_records: int
) -> tuple[int, int]:
    """Add the whole good records at the start of `block` to `records`, up to `max_records` there.

    Returns how many bytes they take, and how many the record behind them needs: 0 when enough
    records are there or that record is damaged, more than what is left of the block otherwise.
    """
    unpack, make, add = HEADER.unpack_from, tuple.__new__, records.append
    at, size, room = 0, len(block), max_records - len(records)
    while room > 0:
        start = at + HEADER_BYTES
        if start > size:
            return at, HEADER_BYTES
        magic, length, check, _ = unpack(block, at)
        if magic != MAGIC or length > MAX_RECORD_BYTES:
            return at, 0
        stop = start + length
        if stop > size:
            return at, HEADER_BYTES + length
        payload = block[start:stop]
        begin = offset + at
        if crc32(payload, (begin + length) & _MASK) != check:
            return at, 0
        add(make(LogRecord, (partition, begin, offset + stop, payload)))
        at = stop
        room -= 1
    return at, 0


def is_header(header: bytes, offset: int) -> bool:
    """Whether these bytes can be the header of a record written to `offset`."""
    if len(header) < HEADER_BYTES:
        return False
    magic, length, check, guard = HEADER.unpack(header)
    if magic != MAGIC or length > MAX_RECORD_BYTES:
        return False
    return bool(guard == _guard(offset, length, check))


def is_record(read: Reads, offset: int, limit: int) -> bool:
    """Whether a good record begins at `offset` and ends before `limit`."""
    header = read(offset, HEADER_BYTES)
    if not is_header(header, offset):
        return False
    _, length, check, _ = HEADER.unpack(header)
    start = offset + HEADER_BYTES
    if start + length > limit:
        return False
    payload = read(start, length)
    return bool(check == crc32(payload, (offset + length) & _MASK)) and len(payload) == length


def next_good(read: Reads, offset: int, limit: int) -> int:
    """The offset of the first good record behind a damaged place, or `limit`."""
    while offset + HEADER_BYTES <= limit:
        block = read(offset, min(CHUNK_BYTES, limit - offset))
        found = block.find(MAGIC)
        while found >= 0:
            if is_record(read, offset + found, limit):
                return offset + found
            found = block.find(MAGIC, found + 1)
        if len(block) < HEADER_BYTES:
            break
        offset += len(block) - len(MAGIC) + 1
    return limit


def last_good_end(read: Reads, offset: int, limit: int) -> int:
    """The position behind the last good record between a record's start and `limit`."""
    end = offset
    while offset < limit:
        block = read(offset, min(CHUNK_BYTES, limit - offset))
        used, needs = split(block, "", offset, [], len(block))
        if not used and is_record(read, offset, limit):
            used = needs
        if used:
            offset = end = offset + used
        else:
            offset = next_good(read, offset + 1, limit)
    return end
