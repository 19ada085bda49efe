"""What makes a record the same event when it comes again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from onefold.model.mapping import LoadedRecord

_FILE = re.compile("^[^:/]*")
_encode = msgspec.json.Encoder().encode


def named(stream: str, given: str, *, of_files: bool) -> str:
    """By what the mapping says is its id, within its table, sheet or topic.

    Of a file the name does not count: the same order in another export is the same order.

    >>> named("orders", "A1", of_files=False), named("monday.csv", "A1", of_files=True)
    ('orders-A1', 'A1')
    >>> named("shop.xlsx:Orders", "A1", of_files=True)
    ':Orders-A1'
    """
    inner = _FILE.sub("", stream) if of_files else stream
    return f"{inner}-{given}" if inner else given


def content_of(
    record: LoadedRecord, at: int | None, context: Mapping[str, Any], kind: str
) -> bytes:
    """The same for the same record at the same place, so that reading it again is seen as one.

    What says how somebody is now, without saying since when, counts once for each load: it may have
    been said before, and otherwise meanwhile. Where its system counts changes, it counts once for each.
    """
    told: tuple[Any, ...] = record.stream, record.place, record.change, record.time, record.fields
    if kind == "identify" and at is None and record.time is None:
        told = (*told, record.version or context.get("load"))
    return _encode(told)
