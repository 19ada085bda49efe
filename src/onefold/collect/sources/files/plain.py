"""Values of files as JSON can say them, and records within records."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from onefold.model.pulled import Record


def plain(value: Any) -> Any:
    """A value as JSON can say it: times as ISO 8601, exact decimals and bytes (base64) as text.

    >>> plain({"at": datetime(2024, 5, 1), "sum": Decimal("1.10")})
    {'at': '2024-05-01T00:00:00', 'sum': '1.10'}
    """
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return str(value)


def with_children(record: Record, children: Sequence[str]) -> Iterator[Record]:
    """The record, then those within it: each has what it is of as `parent`.

    `children` are the fields that hold them, by dots: `order.lines`. The record itself is given without.
    """
    held: list[tuple[str, list[Any]]] = []
    fields = record.fields
    for path in children:
        fields, found = _without(fields, path.split("."))
        held.append((path, found if isinstance(found, list) else [] if found is None else [found]))
    if not held:
        yield record
        return
    yield Record(fields, record.stream, record.place, record.change, record.time)
    for path, some in held:
        for number, child in enumerate(some, 1):
            own = child if isinstance(child, dict) else {"value": child}
            stream, place = f"{record.stream}/{path}", f"{record.place}, {path} {number}"
            yield Record({**own, "parent": fields}, stream, place, record.change, record.time)


def _without(fields: dict[str, Any], path: list[str]) -> tuple[dict[str, Any], Any]:
    """The fields without what a path leads to, and that."""
    first, *rest = path
    inner = fields.get(first)
    if not rest:
        return {key: one for key, one in fields.items() if key != first}, inner
    if not isinstance(inner, dict):
        return fields, None
    inner, found = _without(inner, rest)
    return {**fields, first: inner}, found
